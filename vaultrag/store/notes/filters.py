"""The passages that a query's filters leave: notes by tag, path, property and date, chunks by speaker and content."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence, Set
from typing import TypeAlias

from vaultrag.domain import TASK_DAYS, TASK_SIGNS, Filter, FilterKind, TaskState
from vaultrag.store.database import Database, Value
from vaultrag.store.lists import AMONG, as_list
from vaultrag.store.notes.graph import target_key
from vaultrag.store.notes.keywords import match_all
from vaultrag.store.notes.property_values import holds_property
from vaultrag.store.schema import FIRST_SEEN
from vaultrag.text.language import fold
from vaultrag.text.terms import question_terms

Clause: TypeAlias = tuple[str, tuple[Value, ...]]
"""A condition on a chunk joined with its note, and its parameters."""
NOTHING = '""'
"""The expression of FTS5 that nothing matches."""


def allowed_rows(database: Database, filters: Sequence[Filter]) -> frozenset[int]:
    """Return the row ids of the chunks that meet every filter."""
    where, values = _condition(database, filters)
    return frozenset(
        database.column(f"SELECT chunks.id FROM chunks JOIN notes ON notes.id = chunks.note_id WHERE {where}", values)
    )


def notes_meeting(database: Database, filters: Sequence[Filter]) -> list[int]:
    """Return the ids of the notes with a passage that meets every filter."""
    where, values = _condition(database, filters)
    return database.column(
        f"SELECT DISTINCT notes.id FROM chunks JOIN notes ON notes.id = chunks.note_id WHERE {where}", values
    )


def task_condition(filters: Sequence[Filter]) -> Clause:
    """Return the condition that filters on tasks make of a row of `tasks`."""
    clauses = [_task_clause(wanted) for wanted in filters]
    return " AND ".join(clause for clause, _ in clauses) or "1", tuple(v for _, values in clauses for v in values)


def newest_rows(database: Database, rows: Set[int], k: int) -> list[tuple[int, str]]:
    """Return up to k of these chunks with their notes' dates: the latest first, undated ones last."""
    return [
        (row, date)
        for row, date in database.rows(
            "SELECT chunks.id, notes.date FROM chunks JOIN notes ON notes.id = chunks.note_id"
            f" WHERE chunks.id {AMONG}"
            f" ORDER BY notes.date_source = '{FIRST_SEEN}', notes.date DESC, notes.path, ordinal LIMIT ?",
            (as_list(rows), k),
        )
    ]


def keys_of_rows(database: Database, rows: Set[int]) -> dict[str, str]:
    """Return the embedding keys of these chunks, each with the language of its text."""
    return dict(database.rows(f"SELECT text_hash, language FROM chunks WHERE id {AMONG}", (as_list(rows),)))


def _condition(database: Database, filters: Sequence[Filter]) -> Clause:
    """Return the condition that every filter makes. Those on tasks must be met by one and the same task."""
    of_tasks = [wanted for wanted in filters if wanted.kind in OF_TASKS and not wanted.excluded]
    clauses = [_clause(database, wanted) for wanted in filters if wanted not in of_tasks]
    if of_tasks:
        clauses.append(_some_task(of_tasks))
    where = " AND ".join(clause for clause, _ in clauses) or "1"
    return where, tuple(value for _, values in clauses for value in values)


def _clause(database: Database, wanted: Filter) -> Clause:
    clause, values = _CLAUSES[wanted.kind](database, wanted)
    return (f"NOT ({clause})" if wanted.excluded else clause), values


def _tag(database: Database, wanted: Filter) -> Clause:
    """A tag and those below it; SQLite itself folds the case of ASCII only."""
    asked = fold(wanted.value or "")
    tags = [
        tag
        for tag in database.column("SELECT DISTINCT tag FROM tags")
        if fold(tag) == asked or fold(tag).startswith(f"{asked}/")
    ]
    return f"notes.id IN (SELECT note_id FROM tags WHERE tag {AMONG})", (as_list(tags),)


def _path(database: Database, wanted: Filter) -> Clause:
    """A part of a path; with a slash before it, its beginning."""
    asked = fold(wanted.value or "")
    beginning = asked.removeprefix("/")
    notes = [
        note
        for note, path in database.rows("SELECT id, path FROM notes")
        if (fold(path).startswith(beginning) if asked.startswith("/") else asked in fold(path))
    ]
    return f"notes.id {AMONG}", (as_list(notes),)


def _title(_: Database, wanted: Filter) -> Clause:
    """Words of a note's title, or of one of its aliases, in any form."""
    found = "SELECT names.note_id FROM names_fts JOIN names ON names.id = names_fts.rowid WHERE names_fts MATCH ?"
    return f"notes.id IN ({found})", (_all_words(wanted),)


def _says(database: Database, wanted: Filter) -> Clause:
    title, values = _title(database, wanted)
    return f"({title} OR chunks.id IN (SELECT rowid FROM keywords WHERE keywords MATCH ?))", (*values, *values)


def _link(database: Database, wanted: Filter) -> Clause:
    """A link to the note of that name, or a link to nothing that is written so."""
    asked = fold(wanted.value or "").removesuffix(".md")
    rows = database.rows("SELECT path, name FROM names JOIN notes ON notes.id = note_id")
    paths = {path for path, name in rows if asked in (fold(name), fold(path).removesuffix(".md"))}
    return (
        f"notes.id IN (SELECT source_id FROM links WHERE target_path {AMONG}"
        " OR (target_path IS NULL AND target_key = ?))",
        (as_list(paths), target_key(wanted.value or "")),
    )


def _all_words(wanted: Filter) -> str:
    return match_all(question_terms(wanted.value or "")) or NOTHING


def _property(database: Database, wanted: Filter) -> Clause:
    rows = database.rows("SELECT id, properties FROM notes WHERE properties <> '{}'")
    holds = database.decoded(rows, lambda row: holds_property(json.loads(row[1]), wanted))
    notes = [note for (note, _), held in zip(rows, holds, strict=True) if held]
    return f"notes.id {AMONG}", (as_list(notes),)


def _any(database: Database, wanted: Filter) -> Clause:
    clauses = [_clause(database, one) for one in wanted.any_of]
    where = " OR ".join(clause for clause, _ in clauses) or "0"
    return f"({where})", tuple(value for _, values in clauses for value in values)


def _some_task(filters: Sequence[Filter]) -> Clause:
    where, values = task_condition(filters)
    return (
        "EXISTS (SELECT 1 FROM tasks WHERE tasks.note_id = notes.id"
        f" AND tasks.line BETWEEN chunks.first_line AND chunks.last_line AND {where})",
        values,
    )


def _task_clause(wanted: Filter) -> Clause:
    if wanted.kind is FilterKind.TASK:
        return _STATE_CLAUSES.get(wanted.value or "", "1"), ()
    day = f"json_extract(tasks.dates, '$.{wanted.name}')" if wanted.name in TASK_DAYS else "NULL"
    clauses, values = [f"{day} IS NOT NULL"], []
    for sign, bound in ((">=", wanted.first_day), ("<", wanted.end_day)):
        if bound:
            clauses.append(f"{day} {sign} ?")
            values.append(bound)
    return " AND ".join(clauses), tuple(values)


def _has(_: Database, wanted: Filter) -> Clause:
    return "instr(' ' || chunks.features || ' ', ?) > 0", (f" {wanted.value} ",)


def _date(_: Database, wanted: Filter) -> Clause:
    """Compare days; a note that names no date lies in no range."""
    clauses, values = [f"notes.date_source <> '{FIRST_SEEN}'"], []
    for sign, day in ((">=", wanted.first_day), ("<", wanted.end_day)):
        if day:
            clauses.append(f"substr(notes.date, 1, 10) {sign} ?")
            values.append(day)
    return " AND ".join(clauses), tuple(values)


def _speaker(_: Database, wanted: Filter) -> Clause:
    return "chunks.speaker = ?", (wanted.value,)


_CLAUSES: dict[FilterKind, Callable[[Database, Filter], Clause]] = {
    FilterKind.TAG: _tag,
    FilterKind.PATH: _path,
    FilterKind.PROPERTY: _property,
    FilterKind.HAS: _has,
    FilterKind.DATE: _date,
    FilterKind.SPEAKER: _speaker,
    FilterKind.TITLE: _title,
    FilterKind.SAYS: _says,
    FilterKind.LINK: _link,
    FilterKind.TASK: lambda _, wanted: _some_task([wanted]),
    FilterKind.TASK_DAY: lambda _, wanted: _some_task([wanted]),
    FilterKind.ANY: _any,
}
OF_TASKS = frozenset({FilterKind.TASK, FilterKind.TASK_DAY})
_CLOSED = "".join(TASK_SIGNS.values())
_STATE_CLAUSES: dict[str, str] = {
    **{state: f"instr('{signs}', tasks.status) > 0" for state, signs in TASK_SIGNS.items()},
    TaskState.OPEN: f"instr('{_CLOSED}', tasks.status) = 0",
}
