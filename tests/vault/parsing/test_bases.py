"""Bases as small documents."""

from __future__ import annotations

import pytest

from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note


def test_a_base_is_one_small_document() -> None:
    text = 'filters:\n  and:\n    - file.hasTag("книга")\nviews:\n  - type: table\n    name: Прочитано\n'
    note = parse_note("Книги.base", text)
    [chunk] = chunk_note(note, lambda words: len(words.split()), 100, 150)
    assert (note.title, note.links, note.problems) == ("Книги", (), ())
    assert "name: Прочитано" in chunk.embedded
    assert parse_note("Книги.base", "a: [").problems == (
        "The base cannot be read: did not find expected node content (line 3).",
    )
    assert parse_note("Книги.base", "").blocks == ()


BOMB = "a0: &a0 [x, x, x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 5000 + "]" * 5000, "a:\n" + "- " * 5000 + "x", "a: " + "{a: " * 5000, BOMB]
)
@pytest.mark.parametrize("frame", [("Книги.base", "{}"), ("Заметка.md", "---\n{}\n---\n")])
def test_yaml_that_is_nested_or_swells_is_refused_and_the_text_stays(frame: tuple[str, str], text: str) -> None:
    path, around = frame
    note = parse_note(path, around.replace("{}", text, 1))
    assert len(str(note.properties)) < 10_000
    assert note.problems
