"""What the longer ways to an answer share: steps that are told, and how answers are weighed against each other."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from vaultrag.answering.citations import overlap
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    Backing,
    Citation,
    Level,
    Sentence,
    SentenceState,
    StepTaken,
)


class Tell(Protocol):
    """Writes a step down, with the notes that it speaks of, and returns it to be shown."""

    def __call__(self, step: str, detail: str = "", paths: Iterable[str] = ()) -> StepTaken: ...


def forwarded(events: Generator[AnswerEvent, None, None]) -> Generator[AnswerEvent, None, Answer]:
    """Hand an answer's events through but for the last, which is returned."""
    try:
        for event in events:
            if isinstance(event, AnswerReady):
                return event.answer
            yield event
    finally:
        events.close()
    raise AssertionError("an answer always ends with AnswerReady")


def told(answer: Answer) -> list[Sentence]:
    """Return the sentences that an answer tells."""
    return [one for one in answer.sentences if one.state is not SentenceState.REMOVED]


def worth(answer: Answer) -> tuple[int, int, int]:
    """Return what tells the better of two answers: whether it is one, how sure it is, how much of it is backed."""
    statuses = (AnswerStatus.NOT_IN_VAULT, AnswerStatus.PARTLY, AnswerStatus.ANSWERED)
    backed = sum(one.support is Backing.BACKED for one in told(answer))
    return statuses.index(answer.status), int(answer.level is Level.BACKED), backed


def joined(citations: Sequence[Citation], others: Sequence[Citation]) -> tuple[tuple[Citation, ...], list[int]]:
    """Return the citations with those of the others that overlap none, numbered on, and the numbers of the others."""
    found, numbers = list(citations), []
    for other in others:
        known = next((one for one in found if overlap(one, other)), None)
        if known is None:
            known = replace(other, number=len(found) + 1)
            found.append(known)
        numbers.append(known.number)
    return tuple(found), numbers
