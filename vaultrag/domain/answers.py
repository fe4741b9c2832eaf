"""Answers, and the pieces in which they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from vaultrag.domain.notes import Span
from vaultrag.domain.search import Passage

Verification: TypeAlias = Literal["verbatim", "lexical", "semantic"]
"""How a place was found to carry a sentence: that repeats it, by words, names and numbers, or is near in meaning."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A place that a sentence of an answer stands on: `quote` stands in the note verbatim at `span`."""

    number: int
    path: str
    heading_path: tuple[str, ...]
    block_id: str
    span: Span
    quote: str
    verified: Verification
    score: float


class SentenceState(StrEnum):
    CITED = "cited"
    UNCITED = "uncited"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer and the numbers of its citations."""

    number: int
    text: str
    state: SentenceState
    citations: tuple[int, ...]


class AnswerStatus(StrEnum):
    ANSWERED = "answered"
    PARTLY = "partly"
    NOT_IN_VAULT = "not_in_vault"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose citations were checked against the notes' own lines. `saved` is the id it was saved under."""

    question: str
    status: AnswerStatus
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    model: str
    timings: Mapping[str, float]
    tokens: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    saved: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """Whether an answer is saved. One of a chat always is: `chat` names the conversation."""

    saved: bool = False
    chat: str = ""


NOT_KEPT = Keep()


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """How much of the model is in memory, while an answer waits for it."""

    share: float


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """What the model will read: the first event of an answer, unless the model has to be loaded."""

    passages: tuple[Passage, ...]
    left_out: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of the model's draft, as it is generated."""

    text: str


@dataclass(frozen=True, slots=True)
class SentenceFound:
    """A finished sentence of the draft with what it stands on."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """Last event: the authoritative answer; clients replace the draft by it."""

    answer: Answer


AnswerEvent: TypeAlias = ModelLoading | PassagesFound | TextPiece | SentenceFound | AnswerReady
