"""What nights found about notes, and which notes each stage has looked at: both go with the note, and follow it.

A stage owes a look at every note whose content is not the one that it saw last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaultrag.store.database import Database
from vaultrag.store.lists import AMONG, as_list, marks

DISAGREEMENTS = "claims"
"""The kind of what is told of two claims: by the key of the pair, which is kept elsewhere."""


@dataclass(frozen=True, slots=True)
class OwedNote:
    """A note that a stage has to look at; `is_new` where it never has."""

    note_id: int
    path: str
    title: str
    content_hash: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class NightFinding:
    """One finding about a note, or about it and another one. A report tells it once, from `day` on."""

    kind: str
    note_id: int
    other_id: int | None = None
    text: str = ""
    line: int = 0
    day: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class FoundNote:
    """A finding with the names of its notes."""

    id: int
    kind: str
    path: str
    title: str
    other_path: str
    other_title: str
    text: str
    line: int
    day: str
    score: float


def owed_notes(database: Database, stage: str) -> list[OwedNote]:
    """Return the notes that a stage has not looked at as they are now, in the order of their paths."""
    rows = database.rows(
        "SELECT id, path, title, notes.content_hash, done.note_id IS NULL FROM notes"
        " LEFT JOIN night_done AS done ON done.note_id = notes.id AND done.stage = ?"
        " WHERE done.content_hash IS NOT notes.content_hash ORDER BY path",
        (stage,),
    )
    return [OwedNote(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]


def note_done(database: Database, stage: str, notes: Iterable[OwedNote]) -> None:
    """Write that a stage has looked at notes; one that changed meanwhile stays owed, one that is gone is nothing."""
    with database.atomic():
        database.run_many(
            "INSERT OR REPLACE INTO night_done (stage, note_id, content_hash) SELECT ?, id, ? FROM notes WHERE id = ?",
            ((stage, note.content_hash, note.note_id) for note in notes),
        )


def replace_findings(database: Database, kinds: Sequence[str], note_id: int, found: Iterable[NightFinding]) -> None:
    """Make these the findings of some kinds about a note. One that stands already stays told, wherever it moved to."""
    with database.atomic():
        held = {
            (kind, other, text): row
            for row, kind, other, text in database.rows(
                f"SELECT id, kind, other_id, text FROM night_findings WHERE note_id = ? AND kind IN ({marks(kinds)})",
                (note_id, *kinds),
            )
        }
        kept = set()
        for one in found:
            kept.add((one.kind, one.other_id, one.text))
            put_finding(database, one)
        gone = [row for name, row in held.items() if name not in kept]
        database.run(f"DELETE FROM night_findings WHERE id {AMONG}", (as_list(gone),))


def put_finding(database: Database, one: NightFinding) -> None:
    """Write a finding; one that stands already only has its place, its day and its weight put right."""
    with database.atomic():
        known = database.column("SELECT id FROM notes WHERE id IN (?, ?)", (one.note_id, one.other_id or one.note_id))
        if len(known) != len({one.note_id, one.other_id or one.note_id}):
            return  # a note of it was removed meanwhile
        database.run(
            "INSERT INTO night_findings (kind, note_id, other_id, text, line, day, score, told)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
            " ON CONFLICT (kind, note_id, ifnull(other_id, 0), text)"
            " DO UPDATE SET line = excluded.line, day = excluded.day, score = excluded.score",
            (one.kind, one.note_id, one.other_id, one.text, one.line, one.day, one.score),
        )


def told_keys(database: Database, kind: str) -> frozenset[str]:
    """Return the keys of what was told of a kind that is kept elsewhere."""
    return frozenset(database.column("SELECT text FROM night_findings WHERE kind = ? AND told = 1", (kind,)))


def note_key_told(database: Database, kind: str, key: str, paths: Sequence[str]) -> None:
    """Write that something about one note or two, which is kept elsewhere, was told; it is so until one is gone."""
    query = f"SELECT id FROM notes WHERE path IN ({marks(paths)}) ORDER BY path"
    with database.atomic():
        ids = database.column(query, tuple(paths))
        if len(ids) == len(paths):
            database.run(
                "INSERT OR IGNORE INTO night_findings (kind, note_id, other_id, text, line, day, score, told)"
                " VALUES (?, ?, ?, ?, 0, '', 0, 1)",
                (kind, ids[0], ids[-1] if len(ids) > 1 else None, key),
            )


def untold_findings(database: Database, today: str) -> list[FoundNote]:
    """Return what no report has told and is due by now, the weightiest first."""
    rows = database.rows(
        "SELECT found.id, kind, notes.path, notes.title, ifnull(other.path, ''), ifnull(other.title, ''), text, line,"
        " day, score FROM night_findings AS found JOIN notes ON notes.id = found.note_id"
        " LEFT JOIN notes AS other ON other.id = found.other_id WHERE told = 0 AND day <= ?"
        " ORDER BY score DESC, day, notes.path, line, other.path, text",
        (today,),
    )
    return [FoundNote(*row) for row in rows]


def note_told(database: Database, ids: Sequence[int]) -> None:
    """Write that findings were told."""
    with database.atomic():
        database.run(f"UPDATE night_findings SET told = 1 WHERE id {AMONG}", (as_list(ids),))
