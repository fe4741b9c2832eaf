"""What became of the citations of kept answers, as nights found it: digests and figures, and no word of a note.

A row is of one citation. It is told once, and again only when its fate or its line changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass

from vaultrag.domain import Fate
from vaultrag.store.database import Database, Row
from vaultrag.store.lists import AMONG, as_list


@dataclass(frozen=True, slots=True)
class FateRow:
    """The fate of one citation. `line` is a digest of what its line says now, `judge` who judged; empty: code."""

    record: str
    number: int
    fate: Fate
    line: str
    judge: str = ""


def read_fates(database: Database) -> dict[str, dict[int, FateRow]]:
    """Return what is known, by record and by the number of the citation."""
    found: dict[str, dict[int, FateRow]] = {}
    for row in database.rows(f"{_SELECT} ORDER BY record, number"):
        found.setdefault(row[0], {})[row[1]] = _fate_row(row)
    return found


def fates_of(database: Database, record: str) -> dict[int, FateRow]:
    """Return what is known of one record, by the number of the citation."""
    return {row[1]: _fate_row(row) for row in database.rows(f"{_SELECT} WHERE record = ?", (record,))}


def write_fates(database: Database, record: str, rows: Iterable[FateRow]) -> None:
    """Make these the fates of a record. What was told and is as it was stays told; what holds is never told."""
    with database.atomic():
        told = set(database.rows("SELECT number, fate, line FROM fates WHERE record = ? AND told = 1", (record,)))
        database.run("DELETE FROM fates WHERE record = ?", (record,))
        database.run_many(
            "INSERT INTO fates (record, number, fate, line, judge, told) VALUES (?, ?, ?, ?, ?, ?)",
            ((record, row.number, row.fate, row.line, row.judge, _is_told(row, told)) for row in rows),
        )


def untold_records(database: Database) -> list[str]:
    """Return the records of which something is to be told."""
    return database.column("SELECT DISTINCT record FROM fates WHERE told = 0 ORDER BY record")


def note_records_told(database: Database, records: Collection[str]) -> None:
    with database.atomic():
        database.run(f"UPDATE fates SET told = 1 WHERE record {AMONG}", (as_list(list(records)),))


def keep_fates_of(database: Database, records: Collection[str]) -> None:
    """Let what is known of all other records go: they were deleted, or forgotten."""
    with database.atomic():
        database.run(f"DELETE FROM fates WHERE record NOT {AMONG}", (as_list(list(records)),))


def _is_told(row: FateRow, told: Set[tuple[int, str, str]]) -> int:
    return int(row.fate is Fate.HOLDS or (row.number, row.fate.value, row.line) in told)


_SELECT = "SELECT record, number, fate, line, judge FROM fates"


def _fate_row(row: Row) -> FateRow:
    record, number, fate, line, judge = row
    return FateRow(record, number, Fate(fate), line, judge)
