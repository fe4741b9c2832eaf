"""Calls of a model as units: asked once, handed over afterwards, below any person, stopped at a piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import (
    Generation,
    JobBudget,
    JobOrder,
    Message,
    Piece,
    Priority,
    Sampling,
)
from vaultrag.errors import StoreError
from vaultrag.jobs.recorded import RecordedModel
from vaultrag.jobs.runs import BudgetSpent, Interrupted, JobRun
from vaultrag.records.queue import JobQueue
from vaultrag.store.exclusions import exclude
from vaultrag.store.jobs.rows import LeaseLost, take
from vaultrag.store.opening import open_database

ASKED = (Message("system", "Answer."), Message("user", "Кто чинил бойлер?"))
ORDER = JobOrder("ask", "?", {"question": "?"}, JobBudget(minutes=1, tokens=1000))
SAID = "Бойлер чинил Давид."


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path, settings=Settings())
    with open_database(config.database_path) as database:
        made = JobQueue(config, database)
        made.submit(ORDER)
        yield made


def begun(queue: JobQueue, now: int = 0) -> JobRun:
    """Return the job in new hands, as after a kill."""
    lease = take(queue.database, "worker", now)
    assert lease is not None
    return JobRun(queue.job(), lease, queue.database, lambda: None)


def begun_again(queue: JobQueue) -> JobRun:
    return begun(queue, 10**12)


def said(pieces: Iterator[Piece]) -> tuple[str, Generation]:
    *texts, last = pieces
    assert isinstance(last, Generation)
    return "".join(text for text in texts if isinstance(text, str)), last


def test_what_a_model_said_is_handed_over_and_costs_once(queue: JobQueue) -> None:
    model = ScriptedModel([SAID, "Something else."])
    first = said(RecordedModel(model, begun(queue)).generate(ASKED, Sampling()))
    again = said(RecordedModel(model, begun_again(queue)).generate(ASKED, Sampling()))
    assert first == again
    assert first[0] == SAID
    assert len(model.prompts) == 1
    assert (queue.job().units, queue.job().tokens) == (1, first[1].prompt_tokens + first[1].completion_tokens)


def test_everything_that_goes_into_a_call_tells_it_from_others(queue: JobQueue) -> None:
    model, run = ScriptedModel([SAID]), begun(queue)
    recorded = RecordedModel(model, run)
    other = (*ASKED[:1], Message("user", "Кто чинил крышу?"))
    for messages, sampling in ((ASKED, Sampling()), (other, Sampling()), (ASKED, Sampling(max_tokens=2))):
        said(recorded.generate(messages, sampling))
    said(RecordedModel(ScriptedModel([SAID], name="another"), run).generate(ASKED, Sampling()))
    recorded.score(ASKED, ("Yes", "No"))
    recorded.score(ASKED, ("Да", "Нет"))
    assert queue.job().units == 6


def test_scores_are_handed_over_as_they_were(queue: JobQueue) -> None:
    model = ScriptedModel(["Yes", "No"])
    asked = [ASKED, (Message("user", "Who?"),)]
    first = RecordedModel(model, begun(queue)).score_each(asked, ("Yes", "No"))
    assert RecordedModel(model, begun_again(queue)).score_each(asked, ("Yes", "No")) == first
    assert [scores.best for scores in first] == ["Yes", "No"]
    assert len(model.prompts) == 2


def test_every_call_stands_behind_any_person(queue: JobQueue) -> None:
    model = ScriptedModel(["Yes"])
    recorded = RecordedModel(model, begun(queue))
    said(recorded.generate(ASKED, Sampling(priority=Priority.PERSON)))
    recorded.score(ASKED, ("Yes", "No"), Priority.PERSON)
    assert {sampling.priority for sampling in model.samplings} == {Priority.NIGHT}


def test_stopped_call_was_not_done_and_whoever_stops_waits_for_no_more_than_a_piece(queue: JobQueue) -> None:
    model, run = ScriptedModel([SAID]), begun(queue)
    pieces = RecordedModel(model, run).generate(ASKED, Sampling())
    next(pieces)
    run.stop()
    with pytest.raises(Interrupted):
        next(pieces)
    assert queue.job().units == 0
    with pytest.raises(Interrupted):
        RecordedModel(model, run).score(ASKED, ("Yes", "No"))
    said(RecordedModel(model, begun_again(queue)).generate(ASKED, Sampling()))
    assert len(model.prompts) == 2


def test_call_that_its_reader_left_because_it_repeats_itself_is_done(queue: JobQueue) -> None:
    model = ScriptedModel([SAID])
    pieces = RecordedModel(model, begun(queue)).generate(ASKED, Sampling())
    begin = next(pieces)
    pieces.close()
    text, last = said(RecordedModel(model, begun_again(queue)).generate(ASKED, Sampling()))
    assert (text, last.finish) == (begin, "aborted")
    assert len(model.prompts) == 1
    assert queue.job().tokens > 0


def test_call_under_a_lost_lease_is_no_unit(queue: JobQueue) -> None:
    lost = RecordedModel(ScriptedModel([SAID]), begun(queue))
    kept = RecordedModel(ScriptedModel(["Крышу."]), begun_again(queue))
    with pytest.raises(LeaseLost):
        said(lost.generate(ASKED, Sampling()))
    assert said(kept.generate(ASKED, Sampling()))[0] == "Крышу."


def test_notes_stand_in_the_index_before_a_model_reads_them(queue: JobQueue) -> None:
    run = begun(queue)
    run.reads(["Дом/Бойлер.md"])
    pieces = RecordedModel(ScriptedModel([SAID]), run).generate(ASKED, Sampling())
    next(pieces)
    assert queue.database.column("SELECT path FROM job_notes") == ["Дом/Бойлер.md"]
    pieces.close()


def test_note_that_is_forgotten_while_it_is_read_leaves_no_unit(queue: JobQueue) -> None:
    run = begun(queue)
    run.reads(["Личное/Тайна.md"])
    pieces = RecordedModel(ScriptedModel([SAID]), run).generate(ASKED, Sampling())
    next(pieces)
    exclude(queue.book, "Личное/")
    with pytest.raises(StoreError, match="forgotten"):
        list(pieces)
    assert queue.job().units == 0


def test_budget_counts_all_attempts_and_grows_when_it_is_granted_again(queue: JobQueue) -> None:
    run = begun(queue)
    run.done("a", tokens=400, seconds=50.0)
    assert run.tokens_left == 600
    later = begun_again(queue)
    assert 9 < later.seconds_left <= 10
    later.done("b", tokens=600)
    with pytest.raises(BudgetSpent):
        later.require_budget()
    granted = JobRun(replace(queue.job(), granted=2), later.lease, queue.database, lambda: None)
    granted.require_budget()
    assert granted.tokens_left == 1000


def test_value_of_the_machine_is_measured_once(queue: JobQueue) -> None:
    figures = iter([120.0, 80.0])
    assert begun(queue).value("speed", lambda: next(figures)) == 120.0
    assert begun_again(queue).value("speed", lambda: next(figures)) == 120.0


def test_unit_and_what_it_writes_are_there_both_or_neither(queue: JobQueue) -> None:
    run = begun(queue)

    def fail() -> None:
        queue.database.set_meta("claim", "half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run.done("unit", write=fail)
    assert (run.result("unit"), queue.database.meta("claim")) == (None, None)
    run.done("unit", "done", write=lambda: queue.database.set_meta("claim", "whole"))
    assert (run.result("unit"), queue.database.meta("claim")) == ("done", "whole")
