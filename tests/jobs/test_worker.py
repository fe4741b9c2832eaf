"""Who works at jobs: what fails is tried again and then put aside, and every word to stop is heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.waiting import wait_until
from vaultrag.config import Config, Settings
from vaultrag.domain import Job, JobBudget, JobOrder, JobState, unwatched
from vaultrag.errors import DiskFull, IndexLocked, ModelCrashed, ModelNotFound, UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs import worker as worker_module
from vaultrag.jobs.kinds import Work
from vaultrag.jobs.nightly import RANK
from vaultrag.jobs.retry import RetryPolicy
from vaultrag.jobs.runs import BudgetSpent, JobRun, Outcome
from vaultrag.jobs.worker import JobWorker, wall_clock
from vaultrag.records.queue import JobQueue
from vaultrag.store.exclusions import exclude
from vaultrag.store.jobs.rows import LEASE_SECONDS, MICROSECONDS, Ranks, take
from vaultrag.store.opening import open_database
from vaultrag.workspace import Ownership, Workspace

POLICY = RetryPolicy(attempts=3, first_seconds=10.0, factor=10.0, deaths=4)
COUNTED = JobOrder("count", "Сосчитать до трёх", {}, JobBudget(0, 0))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "Дом.md").write_text("Картридж поменяли в мае.\n", encoding="utf-8")
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path, settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, None, ScriptedModel(["…"])) as made:
        made.index(unwatched, DeletionPolicy.GUARD)
        yield made


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> int:
        return int(self.seconds * MICROSECONDS)


def worker_of(workspace: Workspace, work: Work, now: Callable[[], int] = wall_clock) -> JobWorker:
    return JobWorker(workspace, {"count": work}, POLICY, now)


def count(workspace: Workspace, run: JobRun) -> Outcome:
    """Count to three, a unit each."""
    for number in range(3):
        run.require_budget()
        if run.result(str(number)) is None:
            run.done(str(number), "counted", tokens=10)
    return Outcome("three", lambda: workspace.database.set_meta("counted", run.job.id))


def failing(error: Exception) -> Work:
    def work(_: Workspace, __: JobRun) -> Outcome:
        raise error

    return work


def held_at_gate(entered: threading.Event, gate: threading.Event) -> Work:
    """Return work that does one unit, says that it has, and waits at a gate, looking."""

    def work(_: Workspace, run: JobRun) -> Outcome:
        run.done("first")
        entered.set()
        while not gate.wait(0.01):
            run.look()
        return Outcome("through")

    return work


def is_busy(worker: JobWorker) -> bool:
    return worker.busy


def test_jobs_are_done_one_after_the_other_with_what_came_of_them(workspace: Workspace) -> None:
    worker = worker_of(workspace, count)
    first, second = (worker.queue.submit(COUNTED).id for _ in range(2))
    assert worker.work_at_next()
    assert [job.state for job in worker.queue.jobs()] == [JobState.DONE, JobState.QUEUED]
    assert is_busy(worker)
    worker.work_off(lambda: worker.queue.job(second).state.ended)
    assert not worker.work_at_next()
    assert not is_busy(worker)
    done = worker.queue.job(first)
    assert (done.result, done.units, done.tokens, done.failure) == ("three", 3, 30, None)
    assert workspace.database.meta("counted") == second


def test_failed_job_waits_longer_each_time_and_is_put_aside_with_its_reason(workspace: Workspace) -> None:
    clock = Clock()
    worker = worker_of(workspace, failing(ModelCrashed("The model ended.", "Ask again.")), clock)
    job = worker.queue.submit(COUNTED)
    for wait in (10.0, 100.0):
        assert worker.work_at_next()
        waiting = worker.queue.job(job.id)
        assert waiting.state is JobState.QUEUED
        assert waiting.failure is not None
        clock.seconds += wait - 1
        assert not worker.work_at_next()
        clock.seconds += 1
    assert worker.work_at_next()
    dead = worker.queue.job(job.id)
    assert dead.state is JobState.FAILED
    assert dead.failure is not None
    assert (dead.failure.error, dead.failure.message) == ("ModelCrashed", "The model ended.")
    assert not worker.work_at_next()
    assert worker.resume(job.id).state is JobState.QUEUED
    assert worker.work_at_next()


def test_clock_that_was_set_back_keeps_no_job_waiting_for_long(workspace: Workspace) -> None:
    clock = Clock()
    worker = worker_of(workspace, failing(ModelCrashed("The model ended.", "")), clock)
    worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    clock.seconds -= 365 * 24 * 3600
    assert worker.work_at_next()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelNotFound("The model is not here.", "Pull it."), "ModelNotFound"),
        (UsageError("No note meets it.", "Name another."), "UsageError"),
        (ZeroDivisionError("words of a note"), "VaultragError"),
    ],
)
def test_what_waiting_does_not_mend_is_put_aside_at_once(workspace: Workspace, error: Exception, kind: str) -> None:
    worker = worker_of(workspace, failing(error))
    worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    dead = worker.queue.job()
    assert dead.state is JobState.FAILED
    assert dead.failure is not None
    assert dead.failure.error == kind
    assert "words of a note" not in dead.failure.message


def test_job_of_a_kind_that_is_not_known_is_put_aside(workspace: Workspace) -> None:
    worker = JobWorker(workspace, {})
    worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    failure = worker.queue.job().failure
    assert failure is not None
    assert "count" in failure.message
    assert worker.queue.job().state is JobState.FAILED


def test_attempt_that_got_on_counts_as_the_first(workspace: Workspace) -> None:
    clock, left = Clock(), [5]

    def work(_: Workspace, run: JobRun) -> Outcome:
        left[0] -= 1
        if left[0]:
            run.done(f"{left[0]}")
            raise ModelCrashed("The model ended.", "")
        return Outcome()

    worker = worker_of(workspace, work, clock)
    worker.queue.submit(COUNTED)
    for _ in range(5):
        assert worker.work_at_next()
        clock.seconds += POLICY.first_seconds
    assert worker.queue.job().state is JobState.DONE


def test_job_under_which_its_process_always_ends_is_put_aside(workspace: Workspace) -> None:
    worker = worker_of(workspace, count)
    worker.queue.submit(COUNTED)
    for death in range(POLICY.deaths):
        assert take(workspace.database, f"gone {death}", death * int(LEASE_SECONDS) * MICROSECONDS)
    assert worker.work_at_next()
    failure = worker.queue.job().failure
    assert failure is not None
    assert "process ended" in failure.message


def test_spent_budget_keeps_what_was_done_and_resume_grants_it_anew(workspace: Workspace) -> None:
    worker = worker_of(workspace, count)
    job = worker.queue.submit(JobOrder("count", "…", {}, JobBudget(0, 20)))
    assert worker.work_at_next()
    assert (worker.queue.job(job.id).state, worker.queue.job(job.id).units) == (JobState.SPENT, 2)
    worker.resume(job.id)
    assert worker.work_at_next()
    assert (worker.queue.job(job.id).state, worker.queue.job(job.id).units) == (JobState.DONE, 3)


def test_work_that_says_its_budget_is_spent_is_believed(workspace: Workspace) -> None:
    worker = worker_of(workspace, failing(BudgetSpent()))
    worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    assert worker.queue.job().state is JobState.SPENT


def test_who_closes_has_the_job_given_back_as_if_it_had_not_been_begun(workspace: Workspace) -> None:
    entered, gate = threading.Event(), threading.Event()
    worker = worker_of(workspace, held_at_gate(entered, gate))
    worker.queue.submit(COUNTED)
    worker.start()
    assert entered.wait(30)
    worker.close()
    back = worker.queue.job()
    assert (back.state, back.attempts, back.units) == (JobState.QUEUED, 0, 1)


def test_model_that_is_ended_with_its_server_fails_no_job(workspace: Workspace) -> None:
    def work(_: Workspace, __: JobRun) -> Outcome:
        worker.close()
        raise ModelCrashed("The model was closed.", "")

    worker = worker_of(workspace, work)
    worker.queue.submit(COUNTED)
    worker.run()
    assert (worker.queue.job().state, worker.queue.job().failure) == (JobState.QUEUED, None)


def test_cancelled_job_stops_at_once_and_goes_on_where_it_was(workspace: Workspace) -> None:
    entered, gate = threading.Event(), threading.Event()
    worker = worker_of(workspace, held_at_gate(entered, gate))
    job = worker.queue.submit(COUNTED)
    worker.start()
    assert entered.wait(30)
    entered.clear()
    assert worker.cancel(job.id).state is JobState.CANCELLED
    other = worker.queue.submit(COUNTED)
    worker.wake()
    assert entered.wait(30), "the worker was free for the next one"
    gate.set()
    wait_until(lambda: worker.queue.job(other.id).state is JobState.DONE)
    assert worker.resume(job.id).units == 1
    wait_until(lambda: worker.queue.job(job.id).state is JobState.DONE)
    worker.close()


def test_cancelled_by_another_process_it_stops_with_the_next_sign_of_life(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "BEAT_SECONDS", 0.05)
    entered, stopped = threading.Event(), threading.Event()

    def work(_: Workspace, run: JobRun) -> Outcome:
        entered.set()
        wait_until(lambda: run.stopped)
        stopped.set()
        run.look()
        return Outcome()

    worker = worker_of(workspace, work)
    job = worker.queue.submit(COUNTED)
    worker.start()
    assert entered.wait(30)
    with open_database(workspace.config.database_path) as database:
        JobQueue(workspace.config, database).cancel(job.id)
    assert stopped.wait(30)
    worker.close()
    assert worker.queue.job().state is JobState.CANCELLED


def is_renewed(workspace: Workspace, now: int) -> bool:
    return int(workspace.database.value("SELECT until FROM jobs")) > now + MICROSECONDS


def test_signs_of_life_keep_a_long_job(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "BEAT_SECONDS", 0.02)
    clock = Clock()
    lost = []

    def work(_: Workspace, run: JobRun) -> Outcome:
        for _round in range(5):
            clock.seconds += LEASE_SECONDS - 1
            now = clock()
            wait_until(partial(is_renewed, workspace, now))
            lost.append(take(workspace.database, "another", now))
        return Outcome("done")

    worker = worker_of(workspace, work, clock)
    worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    assert lost == [None] * 5
    assert worker.queue.job().state is JobState.DONE


def test_clock_that_jumps_ahead_gives_the_job_away_and_only_one_of_both_ends_it(workspace: Workspace) -> None:
    clock, ends = Clock(), []

    def work(_: Workspace, run: JobRun) -> Outcome:
        ends.append(run.lease.holder)
        if len(ends) == 1:
            clock.seconds += 24 * 3600
            assert worker_of(workspace, work, clock).work_at_next(), "another one took it"
        return Outcome(run.lease.holder, lambda: ends.append(f"written by {run.lease.holder}"))

    worker = worker_of(workspace, work, clock)
    worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    first, second, *written = ends
    assert written == [f"written by {second}"]
    assert worker.queue.job().result == second != first


def test_owner_takes_up_what_the_dead_held_without_waiting_for_their_lease(workspace: Workspace) -> None:
    worker = worker_of(workspace, count)
    job = worker.queue.submit(COUNTED)
    assert take(workspace.database, "gone", wall_clock())
    worker.work_off(lambda: worker.queue.job(job.id).state.ended)
    assert worker.queue.job(job.id).state is JobState.DONE


@pytest.mark.parametrize("error", [DiskFull("No space.", "Free some."), IndexLocked("Another writes.", "Wait.")])
def test_end_that_cannot_be_written_is_settled_later(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The disk is full, or the index locked, at the very end: nothing is lost, and what was done is not done again."""
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.0)
    clock, counted = Clock(), []

    def fail() -> None:
        raise error

    def work(workspace: Workspace, run: JobRun) -> Outcome:
        counted.append(run.job.units)
        outcome = count(workspace, run)
        return outcome if len(counted) > 1 else Outcome("three", fail)

    worker = worker_of(workspace, work, clock)
    job = worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    assert worker.queue.job(job.id).state is JobState.QUEUED
    clock.seconds += 10
    assert worker.work_at_next()
    assert (worker.queue.job(job.id).state, counted) == (JobState.DONE, [0, 3])


def test_trouble_of_the_queue_is_told_while_it_lasts(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = worker_of(workspace, count)
    worker.queue.submit(COUNTED)
    failing_takes = [DiskFull("No space.", "Free some.")]

    def taking(*arguments: object) -> object:
        if failing_takes:
            told.append(workspace.health.attention())
            raise failing_takes.pop()
        told.append(workspace.health.attention())
        return take(*arguments)  # type: ignore[arg-type]

    told: list[object] = []
    monkeypatch.setattr(worker_module, "take", taking)
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.01)
    with closing(worker):
        worker.start()
        wait_until(lambda: worker.queue.job().state is JobState.DONE)
        wait_until(lambda: workspace.health.attention() is None)
    assert getattr(told[1], "kind", "") == "DiskFull"


def test_job_whose_note_is_forgotten_stops_and_leaves_nothing(workspace: Workspace) -> None:
    entered, gate = threading.Event(), threading.Event()

    def work(inner: Workspace, run: JobRun) -> Outcome:
        run.reads(["Дом.md"])
        return held_at_gate(entered, gate)(inner, run)

    worker = worker_of(workspace, work)
    worker.queue.submit(COUNTED)
    worker.start()
    assert entered.wait(30)
    workspace.forgetting.forget("Дом.md", unwatched)
    gate.set()
    worker.close()
    assert worker.queue.jobs() == []


def test_note_that_is_forgotten_before_it_is_read_fails_one_attempt(workspace: Workspace) -> None:
    clock, tries = Clock(), []

    def work(_: Workspace, run: JobRun) -> Outcome:
        tries.append(1)
        if len(tries) == 1:
            run.reads(["Дом.md"])
            exclude(workspace.archive.book, "Дом.md")
        return Outcome("read")

    worker = worker_of(workspace, work, clock)
    worker.queue.submit(COUNTED)
    assert worker.work_at_next()
    clock.seconds += 10
    assert worker.work_at_next()
    assert (worker.queue.job().state, worker.queue.job().order.paths) == (JobState.DONE, ())


def test_job_is_followed_from_its_beginning_to_its_end(workspace: Workspace) -> None:
    gate = threading.Event()

    def work(_: Workspace, run: JobRun) -> Outcome:
        for name in ("plan", "draft"):
            run.stage(name)
            assert gate.wait(30)
            gate.clear()
        return Outcome("done")

    worker = worker_of(workspace, work)
    job = worker.queue.submit(COUNTED)
    worker.start()
    seen: list[Job] = []
    for news in worker.follow(job.id, seconds=0.02):
        if news is not None:
            seen.append(news)
            if news.stage:
                gate.set()
    worker.close()
    assert [one.stage for one in seen if one.stage] == ["plan", "draft"]
    assert seen[-1].state is JobState.DONE


def test_follower_of_a_job_that_is_not_there_is_told(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="No job"):
        next(worker_of(workspace, count).follow("zz"))


def test_job_that_somebody_awaits_does_not_wait_for_a_night(workspace: Workspace) -> None:
    entered, gate = threading.Event(), threading.Event()
    night = JobWorker(workspace, {"night": held_at_gate(entered, gate), "count": count}, POLICY)
    beside = JobWorker(workspace, {"count": count}, POLICY, ranks=Ranks(before=RANK))
    long = night.queue.submit(JobOrder("night", "night", {}, JobBudget(0, 0), RANK))
    waiting = night.queue.submit(COUNTED)
    with closing(night), closing(beside):
        night.start()
        assert entered.wait(10)
        awaited = night.submit(JobOrder("count", "Сосчитать сейчас", {}, JobBudget(0, 0), RANK - 1))
        beside.start()
        wait_until(lambda: night.queue.job(awaited.id).state is JobState.DONE)
        assert night.queue.job(long.id).state is JobState.RUNNING, "it was taken from nobody"
        assert night.queue.job(waiting.id).state is JobState.QUEUED
        gate.set()
        wait_until(lambda: night.queue.job(waiting.id).state is JobState.DONE)
        assert night.queue.job(long.id).state is JobState.DONE
