"""Which notes were analysed, when, and as what: no word of a note and no name, so forgetting a note takes all of it.

The rows hang on the note's own: they follow it where it moves and go when it goes. Lost ones cost an analysis, no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from vaultrag.store.database import Database
from vaultrag.store.lists import AMONG, as_list


@dataclass(frozen=True, slots=True)
class NoteState:
    """What a note says, by its hash, and what the notes say that it links to, by a hash of theirs."""

    note_id: int
    path: str
    content: str
    linked: str


@dataclass(frozen=True, slots=True)
class AnalysedNote:
    """A note as it was when it was analysed, and as it is now. `at` are seconds since 1970."""

    role: str
    at: float
    then: NoteState
    now: NoteState


def note_states(database: Database, paths: list[str]) -> list[NoteState]:
    """Return how these notes stand now, as far as they are indexed, in the order of their paths."""
    with database.snapshot():
        rows = database.rows(
            f"SELECT id, path, content_hash FROM notes WHERE path {AMONG} ORDER BY path", (as_list(paths),)
        )
        linked = _linked(database, [row[0] for row in rows])
        return [NoteState(note_id, path, content, linked[note_id]) for note_id, path, content in rows]


def write_analysed(database: Database, template: str, role: str, state: NoteState, at: float) -> None:
    """Note that a note was analysed in this state; nothing, where it has gone meanwhile."""
    with database.atomic():
        database.run(
            "INSERT OR REPLACE INTO analyses (note_id, template, role, at, content_hash, linked_hash)"
            " SELECT id, ?, ?, ?, ?, ? FROM notes WHERE id = ?",
            (template, role, at, state.content, state.linked, state.note_id),
        )


def analysed_notes(database: Database, template: str) -> list[AnalysedNote]:
    """Return what was analysed by a template, in the order of the notes' paths."""
    return list(_analysed(database, template))


def _analysed(database: Database, template: str) -> Iterator[AnalysedNote]:
    with database.snapshot():
        rows = database.rows(
            "SELECT note_id, path, role, at, analyses.content_hash, linked_hash FROM analyses"
            " JOIN notes ON notes.id = note_id WHERE template = ? ORDER BY path, role",
            (template,),
        )
        now = {state.path: state for state in note_states(database, [row[1] for row in rows])}
    for note_id, path, role, at, content, linked in rows:
        yield AnalysedNote(role, float(at), NoteState(note_id, path, content, linked), now[path])


def _linked(database: Database, note_ids: list[int]) -> dict[int, str]:
    """Return for each note one hash of what the notes say that it links to; a link to nothing counts as none."""
    contents: dict[int, set[str]] = {note_id: set() for note_id in note_ids}
    for note_id, content in database.rows(
        "SELECT links.source_id, notes.content_hash FROM links JOIN notes ON notes.path = links.target_path"
        f" WHERE links.source_id {AMONG} AND notes.id <> links.source_id",
        (as_list(note_ids),),
    ):
        contents[note_id].add(content)
    return {note_id: hashlib.sha256("\n".join(sorted(of)).encode()).hexdigest() for note_id, of in contents.items()}
