"""Questions left for later: asked of the day and the chat as they were, within a budget, in every longer way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.answering.longer.jury import EARLY, LATE, Juror, opened
from tests.jobs.later_vault import DEEP, DOLGO, LONG, submit, vault_opened, what_came_of_it, worked_off
from vaultrag.domain import (
    AnswerStatus,
    AnswerStyle,
    Job,
    JobBudget,
    JobOrder,
    JobState,
    Keep,
    Manner,
    Mode,
    Role,
)
from vaultrag.errors import UsageError
from vaultrag.jobs.later import budget_of, question_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.records import queue as queue_module
from vaultrag.store.traces import find_trace
from vaultrag.workspace import Workspace

BUDGET = JobBudget(10, 50_000)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    first, second = Juror([EARLY], name="first"), Juror([LATE], name="second")
    with opened(tmp_path, first, {Role.FINAL: second}, monkeypatch) as made:
        yield made


def done(workspace: Workspace, order: JobOrder) -> Job:
    worker = JobWorker(workspace)
    job = worker.queue.submit(order)
    assert worker.work_at_next()
    return worker.queue.job(job.id)


@pytest.mark.parametrize("mode", [Mode.DEEP, Mode.AGREE, Mode.CASCADE])
def test_every_longer_way_can_be_left_for_later(workspace: Workspace, mode: Mode) -> None:
    question = "When does the restic backup of mayak run?"
    job = done(workspace, question_order(question, Manner(style=AnswerStyle.PROSE, mode=mode), BUDGET))
    assert (job.state, job.failure) == (JobState.DONE, None)
    saved = workspace.archive.answer(job.result)
    assert saved.answer.question == question
    assert {citation.path for citation in saved.answer.citations} <= set(saved.paths) <= set(job.order.paths)
    trace = find_trace(workspace.database, job.id)
    assert (trace.ended, trace.mode, saved.answer.trace) == (True, mode, job.id)


def test_quick_answer_is_none_for_later() -> None:
    with pytest.raises(UsageError, match="--deep"):
        question_order(LONG, Manner(), BUDGET)


def test_notes_that_the_scope_names_are_the_jobs(workspace: Workspace) -> None:
    assert question_order(LONG, replace(DEEP, scope="link:mayak"), BUDGET).paths == ("mayak.md",)
    order = question_order(LONG, replace(DEEP, scope="path:Servers/"), BUDGET)
    assert order.paths == ("Servers/",)
    ended = done(workspace, order)
    assert ended.state is JobState.DONE
    assert all(path.startswith("Servers/") for path in ended.order.paths)


def test_scope_that_nothing_meets_any_more_is_a_failure_with_its_reason(workspace: Workspace) -> None:
    failed = done(workspace, question_order(LONG, replace(DEEP, scope="path:Elsewhere/"), BUDGET))
    assert failed.failure is not None
    assert (failed.state, failed.failure.error) == (JobState.FAILED, "UsageError")


def test_budget_is_named_or_that_of_the_settings(workspace: Workspace) -> None:
    section = workspace.config.settings.jobs
    assert budget_of(section) == JobBudget(section.minutes, section.tokens)
    assert budget_of(section, 0, 7) == JobBudget(0, 7)


@pytest.mark.parametrize(("budget", "said"), [(JobBudget(10, 1), "tokens"), (JobBudget(1e-9, 50_000), "minutes")])
@pytest.mark.parametrize("question", [LONG, DOLGO])
def test_spent_budget_ends_in_what_was_found_and_says_so(
    tmp_path: Path, budget: JobBudget, said: str, question: str
) -> None:
    submit(tmp_path, question, budget)
    with vault_opened(tmp_path) as workspace:
        worked_off(workspace)
        (tmp_path / "calls").touch()
    asked = what_came_of_it(tmp_path)
    assert asked.job.state is JobState.DONE
    assert asked.answer.answer.status is not AnswerStatus.ANSWERED or asked.answer.answer.citations
    assert f"the job's {said}" in asked.answer.answer.stopped


def test_question_is_asked_of_the_day_and_the_chat_as_they_were_when_it_was_left(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said in its chat afterwards is no part of it."""
    list(workspace.ask("Когда поменяли картридж в бойлере?", Keep(chat="дом"), Manner(style=AnswerStyle.QUOTES)))
    at = datetime.now().astimezone().isoformat()
    list(workspace.ask("When does the restic backup of mayak run?", Keep(chat="дом"), Manner(style=AnswerStyle.QUOTES)))
    worker = JobWorker(workspace)
    monkeypatch.setattr(queue_module, "_now", lambda: at)
    job = worker.queue.submit(question_order("а сколько он стоил?", DEEP, BUDGET, "дом"))
    assert worker.work_at_next()
    understood = next(step for step in find_trace(workspace.database, job.id).steps if step.step == "understood")
    assert "бойлер" in understood.detail
    assert "mayak" not in understood.detail
    assert [turn.id for turn in workspace.archive.chat("дом")][-1] == job.id


def test_day_of_the_question_is_the_one_it_was_left_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    days = []
    monkeypatch.setattr(Workspace, "list_notes", lambda _, __, today, ___=(): days.append(str(today)))
    monkeypatch.setattr(queue_module, "_now", lambda: "2024-05-12T09:00:00+00:00")
    done(workspace, question_order("What did I do last week, and who repaired the boiler?", DEEP, BUDGET))
    assert set(days) == {"2024-05-12"}


def test_job_without_a_budget_has_no_bound(workspace: Workspace) -> None:
    job = done(workspace, question_order(LONG, DEEP, JobBudget(0, 0)))
    assert job.state is JobState.DONE
    assert "budget" not in workspace.archive.answer(job.id).answer.stopped
