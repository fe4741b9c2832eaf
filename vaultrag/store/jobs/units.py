"""What was done of a job, unit by unit: a unit and its result are one transaction, neither is there without the other.

A unit's key says what went into it. One whose row is not what was written was not done.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from vaultrag.store.database import Database, Row
from vaultrag.store.jobs.notes import add_notes
from vaultrag.store.jobs.rows import JobLease, require_lease

_COLUMNS = "job_id, key, result, tokens, seconds, checksum"


@dataclass(frozen=True, slots=True)
class JobUnit:
    """A unit that was done. `tokens` and `seconds` are what it cost."""

    key: str
    result: str
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What was done of a job, and what that cost."""

    units: int = 0
    tokens: int = 0
    seconds: float = 0.0


NOTHING_SPENT = Spent()


def add_unit(database: Database, lease: JobLease, unit: JobUnit, paths: Iterable[str] = ()) -> None:
    """Write what was done, and the notes that were read for it: the job has got on. Raises LeaseLost."""
    with database.atomic():
        require_lease(database, lease)
        add_notes(database, lease, paths)
        values = (lease.job, unit.key, unit.result, unit.tokens, float(unit.seconds))
        database.run(
            f"INSERT OR REPLACE INTO job_units ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", (*values, _checksum(values))
        )
        database.run("UPDATE jobs SET attempts = 0 WHERE id = ?", (lease.job,))


def unit_result(database: Database, job: str, key: str) -> str | None:
    """Return the result of a unit that was done; None where it was not."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM job_units WHERE job_id = ? AND key = ?", (job, key))
    return next((row[2] for row in rows if _is_sound(row)), None)


def spent_by_job(database: Database) -> dict[str, Spent]:
    """Return by id what was done of each job, and what that cost."""
    rows = database.rows("SELECT job_id, count(*), sum(tokens), sum(seconds) FROM job_units GROUP BY job_id")
    return dict(database.decoded(rows, lambda row: (row[0], Spent(row[1], int(row[2]), float(row[3])))))


def spent_by(database: Database, job: str) -> Spent:
    return spent_by_job(database).get(job, NOTHING_SPENT)


def drop_units(database: Database, job: str) -> None:
    """Forget what was done of a job: it begins anew."""
    with database.atomic():
        database.run("DELETE FROM job_units WHERE job_id = ?", (job,))
        database.run("DELETE FROM job_notes WHERE job_id = ?", (job,))


def damaged_units(database: Database) -> list[Row]:
    """Return (job, key) of the units that are not what was written."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM job_units ORDER BY job_id, key")
    return [row[:2] for row in rows if not _is_sound(row)]


def drop_damaged_units(database: Database) -> int:
    """Delete the units that are not what was written, so that they are done again; return how many."""
    wrong = damaged_units(database)
    with database.atomic():
        database.run_many("DELETE FROM job_units WHERE job_id IS ? AND key IS ?", wrong)
    return len(wrong)


def _is_sound(row: Row) -> bool:
    return tuple(map(type, row)) == (str, str, str, int, float, int) and _checksum(row[:5]) == row[5]


def _checksum(values: Row) -> int:
    return zlib.crc32(json.dumps(values).encode())
