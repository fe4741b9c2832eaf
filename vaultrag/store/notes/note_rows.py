"""What the rows of one note must hold: computed from the note as it is read, and read from the index to compare."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vaultrag.domain import Chunk, FileStat, Note, encodable
from vaultrag.store.database import Database, Row, Value
from vaultrag.store.notes import chunk_rows, graph
from vaultrag.store.notes.graph import Resolve
from vaultrag.store.schema import FIRST_SEEN
from vaultrag.text import language
from vaultrag.text.terms import index_terms

_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class NoteRows:
    """Everything derived from one note, in the order of the rows."""

    note: Mapping[str, Value]
    chunks: Sequence[Row]
    links: Sequence[Row]
    names: Sequence[Row]
    tags: Sequence[Row]
    tasks: Sequence[Row]

    def differences(self, stored: NoteRows) -> tuple[str, ...]:
        """Return what of the stored rows is wrong, in words for the user."""
        pairs = {
            "properties": (self._own(stored), dict(stored.note)),
            "passages": (list(self.chunks), list(stored.chunks)),
            "links": (list(self.links), list(stored.links)),
            "names": (list(self.names), list(stored.names)),
            "tags": (sorted(self.tags), sorted(stored.tags)),
            "tasks": (list(self.tasks), list(stored.tasks)),
        }
        return tuple(name for name, (expected, there) in pairs.items() if expected != there)

    def _own(self, stored: NoteRows) -> dict[str, Value]:
        """Return the values of the note's own row; of a day that no file names, that it is one is all we know."""
        day = stored.note["date"]
        first_seen = self.note["date_source"] == FIRST_SEEN and is_day(day)
        return {**self.note, "date": day} if first_seen else dict(self.note)


def expected_rows(
    note: Note, stat: FileStat, chunks: Sequence[Chunk], stems: Sequence[str], resolve: Resolve
) -> NoteRows:
    """Return what the index must hold of a note that was just read."""
    return NoteRows(
        note={"fs_path": stat.fs_path, **note_values(note, chunks)},
        chunks=[chunk_rows.row_of(ordinal, chunk, stems[ordinal]) for ordinal, chunk in enumerate(chunks)],
        links=[graph.link_row(link, note.path, resolve) for link in note.links],
        names=[(*name, stems_of(name[1])) for name in names_of(note)],
        tags=[(tag,) for tag in tags_of(note)],
        tasks=tasks_of(note),
    )


def stored_rows(database: Database, path: str) -> NoteRows | None:
    """Return what the index holds of a note; None when it is not there."""
    columns = ("fs_path", *NOTE_COLUMNS)
    with database.snapshot():
        found = database.rows(f"SELECT id, {', '.join(columns)} FROM notes WHERE path = ?", (path,))
        if not found:
            return None
        note_id, *values = found[0]

        def rows(names: Sequence[str], table: str, order: str) -> list[Row]:
            return database.rows(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}", (note_id,))

        return NoteRows(
            note=dict(zip(columns, values, strict=True)),
            chunks=rows(chunk_rows.COLUMNS, "chunks WHERE note_id = ?", "ordinal"),
            links=rows(graph.LINK_COLUMNS, "links WHERE source_id = ?", "id"),
            names=rows(("kind", "name", "stems"), "names WHERE note_id = ?", "id"),
            tags=rows(("tag",), "tags WHERE note_id = ?", "tag"),
            tasks=rows(TASK_COLUMNS, "tasks WHERE note_id = ?", "id"),
        )


NOTE_COLUMNS = ("title", "content_hash", "date", "date_source", "language", "problems", "properties", "about")


def note_values(note: Note, chunks: Sequence[Chunk]) -> dict[str, Value]:
    """Return what a note's own row says of its text. `date` is empty where the note names none."""
    values = (
        encodable(note.title),
        note.content_hash,
        note.date,
        note.date_source or FIRST_SEEN,
        _main_language(note, chunks),
        json.dumps(note.problems),
        json.dumps(_properties(note), default=str),
        encodable(note.about),
    )
    return dict(zip(NOTE_COLUMNS, values, strict=True))


def names_of(note: Note) -> list[tuple[str, str]]:
    """Return (kind, name) of a note's title and aliases."""
    return [("title", encodable(note.title)), *(("alias", encodable(alias)) for alias in note.aliases)]


def is_day(value: object) -> bool:
    """Tell whether a value is a day as notes have them, `YYYY-MM-DD`."""
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def stems_of(name: str) -> str:
    """Return the terms of a name as the name index holds them."""
    return " ".join(index_terms(name))


def tags_of(note: Note) -> list[str]:
    """Return a note's tags, each once."""
    return list(dict.fromkeys(encodable(tag) for tag in note.tags))


TASK_COLUMNS = ("line", "status", "text", "dates")


def tasks_of(note: Note) -> list[Row]:
    """Return the values of `TASK_COLUMNS` for each task of a note."""
    return [
        (task.line, encodable(task.status), encodable(task.text), json.dumps(dict(task.dates))) for task in note.tasks
    ]


def _properties(note: Note) -> dict[str, Any]:
    """Return the frontmatter with the fields of the text, whose values join those of the same name."""
    merged: dict[str, Any] = dict(note.properties)
    for field in note.fields:
        standing = merged.get(field.key, [])
        merged[field.key] = [*(standing if isinstance(standing, list) else [standing]), field.value]
    return merged


def _main_language(note: Note, chunks: Sequence[Chunk]) -> str:
    amounts: Counter[str] = Counter()
    for chunk in chunks:
        if chunk.language:
            amounts[chunk.language] += len(chunk.text)
    return amounts.most_common(1)[0][0] if amounts else language.language_of(note.title)
