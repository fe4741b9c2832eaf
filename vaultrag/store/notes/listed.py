"""Notes and tasks for a list: those that meet filters, with what a list shows of them and the passages to cite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vaultrag.domain import Filter, FilterKind
from vaultrag.store.database import Database, Row
from vaultrag.store.lists import AMONG, as_list
from vaultrag.store.notes.catalog import Catalog, StoredChunk
from vaultrag.store.notes.filters import OF_TASKS, notes_meeting, task_condition
from vaultrag.store.schema import FIRST_SEEN
from vaultrag.text.morphology import count_terms
from vaultrag.text.terms import index_terms, question_terms


@dataclass(frozen=True, slots=True)
class ListedNote:
    """A note with its properties; `date` is empty where the note names none."""

    note_id: int
    path: str
    title: str
    date: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A task of a note, with the days that its line says."""

    note: ListedNote
    line: int
    status: str
    text: str
    dates: Mapping[str, str]


def listed_notes(database: Database, filters: Sequence[Filter]) -> list[ListedNote]:
    """Return the notes that meet every filter, in the order of their paths."""
    rows = database.rows(
        "SELECT id, path, title, CASE date_source WHEN ? THEN '' ELSE substr(date, 1, 10) END, properties"
        f" FROM notes WHERE id {AMONG} ORDER BY path",
        (FIRST_SEEN, as_list(notes_meeting(database, filters))),
    )
    return database.decoded(rows, _note)


def listed_tasks(database: Database, filters: Sequence[Filter]) -> list[ListedTask]:
    """Return the tasks that meet every filter, in the order of the vault.

    What a filter wants said, the task itself must say, or the headings or the name over it.
    """
    of_tasks = [wanted for wanted in filters if wanted.kind in OF_TASKS]
    others = [wanted for wanted in filters if wanted.kind not in OF_TASKS]
    tasks, values = task_condition(of_tasks)
    rows = database.rows(
        "SELECT notes.id, notes.path, title, CASE date_source WHEN ? THEN '' ELSE substr(date, 1, 10) END, properties,"
        " tasks.line, status, tasks.text, dates, tasks.id,"
        " (SELECT heading_path FROM chunks WHERE chunks.note_id = notes.id"
        " AND tasks.line BETWEEN first_line AND last_line LIMIT 1)"
        f" FROM tasks JOIN notes ON notes.id = tasks.note_id WHERE {tasks} ORDER BY path, tasks.line, tasks.id",
        (FIRST_SEEN, *values),
    )
    found = database.decoded(rows, lambda row: (_task(row), _said_over(row)))
    notes: dict[Filter, frozenset[int]] = {}
    return [task for task, over in found if all(_meets(database, task, over, one, notes) for one in others)]


def passages_of(database: Database, notes: Iterable[ListedNote]) -> dict[int, list[StoredChunk]]:
    """Return the passages of these notes, in the order they stand there."""
    rows = database.rows(
        f"SELECT id, note_id FROM chunks WHERE note_id {AMONG} ORDER BY note_id, ordinal",
        (as_list([note.note_id for note in notes]),),
    )
    stored = Catalog(database).chunks_by_row_ids([row for row, _ in rows])
    found: dict[int, list[StoredChunk]] = {}
    for row, note_id in rows:
        if row in stored:
            found.setdefault(note_id, []).append(stored[row])
    return found


def _meets(
    database: Database, task: ListedTask, over: Sequence[str], wanted: Filter, notes: dict[Filter, frozenset[int]]
) -> bool:
    """Tell whether a task meets a filter that is not on tasks; `notes` keeps which notes meet those asked so far."""
    if wanted.kind is FilterKind.ANY:
        return any(_meets(database, task, over, one, notes) for one in wanted.any_of)
    if wanted.kind is FilterKind.SAYS:
        terms = question_terms(wanted.value or "")
        return bool(terms) and count_terms(terms, over) == len(terms)
    if wanted not in notes:
        notes[wanted] = frozenset(notes_meeting(database, [wanted]))
    return task.note.note_id in notes[wanted]


def _said_over(row: Row) -> list[str]:
    """Return the terms of a task, of the headings over it and of its note's name."""
    return index_terms("\n".join((row[2], *json.loads(row[10] or "[]"), row[7])))


def _note(row: Row) -> ListedNote:
    return ListedNote(row[0], row[1], row[2], row[3], dict(json.loads(row[4])))


def _task(row: Row) -> ListedTask:
    return ListedTask(_note(row), row[5], row[6], row[7], dict(json.loads(row[8])))
