"""Answers that a history gives: what held on a day, since when, and how it changed, each at its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vaultrag.answering.citations import with_marks, without_lead
from vaultrag.answering.shown import as_read
from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    AsOf,
    Citation,
    History,
    HistoryStep,
    Level,
    SearchResult,
)

MOST_STEPS = 8  # of the user's own, the last ones up to what held and the next ones: a diary may tell hundreds
_WORDS = {
    "ru": {"on": "На {day}", "now": "Последнее", "since": "с {day}", "until": "до {day}", "undated": "без даты"},
    "en": {"on": "On {day}", "now": "The last", "since": "since {day}", "until": "until {day}", "undated": "undated"},
}
_CHANGED = {"ru": "Как менялось:", "en": "How it changed:"}


def answer_of_history(
    question: str, language: str, history: History, found: SearchResult, timings: Mapping[str, float]
) -> Answer:
    """Return the answer that a history gives alone: the value that held, its quote, and what was before and after.

    Only what the user states is told; what an assistant or somebody else says is left to `vaultrag history`.
    """
    steps = _steps(history)
    citations = [_citation(number, step) for number, step in enumerate(steps, start=1)]
    rows = [with_marks(_row(step, language), (one.number,)) for step, one in zip(steps, citations, strict=True)]
    return Answer(
        question=question,
        status=AnswerStatus.ANSWERED,
        text="\n".join(
            (_first(history, steps, language), *([_CHANGED[_of(language)], *rows] if len(rows) > 1 else []))
        ),
        sentences=(),
        citations=tuple(citations),
        passages=found.passages,
        model="",
        timings=timings,
        tokens={},
        warnings=found.warnings,
        level=Level.BACKED,
        style=AnswerStyle.QUOTES,
    )


def _of(language: str) -> str:
    return language if language in _WORDS else "en"


def _steps(history: History) -> list[HistoryStep]:
    """Return the user's own steps that have a date and speak of all that is asked for, and what held among them."""
    held = history.held
    own = [step for step in history.steps if step is held or (step.is_own and step.is_named and step.as_of)]
    place = next((at for at, step in enumerate(own) if step is held), len(own) - 1)
    first = max(0, min(place - MOST_STEPS // 2, len(own) - MOST_STEPS))
    return own[first : first + MOST_STEPS]


def _first(history: History, steps: Sequence[HistoryStep], language: str) -> str:
    words, held = _WORDS[_of(language)], history.held
    number = next((at for at, step in enumerate(steps, start=1) if step is held), 1)
    if held is None:
        return words["undated"]
    opening = words["on"].format(day=history.day) if history.day else words["now"]
    return with_marks(f"{opening}: {_said(held)} ({_when(held.as_of, language)})", (number,))


def _row(step: HistoryStep, language: str) -> str:
    quote = as_read(without_lead(step.place.quote)) or step.place.quote
    told = f"{step.value} — “{quote}”" if step.value and step.value not in quote else f"“{quote}”"
    return f"- {_when(step.as_of, language)}: {told}"


def _said(step: HistoryStep) -> str:
    return as_read(step.value or without_lead(step.place.quote)) or step.place.quote


def _when(as_of: AsOf | None, language: str) -> str:
    words = _WORDS[_of(language)]
    if as_of is None:
        return words["undated"]
    if not as_of.last:
        return words["since"].format(day=as_of.first)
    if not as_of.first:
        return words["until"].format(day=as_of.last)
    return as_of.first if as_of.first == as_of.last else f"{as_of.first}…{as_of.last}"


def _citation(number: int, step: HistoryStep) -> Citation:
    place = step.place
    return Citation(number, place.path, (), "", place.span, place.quote, "verbatim", 1.0)
