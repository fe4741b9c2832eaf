"""Bases as small documents."""

from __future__ import annotations

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
