"""The text of PDFs by page."""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

import pytest

from vaultrag.config import VaultSection
from vaultrag.domain import Span
from vaultrag.errors import VaultError
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.files import list_files, note_suffixes, read_note
from vaultrag.vault.parsing.pages import MAX_PAGES, MOST_BAD, UNREAD
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath

pytest.importorskip("pypdf", reason="pypdf came with this change; scripts/test installs it")

RANGES = "2 beginbfrange\n<0020> <007E> <0020>\n<0400> <04FF> <0400>\nendbfrange"
CMAP = f"begincmap\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{RANGES}\nendcmap"


def pdf(*pages: list[str] | bytes, kids: str = "") -> bytes:
    """Write a PDF of lines of text, a list a page, in a font that knows Latin and Cyrillic; or of pages' own content.

    `kids` are what the tree of pages holds instead of them.
    """
    fonts = "<< /Font << /F 3 0 R >> >>"
    kids = kids or " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    objects: list[str | bytes] = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H"
        " /DescendantFonts [4 0 R] /ToUnicode 5 0 R >>",
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo"
        " << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500 >>",
        f"<< /Length {len(CMAP)} >>\nstream\n{CMAP}\nendstream",
    ]
    for number, lines in enumerate(pages):
        content = lines if isinstance(lines, bytes) else shown(lines)
        packed = zlib.compress(content)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources {fonts} /Contents {7 + 2 * number} 0 R >>"
        )
        head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n"
        objects.append(head.encode() + packed + b"\nendstream")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + (body.encode() if isinstance(body, str) else body) + b"\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return out + f"{head}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF".encode()


def shown(lines: list[str]) -> bytes:
    """Write a page's content: these lines."""
    drawn = " ".join(f"<{line.encode('utf-16-be').hex()}> Tj 0 -14 Td" for line in lines)
    return f"BT /F 12 Tf 50 700 Td {drawn} ET".encode()


def read(root: Path, content: bytes) -> str:
    (root / "Скан.pdf").write_bytes(content)
    [file] = list_files(root, [], note_suffixes(VaultSection()))
    return read_note(root, file, 10)


def test_a_pdf_is_read_a_page_a_line(tmp_path: Path) -> None:
    text = read(tmp_path, pdf(["Сервер стоит в под-", "вале дома."], [], ["The server is", "down."]))
    assert text == "Сервер стоит в подвале дома.\n\nThe server is down."
    note = parse_note("Скан.pdf", text)
    chunks = chunk_note(note, lambda words: len(words.split()), 5, 9)
    assert [(chunk.text, chunk.span.first_line) for chunk in chunks] == [
        ("Сервер стоит в подвале дома.", 1),
        ("The server is down.", 3),
    ]
    assert resolve_subpath(note, "page=3") == Span(3, 1, 3, 19)
    assert resolve_subpath(note, "page=3&offset=7") == Span(3, 1, 3, 19)
    assert resolve_subpath(note, "page=2") is None
    assert resolve_subpath(note, "page=9") is None


def test_a_damaged_pdf_is_refused_with_a_remedy_and_one_of_pictures_is_told(tmp_path: Path) -> None:
    for content in (b"", b"%PDF-1.4 nothing", pdf(["a"])[:300]):
        with pytest.raises(VaultError) as raised:
            read(tmp_path, content)
        assert raised.value.remedy
    note = parse_note("Скан.pdf", read(tmp_path, pdf([], [])))
    assert note.problems == ("The PDF holds no text; pictures of text are not read.",)


BOMB = b"BT /F 12 Tf " + b"<0041> Tj 0 -1 Td " * 1_000_000 + b"ET"


@pytest.mark.slow
def test_a_page_that_takes_too_long_is_left_out_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaultrag.vault.parsing.pages.PAGE_SECONDS", 1)
    content = pdf(["Первая страница."], BOMB, ["Third page."])
    assert len(content) < 1_000_000
    text = read(tmp_path, content)
    assert text.split("\n") == ["Первая страница.", UNREAD, "Third page."]
    note = parse_note("Скан.pdf", text)
    assert len(note.blocks) == 2
    assert note.problems == ("Pages that took too long, or are damaged, are not read: 2.",)


@pytest.mark.slow
def test_a_file_of_such_pages_is_given_up_soon_and_stays_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultrag.vault.parsing.pages.PAGE_SECONDS", 1)
    text = read(tmp_path, pdf(*[BOMB] * (MOST_BAD + 4), ["Last."]))
    assert text.split("\n") == [UNREAD] * (MOST_BAD + 5)
    [_, problem] = parse_note("Скан.pdf", text).problems
    assert problem.endswith("1, 2, 3 and 5 more.")


def test_a_damaged_page_costs_no_other(tmp_path: Path) -> None:
    content = pdf(["Первая."], ["Вторая."], ["Третья."]).replace(
        b"/Type /Page /Parent 2 0 R", b"/Type /Page /Parent 7 0 R", 1
    )
    assert read(tmp_path, content).split("\n")[1:] == ["Вторая.", "Третья."]


@pytest.mark.parametrize("kids", ["2 0 R", "2 0 R 6 0 R", "2 0 R " * 500, "99 0 R"])
def test_a_tree_of_pages_that_loops_ends(tmp_path: Path, kids: str) -> None:
    with contextlib.suppress(VaultError):
        assert not set(read(tmp_path, pdf(["Первая."], kids=kids)).split("\n")) - {"", "Первая.", UNREAD}


def test_too_many_pages_are_refused_before_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match=f"more than {MAX_PAGES} pages"):
        read(tmp_path, pdf(["Первая."], kids="6 0 R " * (MAX_PAGES + 1)))


def test_one_setting_switches_pdfs_off(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(["a"]))
    (tmp_path / "a.md").write_text("a", encoding="utf-8")
    assert [file.path for file in list_files(tmp_path, [], note_suffixes(VaultSection(pdf=False)))] == ["a.md"]
