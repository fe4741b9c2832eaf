"""The passages that a query's filters leave: notes by tag, path, property and date, chunks by speaker and content."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any, TypeAlias

from vaultrag.domain import Filter, FilterKind
from vaultrag.store.database import Database, Value
from vaultrag.store.lists import AMONG, as_list
from vaultrag.store.schema import FIRST_SEEN
from vaultrag.text.language import fold

Clause: TypeAlias = tuple[str, tuple[Value, ...]]
"""A condition on a chunk joined with its note, and its parameters."""


def allowed_rows(database: Database, filters: Sequence[Filter]) -> frozenset[int]:
    """Return the row ids of the chunks that meet every filter."""
    clauses = [_clause(database, wanted) for wanted in filters]
    where = " AND ".join(clause for clause, _ in clauses) or "1"
    return frozenset(
        database.column(
            f"SELECT chunks.id FROM chunks JOIN notes ON notes.id = chunks.note_id WHERE {where}",
            [value for _, values in clauses for value in values],
        )
    )


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
    asked = fold((wanted.value or "").lstrip("/"))
    notes = [note for note, path in database.rows("SELECT id, path FROM notes") if asked in fold(path)]
    return f"notes.id {AMONG}", (as_list(notes),)


def _property(database: Database, wanted: Filter) -> Clause:
    rows = database.rows("SELECT id, properties FROM notes WHERE properties <> '{}'")
    holds = database.decoded(rows, lambda row: _holds(json.loads(row[1]), wanted))
    notes = [note for (note, _), held in zip(rows, holds, strict=True) if held]
    return f"notes.id {AMONG}", (as_list(notes),)


def _holds(properties: Any, wanted: Filter) -> bool:
    name = fold(wanted.name)
    value = None if wanted.value is None else _bare(wanted.value)
    return any(
        key == name and (value is None or _bare(_written(held)) == value) for key, held in _leaves(properties, "")
    )


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield each value under its name, nested ones as `name.inner`; a list gives each member."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{fold(str(key))}".lstrip("."))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value


def _written(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) or value is None else str(value)


def _bare(text: str) -> str:
    """Fold a value; a link stands for what it shows or names."""
    folded = fold(text.strip())
    if folded.startswith("[[") and folded.endswith("]]"):
        return folded[2:-2].rpartition("|")[2].strip()
    return folded


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
}
