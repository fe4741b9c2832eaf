"""Jobs as the user sees them: nothing that was asked for is lost, and every state takes cancel and resume."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash_runner import DIED, MortalDatabase
from vaultrag.config import Config, Settings
from vaultrag.domain import Job, JobBudget, JobFailure, JobOrder, JobState, unwatched
from vaultrag.errors import StoreError, UsageError
from vaultrag.maintenance.repair import mend_file
from vaultrag.records import queue as queue_module
from vaultrag.records.archive import Archive
from vaultrag.records.export import export_records, import_records
from vaultrag.records.queue import JobQueue, jobs_about
from vaultrag.records.stored import is_sound
from vaultrag.records.stored_jobs import job_body
from vaultrag.store.database import Access, Database
from vaultrag.store.exclusions import Exclusions, exclude
from vaultrag.store.integrity.check_records import check_records
from vaultrag.store.jobs.notes import job_paths
from vaultrag.store.jobs.rows import MICROSECONDS, JobLease, LeaseLost, read_rows, take
from vaultrag.store.jobs.units import JobUnit, add_unit, unit_result
from vaultrag.store.journal import Entry, as_body
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind

NOW = 1_800_000_000 * MICROSECONDS
QUESTION = "Кто чинил бойлер, и what did it cost?"
ORDER = JobOrder("ask", QUESTION, {"question": QUESTION}, JobBudget(30, 5000))
BOILER = "Дом/Бойлер.md"
FAILURE = JobFailure("ModelCrashed", "The model ended.", "Ask again.")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "vault").mkdir()
    return Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path, settings=Settings())


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_database(config.database_path) as opened:
        yield opened


@pytest.fixture
def queue(config: Config, database: Database) -> JobQueue:
    return JobQueue(config, database)


def held(queue: JobQueue) -> JobLease:
    lease = take(queue.database, "worker", NOW)
    assert lease is not None
    return lease


def brought_to(queue: JobQueue, state: JobState) -> Job:
    """Return a job in this state, with one unit done where it was ever begun."""
    job = queue.submit(ORDER)
    if state is JobState.QUEUED:
        return job
    lease = held(queue)
    add_unit(queue.database, lease, JobUnit("draft", "words", 40, 1.5), [BOILER])
    if state is JobState.CANCELLED:
        queue.cancel(job.id)
    elif state is not JobState.RUNNING:
        queue.finish(lease, state, failure=FAILURE if state is JobState.FAILED else None)
    return queue.job(job.id)


def test_job_is_read_as_it_was_asked_for_and_as_it_goes(queue: JobQueue) -> None:
    job = queue.submit(replace(ORDER, paths=(BOILER,)))
    assert (job.state, job.order.about, job.order.budget) == (JobState.QUEUED, QUESTION, JobBudget(30, 5000))
    lease = held(queue)
    add_unit(queue.database, lease, JobUnit("draft", "words", 40, 1.5), ["Servers/mayak.md"])
    going = queue.job(job.id[:4])
    assert (going.state, going.units, going.tokens, going.seconds) == (JobState.RUNNING, 1, 40, 1.5)
    queue.finish(lease, JobState.DONE, result="answer")
    done = queue.job()
    assert (done.state, done.result, done.units, done.tokens) == (JobState.DONE, "answer", 1, 40)
    assert done.order.paths == ("Servers/mayak.md", BOILER)
    assert done.ended_at
    assert unit_result(queue.database, job.id, "draft") is None


def test_jobs_stand_in_the_order_they_came_whatever_the_clock_said(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = queue.submit(ORDER)
    monkeypatch.setattr(queue_module, "_now", lambda: "1999-01-01T00:00:00.000+00:00")
    second = queue.submit(ORDER)
    assert [job.id for job in queue.jobs()] == [first.id, second.id]
    assert held(queue).job == first.id


@pytest.mark.parametrize("beginning", ["zz", "", "  "])
def test_job_that_is_not_there_is_a_clear_error(queue: JobQueue, beginning: str) -> None:
    for use in (queue.job, queue.cancel, queue.resume):
        with pytest.raises(UsageError, match="job"):
            use(beginning)


def test_beginning_that_several_ids_have_names_none(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["aa01", "aa02"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(drawn))
    queue.submit(ORDER)
    queue.submit(ORDER)
    with pytest.raises(UsageError, match="Several jobs"):
        queue.cancel("aa")


CANCELS = {state: JobState.CANCELLED for state in JobState if state is not JobState.DONE}
RESUMES = dict.fromkeys(CANCELS, JobState.QUEUED) | {JobState.RUNNING: JobState.RUNNING}


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_is_cancelled_or_says_why_not(queue: JobQueue, state: JobState) -> None:
    job = brought_to(queue, state)
    if state not in CANCELS:
        with pytest.raises(UsageError, match="is done"):
            queue.cancel(job.id)
        return
    assert queue.cancel(job.id).state is JobState.CANCELLED
    assert queue.cancel(job.id) == queue.job(job.id)
    assert take(queue.database, "worker", NOW) is None


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_is_resumed_or_says_why_not(queue: JobQueue, state: JobState) -> None:
    job = brought_to(queue, state)
    if state not in RESUMES:
        with pytest.raises(UsageError, match="is done"):
            queue.resume(job.id)
        return
    resumed = queue.resume(job.id)
    assert resumed.state is RESUMES[state]
    assert (resumed.failure, resumed.ended_at) == (None, "")
    assert resumed.granted == (2 if state is JobState.SPENT else 1)
    assert resumed.units == (0 if state is JobState.QUEUED else 1), "what was done is not done again"


def test_cancelled_job_is_lost_to_who_works_at_it(queue: JobQueue) -> None:
    job = queue.submit(ORDER)
    lease = held(queue)
    queue.cancel(job.id)
    with pytest.raises(LeaseLost):
        queue.finish(lease, JobState.DONE)
    assert queue.job().state is JobState.CANCELLED


def test_failed_attempt_waits_with_its_reason_and_resume_ends_the_wait(queue: JobQueue) -> None:
    job = queue.submit(ORDER)
    queue.put_off(held(queue), FAILURE, NOW + 3600 * MICROSECONDS)
    waiting = queue.job(job.id)
    assert (waiting.state, waiting.attempts, waiting.failure) == (JobState.QUEUED, 1, FAILURE)
    assert waiting.due.startswith("2027-01-15T09:00")
    assert take(queue.database, "worker", NOW) is None
    assert queue.resume(job.id).due == ""
    assert held(queue).job == job.id


def test_end_of_a_job_and_what_came_of_it_are_one_transaction(queue: JobQueue) -> None:
    queue.submit(ORDER)
    lease = held(queue)

    def write_and_fail() -> None:
        queue.database.set_meta("result", "half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        queue.finish(lease, JobState.DONE, write=write_and_fail)
    assert queue.database.meta("result") is None
    assert queue.job().state is JobState.RUNNING


def test_journal_alone_brings_jobs_back_and_begins_none_again_that_ended(config: Config) -> None:
    with open_database(config.database_path) as database:
        queue = JobQueue(config, database)
        ended = queue.submit(ORDER)
        queue.finish(held(queue), JobState.DONE, result="answer")
        going, waiting = queue.submit(ORDER), queue.submit(ORDER)
        assert held(queue).job == going.id
    for file in config.home.glob("index.sqlite3*"):
        file.unlink()
    with open_database(config.database_path) as database:
        queue = JobQueue(config, database)
        queue.book.catch_up()
        assert queue.adopt() == 3
        assert [(job.id, job.state) for job in queue.jobs()] == [
            (ended.id, JobState.DONE),
            (going.id, JobState.QUEUED),
            (waiting.id, JobState.QUEUED),
        ]
        assert queue.job(ended.id).result == "answer"
        assert queue.adopt() == 0


def test_row_without_a_record_goes_and_what_only_the_record_knows_counts_but_for_done(queue: JobQueue) -> None:
    """What came of a job was written with its row: without that it would be lost."""
    jobs = [queue.submit(ORDER) for _ in range(3)]
    queue.database.run("DELETE FROM records WHERE key = ?", (jobs[0].id,))
    for job, state in zip(jobs[1:], (JobState.CANCELLED, JobState.DONE), strict=True):
        ended = replace(job, state=state, ended_at="2027-01-01T00:00:00+00:00", result="r")
        queue.book.put(Kind.JOB, job.id, job_body(ended))
    assert queue.adopt() == 3
    assert [row.state for row in read_rows(queue.database).values()] == [JobState.CANCELLED, JobState.QUEUED]
    assert (queue.job().state, queue.job().result, queue.job().ended_at) == (JobState.QUEUED, "", "")
    assert queue.adopt() == 0


def end_and_die(config: Config, lease: JobLease, number: int) -> bool:
    """End a job in a process that dies before its n-th write; return whether it did."""
    child = os.fork()
    if not child:
        mortal = MortalDatabase(config.database_path, Access.WRITE)
        mortal.writes_left = number
        queue = JobQueue(config, mortal)
        queue.finish(
            lease, JobState.DONE, result="r", write=lambda: mortal.set_meta(f"came of {lease.job}", "something")
        )
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED


@pytest.mark.slow
def test_killed_between_any_two_writes_an_end_is_whole(config: Config, database: Database) -> None:
    queue = JobQueue(config, database)
    seen = set()
    for number in range(1, 60):
        job = queue.submit(ORDER)
        died = end_and_die(config, held(queue), number)
        queue.book.catch_up()
        queue.adopt()
        state = queue.job(job.id).state
        assert read_rows(database)[job.id].state is state
        assert (state is JobState.DONE) == (database.meta(f"came of {job.id}") is not None)
        seen.add((died, state.ended))
        if not died:
            break
        queue.cancel(job.id)
    assert seen == {(True, False), (False, True)}


def test_repair_keeps_jobs_of_a_file_that_is_lost(config: Config) -> None:
    with open_database(config.database_path) as database:
        job = JobQueue(config, database).submit(ORDER)
    content = config.database_path.read_bytes()
    config.database_path.write_bytes(b"\0" * len(content))
    assert any("index" in said for said in mend_file(config, unwatched))
    with open_database(config.database_path) as database:
        queue = JobQueue(config, database)
        queue.adopt()
        assert queue.job(job.id).order == ORDER
        assert list(check_records(queue.book)) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE jobs SET due = 'soon'",
        "UPDATE job_units SET result = 'other words'",
        "UPDATE job_units SET tokens = 1",
    ],
)
def test_damaged_row_is_told_and_mended_and_the_job_stays(config: Config, damage: str) -> None:
    with open_database(config.database_path) as database:
        queue = JobQueue(config, database)
        job = queue.submit(ORDER)
        lease = held(queue)
        add_unit(database, lease, JobUnit("draft", "words", 40, 1.5))
        assert list(check_records(queue.book)) == []
        database.run(damage)
        (finding,) = check_records(queue.book)
        assert (finding.invariant, finding.severity) == ("jobs", "error")
    assert any("job" in said for said in mend_file(config, unwatched))
    with open_database(config.database_path) as database:
        queue = JobQueue(config, database)
        queue.adopt()
        assert list(check_records(queue.book)) == []
        assert queue.job(job.id).order == ORDER
        assert unit_result(database, job.id, "draft") is None


def test_exported_jobs_go_on_in_another_home_once(config: Config, queue: JobQueue, tmp_path: Path) -> None:
    done = queue.submit(ORDER)
    queue.finish(held(queue), JobState.DONE, result="answer")
    open_one = queue.submit(ORDER)
    file = tmp_path / "out.jsonl.gz"
    assert export_records(config, queue.database, file).jobs == 2
    there = config.model_copy(update={"home": tmp_path / "elsewhere"})
    assert import_records(there, file).added == 2
    assert import_records(there, file).known == 2
    with open_database(there.database_path) as database:
        elsewhere = JobQueue(there, database)
        assert [(job.id, job.state) for job in elsewhere.jobs()] == [
            (done.id, JobState.DONE),
            (open_one.id, JobState.QUEUED),
        ]
        assert held(elsewhere).job == open_one.id
        assert take(database, "worker", NOW) is None


def test_body_of_a_stranger_is_no_job(queue: JobQueue) -> None:
    body = job_body(queue.submit(ORDER))
    assert is_sound(Entry(Kind.JOB, "a", 1, as_body(body)))
    changes: tuple[dict[str, object], ...] = (
        {"state": "running"},
        {"at": "yesterday"},
        {"paths": "a.md"},
        {"request": []},
        {"granted": 0},
    )
    for wrong in changes:
        assert not is_sound(Entry(Kind.JOB, "a", 1, as_body({**body, **wrong})))


@pytest.mark.parametrize("change", [{"form": 99}, {"minutes": "many"}])
def test_job_of_another_version_holds_up_no_other_and_can_be_cancelled(
    queue: JobQueue, change: dict[str, object]
) -> None:
    strange, other = queue.submit(ORDER), queue.submit(ORDER)
    queue.book.put(Kind.JOB, strange.id, {**job_body(strange), **change})
    queue.adopt()
    assert [job.state for job in queue.jobs()] == [JobState.FAILED, JobState.QUEUED]
    failure = queue.job(strange.id).failure
    assert failure is not None
    assert "Update VaultRAG" in failure.remedy
    assert held(queue).job == other.id
    assert queue.cancel(strange.id).state is JobState.CANCELLED


def test_job_follows_its_note(config: Config, queue: JobQueue) -> None:
    job = queue.submit(replace(ORDER, kind="analyse", request={"note": BOILER}, paths=(BOILER,)))
    queue.database.run("INSERT INTO moves (old_path, new_path) VALUES (?, ?)", (BOILER, "Архив/Бойлер.md"))
    assert Archive(config, queue.database).follow_moves() == 1
    moved = queue.job(job.id).order
    assert (moved.request["note"], moved.paths) == ("Архив/Бойлер.md", ("Архив/Бойлер.md",))


def test_jobs_that_read_a_forgotten_note_are_found_and_go(queue: JobQueue) -> None:
    named = queue.submit(replace(ORDER, rank=5, paths=("Личное/Тайна.md",)))
    reading, other = queue.submit(ORDER), queue.submit(replace(ORDER, rank=5))
    lease = held(queue)
    add_unit(queue.database, lease, JobUnit("draft", "words"), ["Личное/Дневник.md"])
    secret = Exclusions.of("Личное/")
    assert set(jobs_about(queue.database, secret)) == {named.id, reading.id}
    queue.erase(secret)
    assert [job.id for job in queue.jobs()] == [other.id]
    assert job_paths(queue.database) == {}
    with pytest.raises(LeaseLost):
        queue.finish(lease, JobState.DONE)


def test_nothing_is_asked_of_a_forgotten_note(queue: JobQueue) -> None:
    exclude(queue.book, "Личное/")
    with pytest.raises(StoreError, match="forgotten"):
        queue.submit(replace(ORDER, paths=("Личное/Тайна.md",)))
    assert queue.jobs() == []


def test_oldest_of_many_that_have_ended_go(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "KEPT", 3)
    monkeypatch.setattr(queue_module, "AT_ONCE", 2)
    waiting = queue.submit(replace(ORDER, rank=9))
    jobs = []
    for _ in range(6):
        jobs.append(queue.submit(ORDER).id)
        queue.cancel(jobs[-1])
    assert [job.id for job in queue.jobs()] == [waiting.id, *jobs[-4:]]
