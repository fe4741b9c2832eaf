"""Questions that nobody waits for: the answer is kept under the job's own id, its trace, too."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

from vaultrag.answering.longer.budget import Allowance
from vaultrag.config import JobsSection
from vaultrag.domain import (
    Answer,
    AnswerReady,
    AnswerStyle,
    JobBudget,
    JobOrder,
    Keep,
    Manner,
    Mode,
    StepTaken,
)
from vaultrag.errors import UsageError
from vaultrag.jobs.recorded import RecordedModel
from vaultrag.jobs.runs import JobRun, Outcome
from vaultrag.records.archive import notes_of_answer
from vaultrag.records.stored import named_by
from vaultrag.retrieval.filters import parse_scope
from vaultrag.workspace import Workspace
from vaultrag.workspace.asking import Terms

ASK = "ask"
UNBOUND_TOKENS = 1_000_000_000  # a bound that no answer meets, where the job has none
SET_BY = ("the job's tokens", "the job's minutes")


def budget_of(settings: JobsSection, minutes: float | None = None, tokens: int | None = None) -> JobBudget:
    """Return the budget that is named, else that of the settings."""
    return JobBudget(
        settings.minutes if minutes is None else minutes,
        settings.tokens if tokens is None else tokens,
    )


def question_order(question: str, manner: Manner, budget: JobBudget, chat: str = "") -> JobOrder:
    """Return the job of answering a question. Raises UsageError for a scope that is none, or a quick answer."""
    if manner.mode is Mode.QUICK:
        raise UsageError(
            "Only --deep, --agree and --cascade can be left for later.", "A quick answer comes at once: ask without it."
        )
    request = {
        "question": question,
        "scope": manner.scope,
        "style": manner.style.value if manner.style else "",
        "mode": manner.mode.value,
        "chat": chat,
    }
    return JobOrder(ASK, question, request, budget, paths=tuple(sorted(named_by(parse_scope(manner.scope)))))


def answer_later(workspace: Workspace, run: JobRun) -> Outcome:
    """Answer the question; every call of a model is a unit, so that a killed answer goes on where it was."""
    request = run.job.order.request
    answer = _answered(workspace, run, request)
    run.reads(notes_of_answer(answer))
    key, chat = run.job.id, str(request["chat"])
    return Outcome(key, lambda: workspace.archive.keep(key, answer, chat))


def _answered(workspace: Workspace, run: JobRun, request: Mapping[str, Any]) -> Answer:
    manner = Manner(
        scope=request["scope"],
        style=AnswerStyle(request["style"]) if request["style"] else None,
        mode=Mode(request["mode"]),
    )
    events = workspace.ask(request["question"], Keep(chat=request["chat"]), manner, _terms(run))
    with closing(events):
        for event in events:
            run.look()
            if isinstance(event, StepTaken):
                run.stage(event.step)
            elif isinstance(event, AnswerReady):
                return replace(event.answer, saved=run.job.id)
    raise AssertionError("an answer always ends with AnswerReady")


def _terms(run: JobRun) -> Terms:
    """Return the terms of a job: it steps aside for persons, and is asked of the day on which it was asked."""
    tokens = run.budget.tokens or UNBOUND_TOKENS  # of all attempts: units that were done are counted again
    return Terms(
        is_awaited=False,
        through=lambda model: RecordedModel(model, run),
        steady=lambda name, measure: float(run.value(name, measure)),
        reads=run.reads,
        at=datetime.fromisoformat(run.job.at),
        budget=Allowance(tokens, run.seconds_left, set_by=SET_BY),
        trace=run.job.id,
    )
