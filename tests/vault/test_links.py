"""Which file a link names: the observed tie-breaks of Obsidian, and our rule where it has none."""

from __future__ import annotations

import pytest

from vaultrag.text.paths import file_name, lower, normalize_path
from vaultrag.vault.links import LinkResolver, resolve_link, shortest_link

FULL = ["Note.md", "zzzz/Note.md", "zzzz/src.md", "a/b/Note.md", "a/b/src.md", "b/Other.md", "a/b/Other.md"]
ROOTLESS = ["zzzz/Note.md", "zzzz/src.md", "zzzz/deep/src.md", "b/Note.md", "a/b/src.md", "x/src.md"]


@pytest.mark.parametrize(
    ("paths", "target", "source", "expected"),
    [
        (FULL, "Note", "a/b/src.md", "Note.md"),
        (FULL, "note", "zzzz/src.md", "Note.md"),
        (FULL, "zzzz/Note", "a/b/src.md", "zzzz/Note.md"),
        (FULL, "b/Other", "a/b/src.md", "b/Other.md"),
        (["a/b/Other.md", "c/Other.md"], "b/Other", "c/src.md", "a/b/Other.md"),
        (["ab/Note.md"], "b/Note", "x.md", None),
        (ROOTLESS, "Note", "zzzz/src.md", "zzzz/Note.md"),
        (ROOTLESS, "Note", "zzzz/deep/src.md", "b/Note.md"),
        (["a/b/Note.md", "zzzz/Note.md"], "Note", "x/src.md", "a/b/Note.md"),
        (["bb/Note.md", "aa/Note.md"], "Note", "x/src.md", "aa/Note.md"),
        (["y.md", "a/x.md"], "../y", "a/x.md", "y.md"),
        (["a/y.md", "y.md", "a/x.md"], "./y", "a/x.md", "a/y.md"),
        (["a/y.md"], "/y", "a/x.md", None),
        (["a/y.md"], "/a/y", "b.md", "a/y.md"),
        (["Note.md", "Note"], "Note", "x.md", "Note"),
        (["Note.md.md", "Note.md"], "Note.md", "x.md", "Note.md"),
        (["v1.2.md"], "v1.2", "x.md", "v1.2.md"),
        (["files/scan.pdf"], "scan.pdf", "x.md", "files/scan.pdf"),
        (["files/scan.pdf"], "scan", "x.md", None),
        (["ΟΔΟΣ.md"], "οδοσ", "x.md", "ΟΔΟΣ.md"),
        (["Straße.md"], "STRASSE", "x.md", None),
        (["Заметки/Ёлка.md"], "ёлка#Раздел", "x.md", "Заметки/Ёлка.md"),
        (["Й.md"], "И\u0306", "x.md", "Й.md"),
        (["a b.md"], "a\u00a0b", "x.md", "a b.md"),
        (["a.md"], "", "a.md", "a.md"),
        (["a.md"], "b", "a.md", None),
        (["Sub/My Note.md"], "My Note.md", "x.md", "Sub/My Note.md"),
    ],
)
def test_link_resolves_as_in_obsidian(paths: list[str], target: str, source: str, expected: str | None) -> None:
    assert LinkResolver(paths).resolve(target, source) == expected


def test_paths_are_keyed_as_obsidian_keys_them() -> None:
    assert normalize_path("\\a//b\u00a0c/И\u0306.md/") == "a/b c/Й.md"


def test_lower_case_does_not_depend_on_the_place_in_a_word() -> None:
    assert lower("ΟΔΟΣ") + ".md" == lower("ΟΔΟΣ.md")


@pytest.mark.parametrize("source", ["Ответ.md", "a/Ответ.md", "a/b/Ответ.md"])
def test_shortest_link_names_its_file_from_anywhere(source: str) -> None:
    paths = ["n.md", "a/n.md", "a/b/n.md", "b/n.md", "x.pdf", "c/y.md", "d/n.md.md"]
    by_name = {name: sorted(path for path in paths if file_name(path) == name) for name in map(file_name, paths)}
    for path in paths:
        target = shortest_link(path, source, lambda name: by_name.get(name, []))
        assert resolve_link(target, source, lambda name: by_name.get(name, [])) == path
    assert shortest_link("c/y.md", source, lambda name: by_name.get(name, [])) == "y"
    assert shortest_link("x.pdf", source, lambda name: by_name.get(name, [])) == "x.pdf"
