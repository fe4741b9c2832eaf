"""The jobs of one index: what the user asked for is a record, how far it is stands in rows beside it.

Each step writes both in one transaction. Where only the journal came through a kill, a damaged index or a journey to
another home, `adopt` makes the rows anew: what was asked for is never lost, and what has ended is not begun again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from vaultrag.config import Config
from vaultrag.domain import Job, JobFailure, JobOrder, JobState
from vaultrag.errors import StoreError, UsageError
from vaultrag.records.stored import notes_of
from vaultrag.records.stored_jobs import job_body, readable_job
from vaultrag.store.database import Database
from vaultrag.store.exclusions import Exclusions, read_exclusions
from vaultrag.store.jobs.notes import job_paths
from vaultrag.store.jobs.rows import (
    MICROSECONDS,
    JobLease,
    JobRow,
    add_row,
    delete_jobs,
    put_back,
    read_rows,
    require_lease,
    set_state,
)
from vaultrag.store.jobs.units import NOTHING_SPENT, Spent, drop_units, spent_by, spent_by_job
from vaultrag.store.journal import Journal
from vaultrag.store.records import Kind, RecordBook, read_bodies

ID_BYTES = 6  # as of saved answers: an answer that was asked for later has its job's id
KEPT = 200  # jobs that have ended: to be looked up for some weeks
AT_ONCE = 50  # so many go at once: a deletion writes the journal anew
LIST = "See: vaultrag jobs list"


class JobQueue:
    """The jobs of one index. To read, a database for reading is enough."""

    def __init__(self, config: Config, database: Database) -> None:
        self.database = database
        self.book = RecordBook(database, Journal(config.journal_path))

    def submit(self, order: JobOrder) -> Job:
        """Put a job at the end of the queue; it survives anything once this returns.

        Raises StoreError, also for one about a note that is forgotten.
        """
        job = Job(self._unused_id(), order, JobState.QUEUED, _now())
        try:
            with self.database.atomic():
                exclusions = read_exclusions(self.database)
                if any(map(exclusions.covers, order.paths)):
                    raise StoreError("A note that it is about has been forgotten.", "Name another one.")
                self.book.put(Kind.JOB, job.id, job_body(job))
                add_row(self.database, job.id, JobState.QUEUED, order.rank)
                self._let_old_go()
        except StoreError:
            self.book.take_back(Kind.JOB, job.id)  # asked for again, it would be done twice
            raise
        self.book.tidy()
        return self.job(job.id)

    def jobs(self) -> list[Job]:
        """Return the jobs in the order they came. Raises IndexDamaged."""
        with self.database.snapshot():
            rows, spent = read_rows(self.database), spent_by_job(self.database)
            bodies = read_bodies(self.database, Kind.JOB)
        found = [_as_it_stands(readable_job(key, body), rows.get(key), spent.get(key)) for key, body in bodies.items()]
        places = {key: place for place, key in enumerate(rows)}
        return sorted(found, key=lambda job: (places.get(job.id, len(places)), job.at, job.id))

    def job(self, beginning: str = "") -> Job:
        """Return the job whose id begins so; the one that came last for the empty beginning. Raises UsageError."""
        wanted, jobs = beginning.strip().lower(), self.jobs()
        found = [job for job in jobs if job.id.startswith(wanted)]
        if len(found) == 1 or (found and not wanted):
            return found[-1]
        if not wanted:
            raise UsageError("There is no job yet.", 'Leave a long question: vaultrag ask --deep --later "…"')
        what = "Several jobs have ids that begin" if found else "No job has an id that begins"
        raise UsageError(f"{what} with “{beginning}”.", LIST)

    def cancel(self, beginning: str) -> Job:
        """End a job; what it has done is kept for `resume`. Cancelling twice is harmless. Raises UsageError."""
        with self.database.atomic():
            job = self.job(_named(beginning))
            if job.state is JobState.CANCELLED:
                return job
            if job.state is JobState.DONE:
                raise UsageError(f"The job {job.id} is done.", f"See: vaultrag jobs show {job.id}")
            self._end(job, JobState.CANCELLED)
        return self.job(job.id)

    def resume(self, beginning: str) -> Job:
        """Have a job go on where it stopped, at once; one whose budget is spent is given it anew. Raises UsageError."""
        with self.database.atomic():
            job = self.job(_named(beginning))
            if job.state is JobState.RUNNING:
                return job
            if job.state is JobState.DONE:
                raise UsageError(f"The job {job.id} is done.", f"See: vaultrag jobs show {job.id}")
            granted = job.granted + _has_spent(job)
            if job.state.ended:
                fresh = replace(job, state=JobState.QUEUED, ended_at="", failure=None, granted=granted)
                self.book.put(Kind.JOB, job.id, job_body(fresh))
            set_state(self.database, job.id, JobState.QUEUED)
        return self.job(job.id)

    def finish(
        self,
        lease: JobLease,
        state: JobState,
        *,
        result: str = "",
        failure: JobFailure | None = None,
        write: Callable[[], None] | None = None,
    ) -> None:
        """End a job that is held, together with what `write` writes. Raises LeaseLost."""
        with self.database.atomic():
            require_lease(self.database, lease)
            if write is not None:
                write()
            self._end(self.job(lease.job), state, result, failure)

    def put_off(self, lease: JobLease, failure: JobFailure, due: int) -> None:
        """Have a job that failed be tried again, not before `due`. Raises LeaseLost."""
        with self.database.atomic():
            put_back(self.database, lease, due, counts=True)
            self.book.put(Kind.JOB, lease.job, job_body(replace(self.job(lease.job), failure=failure)))

    def adopt(self) -> int:
        """Make rows and records agree, where only one of them has come through; return how many did not.

        A job is done where its row says so, for what came of it was written with that: what only the journal calls done
        is done again, at the cost of its end.
        """
        with self.database.atomic():
            rows, bodies = read_rows(self.database), self.book.bodies(Kind.JOB)
            jobs = [readable_job(key, body) for key, body in bodies.items()]
            strays = [key for key in rows if key not in bodies]
            missing = [job for job in jobs if job.id not in rows]
            differing = [job for job in jobs if job.id in rows and _differ(job, rows[job.id])]
            for job in sorted(missing, key=lambda job: (job.at, job.id)):
                add_row(self.database, job.id, job.state, job.order.rank)
            for job in differing:
                if job.state is JobState.DONE:
                    undone = replace(job, state=JobState.QUEUED, ended_at="", result="")
                    self.book.put(Kind.JOB, job.id, job_body(undone))
                else:
                    set_state(self.database, job.id, job.state)
            if strays:
                delete_jobs(self.database, strays)
            return len(strays) + len(missing) + len(differing)

    def erase(self, exclusions: Exclusions) -> None:
        """Remove every trace of the jobs that speak of what is forgotten, of those that run, too."""
        with self.database.atomic():
            about = jobs_about(self.database, exclusions)
            if about:
                self.book.erase([(Kind.JOB, key) for key in about])
                delete_jobs(self.database, about)

    def _end(self, job: Job, state: JobState, result: str = "", failure: JobFailure | None = None) -> None:
        spent, read = spent_by(self.database, job.id), job_paths(self.database).get(job.id, [])
        ended = replace(
            job,
            order=replace(job.order, paths=tuple(sorted({*job.order.paths, *read}))),
            state=state,
            ended_at=_now(),
            failure=failure,
            result=result,
            units=spent.units,
            tokens=spent.tokens,
            seconds=spent.seconds,
        )
        self.book.put(Kind.JOB, job.id, job_body(ended))
        set_state(self.database, job.id, state)
        if state is JobState.DONE:
            drop_units(self.database, job.id)  # the result stands elsewhere; the rest would only hold words of notes

    def _let_old_go(self) -> None:
        ended = [job.id for job in self.jobs() if job.state.ended]
        if len(ended) >= KEPT + AT_ONCE:
            old = ended[:-KEPT]
            self.book.write((Kind.JOB, key, None) for key in old)
            delete_jobs(self.database, old)

    def _unused_id(self) -> str:
        taken = {*self.book.bodies(Kind.JOB), *self.book.bodies(Kind.ANSWER)}
        while (key := secrets.token_hex(ID_BYTES)) in taken:
            pass
        return key


def jobs_about(database: Database, exclusions: Exclusions) -> list[str]:
    """Return the ids of the jobs that speak of what is forgotten, or have read it."""
    paths: dict[str, set[str]] = {key: notes_of(body) for key, body in read_bodies(database, Kind.JOB).items()}
    for key, read in job_paths(database).items():
        paths.setdefault(key, set()).update(read)
    return [key for key, named in paths.items() if any(map(exclusions.covers, named))]


def _as_it_stands(kept: Job, row: JobRow | None, spent: Spent | None) -> Job:
    """Return a job with what its row says; what its record says of an end counts."""
    if kept.state.ended or row is None:
        return kept
    used = spent or NOTHING_SPENT
    return replace(
        kept,
        state=kept.state if row.state.ended else row.state,
        attempts=row.attempts,
        due=_moment(row.due) if row.due else "",
        stage=row.stage,
        units=used.units,
        tokens=used.tokens,
        seconds=used.seconds,
    )


def _differ(kept: Job, row: JobRow) -> bool:
    return row.state is not kept.state if kept.state.ended else row.state.ended


def _has_spent(job: Job) -> bool:
    """Tell whether nothing is left of what a job was granted: one that spent it may have been cancelled since."""
    minutes, tokens = job.order.budget.minutes * job.granted, job.order.budget.tokens * job.granted
    return job.state is JobState.SPENT or 0 < minutes * 60 <= job.seconds or 0 < tokens <= job.tokens


def _named(beginning: str) -> str:
    if not beginning.strip():
        raise UsageError("No job is named.", LIST)
    return beginning


def _moment(at: int) -> str:
    try:
        return datetime.fromtimestamp(at / MICROSECONDS, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # of a clock that was far off
        return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
