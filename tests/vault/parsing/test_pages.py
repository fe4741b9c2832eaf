"""The text of PDFs by page."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaultrag.config import VaultSection
from vaultrag.domain import Span
from vaultrag.errors import VaultError
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.files import list_files, note_suffixes, read_note
from vaultrag.vault.parsing.parse import parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath

pytest.importorskip("pypdf", reason="pypdf came with this change; scripts/test installs it")

RANGES = "2 beginbfrange\n<0020> <007E> <0020>\n<0400> <04FF> <0400>\nendbfrange"
CMAP = f"begincmap\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{RANGES}\nendcmap"


def pdf(*pages: list[str]) -> bytes:
    """Write a PDF of lines of text, a list a page, in a font that knows Latin and Cyrillic."""
    fonts = "<< /Font << /F 3 0 R >> >>"
    kids = [f"{6 + 2 * number} 0 R" for number in range(len(pages))]
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(kids)}] >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H"
        " /DescendantFonts [4 0 R] /ToUnicode 5 0 R >>",
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo"
        " << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500 >>",
        f"<< /Length {len(CMAP)} >>\nstream\n{CMAP}\nendstream",
    ]
    for number, lines in enumerate(pages):
        shown = " ".join(f"<{line.encode('utf-16-be').hex()}> Tj 0 -14 Td" for line in lines)
        content = f"BT /F 12 Tf 50 700 Td {shown} ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources {fonts} /Contents {7 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return out + f"{head}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF".encode()


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


def test_one_setting_switches_pdfs_off(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(["a"]))
    (tmp_path / "a.md").write_text("a", encoding="utf-8")
    assert [file.path for file in list_files(tmp_path, [], note_suffixes(VaultSection(pdf=False)))] == ["a.md"]
