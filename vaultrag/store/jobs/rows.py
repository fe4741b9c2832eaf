"""How far jobs are: one row each, held under a lease by whoever works at it.

A clock that is set wrong makes no lease good for ever and has no job wait for ever: what lies further ahead than it can
is over. Whoever lost a lease without knowing can write nothing more under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.domain import JobCounts, JobState
from vaultrag.store.database import Database, Row
from vaultrag.store.lists import AMONG, as_list

MICROSECONDS = 1_000_000
LEASE_SECONDS = 30.0  # six signs of life: a machine that is busy may miss some
LONGEST_DELAY = 7 * 24 * 3600.0  # seconds: no job waits for its next attempt for as long as that
_COLUMNS = "id, state, rank, due, attempts, holder, until, fence, stage"


class LeaseLost(Exception):
    """Somebody else has the job now, or it was cancelled; raised to whoever still works at it."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row. Times are in microseconds since 1970."""

    id: str
    state: JobState
    rank: int
    due: int
    attempts: int
    holder: str
    until: int
    fence: int
    stage: str


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which jobs somebody works at: those of a rank between these two, both left out."""

    after: int = -1000
    before: int = 1000


ALL_RANKS = Ranks()


@dataclass(frozen=True, slots=True)
class JobLease:
    """A job in somebody's hands."""

    job: str
    holder: str
    fence: int
    attempts: int


def is_alive(until: int, now: int) -> bool:
    """Tell whether a lease is good; one that ends later than any can is of another clock."""
    return now < until <= now + _ticks(LEASE_SECONDS)


def is_due(due: int, now: int) -> bool:
    """Tell whether a job may be tried; one that would wait longer than any does is of another clock."""
    return due <= now or due > now + _ticks(LONGEST_DELAY)


def add_row(database: Database, job: str, state: JobState, rank: int) -> None:
    """Add a job at the end of the queue. Harmless where it is there."""
    database.run(
        "INSERT OR IGNORE INTO jobs (id, state, rank, due, attempts, holder, until, fence, stage)"
        " VALUES (?, ?, ?, 0, 0, '', 0, 0, '')",
        (job, state, rank),
    )


def read_rows(database: Database) -> dict[str, JobRow]:
    """Return the rows by id, in the order they came. Raises IndexDamaged."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM jobs ORDER BY number")
    return {row.id: row for row in database.decoded(rows, _row)}


def read_row(database: Database, job: str) -> JobRow | None:
    """Return a job's row. Raises IndexDamaged."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job,))
    return next(iter(database.decoded(rows, _row)), None)


def take(database: Database, holder: str, now: int, ranks: Ranks = ALL_RANKS) -> JobLease | None:
    """Take the next job of these ranks that is due, or whose lease is over; None where there is none."""
    if _next(database, now, ranks) is None:
        return None  # the usual case costs no writer anything
    with database.atomic():
        job = _next(database, now, ranks)
        if job is None:
            return None
        database.run(
            "UPDATE jobs SET state = 'running', holder = ?, until = ?, fence = fence + 1, attempts = attempts + 1,"
            " due = 0, stage = '' WHERE id = ?",
            (holder, now + _ticks(LEASE_SECONDS), job),
        )
        row = read_row(database, job)
        assert row is not None
        return JobLease(job, holder, row.fence, row.attempts)


def _next(database: Database, now: int, ranks: Ranks) -> str | None:
    found: str | None = database.value(
        "SELECT id FROM jobs WHERE rank > ?4 AND rank < ?5"
        " AND ((state = 'queued' AND (due <= ?1 OR due > ?1 + ?2))"
        " OR (state = 'running' AND (until <= ?1 OR until > ?1 + ?3)))"
        " ORDER BY rank, number LIMIT 1",
        (now, _ticks(LONGEST_DELAY), _ticks(LEASE_SECONDS), ranks.after, ranks.before),
    )
    return found


def job_counts(database: Database) -> JobCounts:
    """Return how many jobs there are to do, and to look at."""
    states: dict[str, int] = dict(database.rows("SELECT state, count(*) FROM jobs GROUP BY state"))
    return JobCounts(
        states.get("queued", 0) + states.get("running", 0), states.get("failed", 0) + states.get("spent", 0)
    )


def renew(database: Database, lease: JobLease, now: int) -> None:
    """Give a sign of life. Raises LeaseLost."""
    with database.atomic():
        require_lease(database, lease)
        database.run("UPDATE jobs SET until = ? WHERE id = ?", (now + _ticks(LEASE_SECONDS), lease.job))


def note_stage(database: Database, lease: JobLease, stage: str) -> None:
    """Say what a job is at. Raises LeaseLost."""
    with database.atomic():
        require_lease(database, lease)
        database.run("UPDATE jobs SET stage = ? WHERE id = ?", (stage, lease.job))


def require_lease(database: Database, lease: JobLease) -> None:
    """Raise LeaseLost unless the job is still in these hands: an expired lease holds until another takes the job."""
    row = read_row(database, lease.job)
    if row is None or (row.state, row.holder, row.fence) != (JobState.RUNNING, lease.holder, lease.fence):
        raise LeaseLost


def set_state(database: Database, job: str, state: JobState, due: int = 0) -> None:
    """Take a job out of all hands, as one that waits or has ended. Nothing that was done is lost."""
    database.run(
        "UPDATE jobs SET state = ?, due = ?, attempts = 0, holder = '', until = 0, stage = '' WHERE id = ?",
        (state, due, job),
    )


def put_back(database: Database, lease: JobLease, due: int = 0, *, counts: bool = False) -> None:
    """Give a job back to be taken again, not before `due`; whether the attempt `counts`. Raises LeaseLost."""
    with database.atomic():
        require_lease(database, lease)
        database.run(
            "UPDATE jobs SET state = 'queued', due = ?, holder = '', until = 0, stage = '',"
            " attempts = max(0, attempts - ?) WHERE id = ?",
            (due, 0 if counts else 1, lease.job),
        )


def free_all(database: Database) -> None:
    """Take every job out of the hands of those who are gone: for the one who owns the index, whom the system vouches
    for.
    """
    with database.atomic():
        database.run("UPDATE jobs SET state = 'queued', holder = '', until = 0 WHERE state = 'running'")


def delete_jobs(database: Database, jobs: Sequence[str]) -> None:
    """Delete jobs with all that was done of them."""
    with database.atomic():
        for table, column in (("job_units", "job_id"), ("job_notes", "job_id"), ("jobs", "id")):
            database.run(f"DELETE FROM {table} WHERE {column} {AMONG}", (as_list(jobs),))


def unreadable_rows(database: Database) -> list[str]:
    """Return the ids of the rows that are none of ours."""
    return [str(row[0]) for row in database.rows(f"SELECT {_COLUMNS} FROM jobs") if not _is_sound(row)]


def _row(row: Row) -> JobRow:
    if not _is_sound(row):
        raise ValueError
    key, state, *rest = row
    return JobRow(key, JobState(state), *rest)


def _is_sound(row: Row) -> bool:
    kinds = tuple(map(type, row))
    return kinds == (str, str, int, int, int, str, int, int, str) and row[1] in list(JobState)


def _ticks(seconds: float) -> int:
    return int(seconds * MICROSECONDS)
