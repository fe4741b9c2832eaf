"""Server-sent events."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

from pydantic import ValidationError

from vaultrag import domain, errors
from vaultrag.wire.answers import (
    Answer,
    ListingFound,
    PassagesFound,
    QuotesFound,
    SentenceFound,
    StepTaken,
    TextPiece,
)
from vaultrag.wire.jobs import Job
from vaultrag.wire.shapes import dumps
from vaultrag.wire.state import Fault, Findings, Forgotten, IndexReport, Progress

LOADING = "model"  # the phase of a progress event, in percent, that comes before an answer

Event: TypeAlias = (
    PassagesFound
    | QuotesFound
    | ListingFound
    | StepTaken
    | TextPiece
    | SentenceFound
    | Answer
    | Progress
    | IndexReport
    | Findings
    | Forgotten
    | Job
    | Fault
)


Events: TypeAlias = Generator[Event, None, None]


EVENTS: dict[str, type[Event]] = {
    "passages": PassagesFound,
    "quotes": QuotesFound,
    "listing": ListingFound,
    "step": StepTaken,
    "text": TextPiece,
    "sentence": SentenceFound,
    "answer": Answer,
    "progress": Progress,
    "report": IndexReport,
    "findings": Findings,
    "forgotten": Forgotten,
    "job": Job,
    "error": Fault,
}


_NAMES = {kind: name for name, kind in EVENTS.items()}


def answer_event(event: domain.AnswerEvent) -> Event:
    """Turn one event of an answer into its JSON model."""
    match event:
        case domain.ModelLoading():
            return Progress(phase=LOADING, done=round(100 * event.share), total=100)
        case domain.PassagesFound():
            return PassagesFound.of(event)
        case domain.QuotesFound():
            return QuotesFound.of(event)
        case domain.ListingFound():
            return ListingFound.of(event)
        case domain.StepTaken():
            return StepTaken.of(event)
        case domain.TextPiece():
            return TextPiece.of(event)
        case domain.SentenceFound():
            return SentenceFound.of(event.sentence, sources=event.citations)
        case domain.AnswerReady():
            return Answer.of(event.answer)


def sse(event: Event) -> bytes:
    """Frame one server-sent event."""
    return f"event: {_NAMES[type(event)]}\ndata: {dumps(event)}\n\n".encode()


def parse_event(name: str, data: str) -> Event | None:
    """Read one server-sent event; None for a name this version does not know. Raises ServerError for broken data."""
    kind = EVENTS.get(name)
    if kind is None:
        return None
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise errors.ServerError(
            f"The server sent an event `{name}` that this version does not understand.",
            "Restart it, so that both are of one version: vaultrag serve --stop.",
        ) from error
