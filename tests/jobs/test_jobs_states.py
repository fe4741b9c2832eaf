"""`cancel` and `resume` at every state of a job: what they make of it, and that it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vaultrag.config import Config, Settings
from vaultrag.domain import Job, JobBudget, JobOrder, JobState
from vaultrag.errors import ModelCrashed, UsageError
from vaultrag.jobs.runs import JobRun, Outcome
from vaultrag.jobs.worker import JobWorker
from vaultrag.records.queue import JobQueue
from vaultrag.store.jobs.rows import take
from vaultrag.workspace import Ownership, Workspace

ORDER = JobOrder("count", "Считай", {}, JobBudget(10, 100))
UNITS = ("a", "b")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path, settings=Settings())
    config.vault.mkdir()
    with Workspace.with_models(config, Ownership.OWN, None, None) as made:
        yield made


class Counting:
    """A job of two units that cost 100 tokens in all; between them it meets what it is told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.meets: Exception | None = None

    def __call__(self, workspace: Workspace, run: JobRun) -> Outcome:
        for unit in UNITS:
            if run.result(unit) is None:
                run.require_budget()
                self.done.append(unit)
                run.done(unit, tokens=50)
            if self.meets is not None:
                raise self.meets
        return Outcome("counted")


def as_queued(worker: JobWorker, work: Counting) -> None:
    worker.queue.submit(ORDER)


def as_running(worker: JobWorker, work: Counting) -> None:
    worker.queue.submit(ORDER)
    assert take(worker.queue.database, "somebody", 1) is not None


def as_waiting(worker: JobWorker, work: Counting) -> None:
    worker.queue.submit(ORDER)
    work.meets = ModelCrashed("It ended.", "Again.")
    worker.work_at_next()
    assert worker.queue.job().due


def as_failed(worker: JobWorker, work: Counting) -> None:
    worker.queue.submit(ORDER)
    work.meets = UsageError("It cannot be.", "Ask otherwise.")
    worker.work_at_next()


def as_cancelled(worker: JobWorker, work: Counting) -> None:
    as_waiting(worker, work)
    worker.queue.cancel(worker.queue.job().id)


def as_spent(worker: JobWorker, work: Counting) -> None:
    worker.queue.submit(JobOrder("count", "Считай", {}, JobBudget(0, 50)))
    worker.work_at_next()


def as_spent_and_cancelled(worker: JobWorker, work: Counting) -> None:
    as_spent(worker, work)
    worker.queue.cancel(worker.queue.job().id)


def as_done(worker: JobWorker, work: Counting) -> None:
    worker.queue.submit(ORDER)
    worker.work_at_next()


Make = Callable[[JobWorker, Counting], None]
CANCELLED, QUEUED, RUNNING, DONE = JobState.CANCELLED, JobState.QUEUED, JobState.RUNNING, JobState.DONE
TABLE: list[tuple[Make, JobState, JobState, JobState]] = [
    (as_queued, QUEUED, CANCELLED, QUEUED),
    (as_running, RUNNING, CANCELLED, RUNNING),
    (as_waiting, QUEUED, CANCELLED, QUEUED),
    (as_failed, JobState.FAILED, CANCELLED, QUEUED),
    (as_cancelled, CANCELLED, CANCELLED, QUEUED),
    (as_spent, JobState.SPENT, CANCELLED, QUEUED),
    (as_spent_and_cancelled, CANCELLED, CANCELLED, QUEUED),
    (as_done, DONE, DONE, DONE),
]
"""How a job comes to a state, which it is, and what `cancel` and `resume` make of it; of one that is done, nothing."""


@pytest.mark.parametrize(("make", "state", "cancelled", "resumed"), TABLE)
@pytest.mark.parametrize("twice", [False, True])
def test_cancel_and_resume_at_every_state(
    workspace: Workspace, make: Make, state: JobState, cancelled: JobState, resumed: JobState, twice: bool
) -> None:
    work = Counting()
    worker = JobWorker(workspace, {"count": work})
    make(worker, work)
    job = worker.queue.job()
    assert job.state is state
    if twice:
        assert changed(worker.queue.cancel, job, cancelled) is cancelled
        assert changed(worker.queue.cancel, job, cancelled) is cancelled
        resumed = QUEUED if cancelled is CANCELLED else resumed
    assert changed(worker.queue.resume, job, resumed) is resumed
    assert changed(worker.queue.resume, job, resumed) is resumed
    work.meets = None
    worker.work_off(lambda: worker.queue.job(job.id).state.ended)
    ended = worker.queue.job(job.id)
    assert (ended.state, ended.failure) == (DONE, None)
    assert ended.result == "counted"
    assert work.done == list(UNITS), "each unit is done once"
    assert JobQueue(workspace.config, workspace.database).job(job.id) == ended


def changed(change: Callable[[str], Job], job: Job, expected: JobState) -> JobState:
    """Return the state that a job is in afterwards; one that is done is refused in one sentence."""
    if expected is DONE:
        with pytest.raises(UsageError, match="is done"):
            change(job.id)
        return DONE
    after = change(job.id)
    assert not after.due
    return after.state
