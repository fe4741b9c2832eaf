"""What is still open in notes, as the night asks for it: tasks, questions, and notes that were left alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from vaultrag.domain import TASK_SIGNS
from vaultrag.store.database import Database

_CLOSED = "".join(TASK_SIGNS.values())
_IS_OPEN = f"instr('{_CLOSED}', status) = 0"


@dataclass(frozen=True, slots=True)
class OpenTask:
    line: int
    text: str
    dates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnPassage:
    """A passage in the user's own words."""

    headings: tuple[str, ...]
    first_line: int
    text: str


def open_tasks(database: Database, note_id: int) -> list[OpenTask]:
    """Return the tasks of a note that nobody has ended. Raises IndexDamaged."""
    rows = database.rows(
        f"SELECT line, text, dates FROM tasks WHERE note_id = ? AND {_IS_OPEN} ORDER BY id", (note_id,)
    )
    return database.decoded(rows, lambda row: OpenTask(row[0], row[1], dict(json.loads(row[2]))))


def own_passages(database: Database, note_id: int) -> list[OwnPassage]:
    """Return the passages of a note that are not a chat's. Raises IndexDamaged."""
    rows = database.rows(
        "SELECT heading_path, first_line, text FROM chunks WHERE note_id = ? AND speaker = '' ORDER BY ordinal",
        (note_id,),
    )
    return database.decoded(rows, lambda row: OwnPassage(tuple(json.loads(row[0])), row[1], row[2]))


def notes_left_alone(database: Database, before: float) -> list[tuple[int, int, int]]:
    """Return (id, seconds of its last change, open tasks) of the notes that were not written since a moment.

    Those of which the night has said so are left out, until they change.
    """
    return [
        (note_id, touched // 1_000_000_000, count)
        for note_id, touched, count in database.rows(
            f"SELECT notes.id, mtime_ns, count(*) FROM notes JOIN tasks ON tasks.note_id = notes.id WHERE {_IS_OPEN}"
            " AND mtime_ns < ? AND NOT EXISTS"
            " (SELECT 1 FROM night_findings AS found WHERE found.note_id = notes.id AND kind = 'stale')"
            " GROUP BY notes.id ORDER BY path",
            (int(before * 1_000_000_000),),
        )
    ]


def day_named_notes(database: Database) -> frozenset[int]:
    """Return the notes that are named by a day, as those of a diary."""
    return frozenset(database.column("SELECT id FROM notes WHERE date_source = 'name'"))
