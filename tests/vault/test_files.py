"""Which files of a vault are read, and that nothing else is."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest

from vaultrag.domain import FileStat
from vaultrag.errors import VaultError
from vaultrag.vault.files import list_files, read_note, scan_vault


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n", encoding="utf-8")


def paths(root: Path, *ignore: str) -> list[str]:
    return [file.path for file in list_files(root, ignore)]


def test_notes_and_canvases_are_listed_sorted_and_attachments_are_names(tmp_path: Path) -> None:
    write(tmp_path, "б.md", "a/Б.canvas", "a/img.png", "A.MD", "base.base")
    assert paths(tmp_path) == ["A.MD", "a/Б.canvas", "base.base", "б.md"]
    assert scan_vault(tmp_path, []).names == ["A.MD", "a/img.png", "a/Б.canvas", "base.base", "б.md"]


def test_dot_components_are_invisible(tmp_path: Path) -> None:
    write(tmp_path, ".obsidian/x.md", ".trash/y.md", "a/.git/z.md", ".hidden.md", "v.md")
    assert paths(tmp_path) == scan_vault(tmp_path, []).names == ["v.md"]


def test_filters_are_prefixes_or_expressions_without_case(tmp_path: Path) -> None:
    write(tmp_path, "Шаблоны/a.md", "b/Шаблоны/c.md", "daily/2024.md", "daily/sub/x.md", "secret.md", "ok.md")
    (tmp_path / ".obsidian").mkdir()
    filters = {"userIgnoreFilters": ["шаблоны/", "/^daily/[^/]+$/", "/(broken/", 3]}
    (tmp_path / ".obsidian" / "app.json").write_text(json.dumps(filters), encoding="utf-8")
    assert paths(tmp_path, "secret") == ["b/Шаблоны/c.md", "daily/sub/x.md", "ok.md"]
    names = scan_vault(tmp_path, ["secret"]).names
    assert "Шаблоны/a.md" in names, "a link to a note that Obsidian excludes still resolves"
    assert "secret.md" not in names


@pytest.mark.parametrize("content", ["{", "[]", '{"userIgnoreFilters": "x"}', "[" * 5000])
def test_a_damaged_app_json_filters_nothing(tmp_path: Path, content: str) -> None:
    write(tmp_path, "a.md", ".obsidian/app.json")
    (tmp_path / ".obsidian" / "app.json").write_text(content, encoding="utf-8")
    assert paths(tmp_path) == ["a.md"]


@pytest.mark.parametrize(
    ("name", "is_copy"),
    [
        ("План (Conflicted copy MacBook 202411021530).md", True),
        ("План (Conflicted copy).md", True),
        ("План.sync-conflict-20241102-153000-ABCDEF7.md", True),
        ("План (Anna's conflicted copy 2024-11-02).md", True),
        ("План (конфликтующая копия Анны 2024-11-02).md", True),
        ("План (conflicted copy 2024-11-02 153000).md", True),
        ("План.Conflict.md", True),
        ("План_NAS_Nov-02-1530-2024_Conflict.md", True),
        ("План (Case Conflict).md", True),
        ("План (Unicode Encoding Conflict 1).md", True),
        ("План (Selective Sync Conflict).md", True),
        ("~$План.md", True),
        ("План 2.md", False),
        ("План-DESKTOP-AB12CD3.md", False),
        ("Basket case conflict (a case).md", False),
        ("Conflict.md", False),
        ("Конфликт (копия взглядов).md", False),
        ("How a conflicted copy is made.md", False),
    ],
)
def test_copies_of_sync_programs_are_told_from_notes(tmp_path: Path, name: str, is_copy: bool) -> None:
    write(tmp_path, name)
    assert paths(tmp_path) == ([] if is_copy else [name])
    assert [skipped.path for skipped in scan_vault(tmp_path, []).skipped] == ([name] if is_copy else [])


def test_links_out_of_the_vault_are_not_followed(tmp_path: Path) -> None:
    vault, outside = tmp_path / "vault", tmp_path / "outside"
    write(vault, "a.md", ".hidden/h.md")
    write(outside, "secret.md")
    (vault / "out.md").symlink_to(outside / "secret.md")
    (vault / "folder").symlink_to(outside)
    (vault / "loop").symlink_to(vault)
    (vault / "in.md").symlink_to(vault / "a.md")
    (vault / "peek.md").symlink_to(vault / ".hidden" / "h.md")
    (vault / "gone.md").symlink_to(vault / "nowhere.md")
    listing = scan_vault(vault, [])
    assert [note.path for note in listing.notes] == ["a.md", "in.md"]
    assert {skipped.path for skipped in listing.skipped} == {"out.md", "folder", "loop", "peek.md", "gone.md"}
    stat = FileStat("out.md", "out.md", 1, 1, 1)
    with pytest.raises(VaultError, match="outside the vault"):
        read_note(vault, stat, 1000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert paths(tmp_path) == []
    with pytest.raises(VaultError, match="no regular file"):
        read_note(tmp_path, FileStat("pipe.md", "pipe.md", 0, 0, 0), 1000)


def test_the_key_is_nfc_and_the_file_keeps_its_spelling(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "Йод и ёлка.md")
    write(tmp_path, name)
    [file] = list_files(tmp_path, [])
    assert file.path == unicodedata.normalize("NFC", name)
    assert "ёлка" in unicodedata.normalize("NFC", read_note(tmp_path, file, 1000))


def test_of_two_names_with_one_key_the_second_is_reported(tmp_path: Path) -> None:
    for form in ("NFD", "NFC"):
        write(tmp_path, unicodedata.normalize(form, "Йод.md"))
    if len(os.listdir(tmp_path)) < 2:
        pytest.skip("this file system holds one spelling of a name")
    listing = scan_vault(tmp_path, [])
    assert [note.path for note in listing.notes] == ["Йод.md"]
    assert "Unicode" in listing.skipped[0].reason


def test_a_mark_is_stripped_bad_bytes_replaced_and_line_endings_kept(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf# \xd0\x81\r\nbad \xff\rend")
    [file] = list_files(tmp_path, [])
    assert read_note(tmp_path, file, 1000) == "# Ё\r\nbad \ufffd\rend"


def test_too_large_and_missing_files_are_refused_with_a_remedy(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    [file] = list_files(tmp_path, [])
    with pytest.raises(VaultError, match="larger than"):
        read_note(tmp_path, file, 2)
    (tmp_path / "a.md").unlink()
    with pytest.raises(VaultError) as raised:
        read_note(tmp_path, file, 1000)
    assert raised.value.remedy


def test_a_missing_vault_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="cannot be read"):
        list_files(tmp_path / "none", [])


def test_files_in_the_cloud_and_loops_are_named_as_there(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "П/.План.md.icloud", ".x.jpg.icloud")
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    listing = scan_vault(tmp_path, [])
    assert [note.path for note in listing.notes] == ["a.md"]
    assert {(skipped.path, skipped.is_there) for skipped in listing.skipped if skipped.is_there} <= {
        ("П/План.md", True),
        ("loop.md", True),
    }
    assert "П/План.md" in {skipped.path for skipped in listing.skipped}
    assert "П/План.md" in listing.names, "links to it still resolve"


def test_a_copy_named_after_a_machine_is_no_note_beside_its_original(tmp_path: Path) -> None:
    names = ("План.md", "План-DESKTOP-AB12CD3.md", "План-LAPTOP-9Q8W7E6R.md", "План-desktop-ab12cd3.md")
    write(tmp_path, *names, "Опись-DESKTOP-AB12CD3.md")
    assert paths(tmp_path) == ["Опись-DESKTOP-AB12CD3.md", "План-desktop-ab12cd3.md", "План.md"]


def test_a_numbered_near_copy_is_no_note_and_a_note_of_its_own_is(tmp_path: Path) -> None:
    text = "\n".join(f"Строка {n} о сервере и хлебе" for n in range(40))
    for name, content in {
        "План.md": text,
        "План 2.md": text + "\nещё",
        "План 3.md": text.replace("сервере", "доме").replace("хлебе", "рыбе"),
        "Глава 2.md": text,
        "x/План 2.md": text,
        "Мало.md": "да",
        "Мало 2.md": "да",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    listing = scan_vault(tmp_path, [])
    assert [(skipped.path, skipped.reason) for skipped in listing.skipped] == [("План 2.md", "it is a copy of План.md")]
    assert len(listing.notes) == 6
    assert "План 2.md" in listing.names
