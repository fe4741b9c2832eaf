"""Who works at the jobs of an index: its owner, one job after the other, until it is told to stop.

A job is held under a lease with a sign of life every few seconds. Killed anywhere, the next owner takes it up; told to
stop, it is given back. What failed is tried again by the policy, and in the end put aside with its reason.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping

from vaultrag.domain import Job, JobFailure, JobOrder, JobState
from vaultrag.errors import StoreError, UsageError, VaultragError
from vaultrag.jobs.kinds import KINDS, Work
from vaultrag.jobs.retry import RETRIES, RetryPolicy, backoff, is_retryable
from vaultrag.jobs.runs import BudgetSpent, Interrupted, JobRun
from vaultrag.records.queue import JobQueue
from vaultrag.store.jobs.rows import (
    ALL_RANKS,
    MICROSECONDS,
    JobLease,
    LeaseLost,
    Ranks,
    free_all,
    job_counts,
    put_back,
    read_row,
    renew,
    take,
)
from vaultrag.workspace import Workspace

WORK = "jobs"  # the name of this work among what can fail in the background
BEAT_SECONDS = 5.0  # a sixth of a lease
LOOK_SECONDS = 2.0  # between looks for jobs that another process submitted
LEAVE_SECONDS = 5.0  # a model stops at its next word; what takes longer ends with the process
ENDED_EACH_TIME = "Its process ended each time that it was worked at, and it never got any further."

log = logging.getLogger("vaultrag.jobs")


def wall_clock() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000


class JobWorker:
    """Works at the jobs of an open workspace that owns its index, from `run` until `close`."""

    def __init__(
        self,
        workspace: Workspace,
        kinds: Mapping[str, Work] = KINDS,
        policy: RetryPolicy = RETRIES,
        now: Callable[[], int] = wall_clock,
        ranks: Ranks = ALL_RANKS,
    ) -> None:
        """Work at the jobs of some ranks. Who works at all of them is the first to, and frees what the dead held."""
        self.queue = JobQueue(workspace.config, workspace.database)
        self._workspace = workspace
        self._kinds = kinds
        self._policy = policy
        self._now = now
        self._ranks = ranks
        self._holder = secrets.token_hex(8)
        self._closed = threading.Event()
        self._changed = threading.Condition()
        self._version = 0
        self._current: JobRun | None = None
        self._thread: threading.Thread | None = None
        self.busy = False

    def start(self) -> None:
        """Work in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="jobs", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Work at jobs in this thread until `close`."""
        self._begin()
        while not self._closed.is_set():
            seen = self._version
            if not self._tried(self.work_at_next):
                self._wait(seen, LOOK_SECONDS)

    def work_off(self, until: Callable[[], bool]) -> None:
        """Work at jobs in this thread until `until` says so; what waits for its next attempt is waited for."""
        self._begin()
        while not self._closed.is_set() and not until():
            seen = self._version
            if not self.work_at_next():
                self._wait(seen, LOOK_SECONDS)

    def work_at_next(self) -> bool:
        """Work at the next job that is due; return whether there was one. Raises StoreError."""
        lease = take(self.queue.database, self._holder, self._now(), self._ranks)
        if lease is None:
            self.busy = job_counts(self.queue.database).to_do > 0
            return False
        self.busy = True
        self._work(lease)
        return True

    def close(self) -> None:
        """End working, from any thread: the job that is worked at stops at its next look, and is given back."""
        self._closed.set()
        if (run := self._current) is not None:
            run.stop()
        self.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(LEAVE_SECONDS)

    def wake(self) -> None:
        """Have the queue looked at now, and everybody who follows a job."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def submit(self, order: JobOrder) -> Job:
        """Put a job at the end of the queue. Raises StoreError."""
        job = self.queue.submit(order)
        self.busy = True
        self.wake()
        return job

    def cancel(self, beginning: str) -> Job:
        """Cancel a job, and stop working at it at once. Raises UsageError."""
        job = self.queue.cancel(beginning)
        if (run := self._current) is not None and run.job.id == job.id:
            run.stop()
        self.wake()
        return job

    def resume(self, beginning: str) -> Job:
        """Have a job go on. Raises UsageError."""
        job = self.queue.resume(beginning)
        self.busy = True
        self.wake()
        return job

    def follow(self, beginning: str, seconds: float = LOOK_SECONDS) -> Generator[Job | None, None, None]:
        """Yield a job each time it got on, until it has ended; None where it did not for so many seconds."""
        shown: Job | None = None
        key = self.queue.job(beginning).id
        while not self._closed.is_set():
            seen, job = self._version, self.queue.job(key)
            yield job if job != shown else None
            shown = job
            if job.state.ended:
                return
            self._wait(seen, seconds)

    def _begin(self) -> None:
        """The owner's lock is ours: whoever held a job before is gone."""
        if self._ranks == ALL_RANKS:
            self._tried(self._free)

    def _free(self) -> bool:
        free_all(self.queue.database)
        return True

    def _wait(self, seen: int, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen or self._closed.is_set(), seconds)

    def _tried(self, act: Callable[[], bool]) -> bool:
        """Do something; a full disk or a locked index is met again later."""
        try:
            done = act()
        except StoreError as error:
            log.warning("the queue met %s", error.kind)
            self._workspace.health.note_trouble(WORK, error)
            return False
        self._workspace.health.end_trouble(WORK)
        return done

    def _work(self, lease: JobLease) -> None:
        """Work at a job, and settle how it ended. What cannot be written is settled by whoever takes it next."""
        try:
            with contextlib.suppress(LeaseLost):
                self._settle(lease)
        except StoreError as error:
            log.warning("the end of a job met %s", error.kind)
            self._workspace.health.note_trouble(WORK, error)
            self._closed.wait(LOOK_SECONDS)
        finally:
            self._current = None
            self.wake()

    def _settle(self, lease: JobLease) -> None:
        try:
            self._do(lease)
        except Interrupted:
            put_back(self.queue.database, lease)
        except BudgetSpent:
            self.queue.finish(lease, JobState.SPENT)
        except LeaseLost:
            log.info("job %s is in other hands", lease.job)
        except VaultragError as error:
            self._note_failure(lease, JobFailure(error.kind, error.message, error.remedy), is_retryable(error))
        except Exception as error:  # noqa: BLE001  # the outermost loop of a job; the message could hold note text
            self._note_failure(lease, _unknown(error), retryable=False)

    def _do(self, lease: JobLease) -> None:
        job = self.queue.job(lease.job)
        if lease.attempts > self._policy.deaths:
            self.queue.finish(lease, JobState.FAILED, failure=JobFailure("JobFailed", ENDED_EACH_TIME, ""))
            return
        work = self._kinds.get(job.order.kind)
        if work is None:
            raise UsageError(f"This version knows no jobs of the kind `{job.order.kind}`.", "Update VaultRAG.")
        run = self._current = JobRun(job, lease, self.queue.database, self.wake)
        if self._closed.is_set():
            raise Interrupted
        log.info("job %s (%s) begins", job.id, job.order.kind)
        with self._beating(run):
            outcome = work(self._workspace, run)
            run.keep_paths()
            self.queue.finish(lease, JobState.DONE, result=outcome.result, write=outcome.write)
        log.info("job %s is done", job.id)

    def _note_failure(self, lease: JobLease, failure: JobFailure, retryable: bool) -> None:
        if self._closed.is_set():  # its models were ended under it
            put_back(self.queue.database, lease)
            return
        row = read_row(self.queue.database, lease.job)
        seconds = backoff(self._policy, max(1, row.attempts)) if row and retryable else None
        log.warning("job %s met %s, %s", lease.job, failure.error, "for good" if seconds is None else "again later")
        if seconds is None:
            self.queue.finish(lease, JobState.FAILED, failure=failure)
        else:
            self.queue.put_off(lease, failure, self._now() + int(seconds * MICROSECONDS))

    @contextlib.contextmanager
    def _beating(self, run: JobRun) -> Iterator[None]:
        """Give signs of life meanwhile; where the job is in other hands, it is stopped."""
        over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(run, over), name="job's signs of life", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _beat(self, run: JobRun, over: threading.Event) -> None:
        while not over.wait(BEAT_SECONDS):
            try:
                renew(self.queue.database, run.lease, self._now())
            except LeaseLost:
                run.stop()
                return
            except StoreError as error:  # the lease lasts for some more of them
                log.warning("a sign of life met %s", error.kind)


def _unknown(error: Exception) -> JobFailure:
    return JobFailure(
        "VaultragError",
        f"The job met an error that it does not know: {type(error).__name__}.",
        "Please report it; `vaultrag jobs resume` tries again.",
    )
