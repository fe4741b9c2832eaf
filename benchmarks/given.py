"""Answers by the product's own way from documents that come with a question, without a search."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from benchmarks.counting import CountingModel
from vaultrag.answering.answer import Answerer
from vaultrag.answering.judging.calibration_files import calibration_of
from vaultrag.answering.judging.checks import UNCHECKED, Checks, checks_by
from vaultrag.config import Settings
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStyle,
    Chunk,
    Embedder,
    Manner,
    Passage,
    Refusal,
    SearchResult,
    Span,
)
from vaultrag.text.language import language_of

PROMPT_BUDGET = 3000  # tokens: 30 s at 100 tokens/s; fixed, since a budget that follows the load would change prompts
READING_SPEED = 100.0  # tokens/s, fixed for the same reason

Search: TypeAlias = Callable[[str, int], SearchResult]


@dataclass(frozen=True, slots=True)
class Way:
    """A way of answering. `style` is None for the best passage as it is."""

    name: str
    style: AnswerStyle | None
    reads: bool = False


TOP = Way("top passage", None)
UNREAD = Way("quotes without a model", AnswerStyle.QUOTES)
QUOTES = Way("quotes", AnswerStyle.QUOTES, reads=True)
PROSE = Way("prose", AnswerStyle.PROSE, reads=True)


@dataclass(frozen=True, slots=True)
class Document:
    """What is read in place of a note."""

    title: str
    text: str


@dataclass(slots=True)
class Bench:
    """The model and the embedder that answer, and what each answer took."""

    model: CountingModel
    embedder: Embedder
    settings: Settings = field(default_factory=Settings)

    def told(self, way: Way, question: str, search: Search) -> Answer | str:
        """Return the answer, or the best passage as it is."""
        if way.style is None:
            return search(question, 1).passages[0].chunk.text
        return last(self.answerer(way, search).answer(question, Manner(style=way.style)))

    def answerer(self, way: Way, search: Search) -> Answerer:
        return self.by(self.checks() if way.reads else UNCHECKED, search, reads=way.reads)

    def by(self, checks: Checks, search: Search, *, reads: bool = True) -> Answerer:
        """Return the product's own answerer with these checks."""
        return Answerer(
            search=search,
            model=self.model if reads else None,
            embedder=self.embedder,
            settings=self.settings.answering,
            prompt_budget=lambda: PROMPT_BUDGET,
            refusal=Refusal.OFFERED,
            learn=lambda _: None,
            prepare=lambda: iter(()),
            caution=tuple,
            checks=lambda: checks,
        )

    def checks(self) -> Checks:
        """Return the checks that the model makes by what was measured of it."""
        known = calibration_of(self.model.fingerprint, self.model.models_dir)
        return checks_by(self.model, known, lambda: READING_SPEED)


def given(documents: Sequence[Document], embedder: Embedder) -> Search:
    """Return a search that finds these documents, the nearest in meaning first."""

    def search(question: str, k: int) -> SearchResult:
        texts = [document.text for document in documents]
        near = np.asarray(embedder.embed_passages(texts) @ embedder.embed_query(question)).tolist()
        order = sorted(range(len(near)), key=lambda index: -near[index])[:k]
        found = tuple(passage(documents[index], index, near[index]) for index in order)
        return SearchResult(question, found, ("vector",), (), {}, coverage=1.0)  # whether to answer is not the question

    return search


def passage(document: Document, index: int, similarity: float) -> Passage:
    """Return a document as the one passage of a note."""
    text = document.text
    chunk = Chunk(
        id=f"{index}:{digest(text)}",
        path=f"{index + 1}/{document.title}.md",
        heading_path=(),
        span=Span(1, 1, text.count("\n") + 1, len(text.rpartition("\n")[2]) or 1),
        block_id="",
        speaker="",
        text=text,
        embedded=text,
        language=language_of(text) or "en",
        text_hash=digest(text),
    )
    return Passage(chunk, document.title, similarity, (), similarity)


def said(answer: Answer) -> str:
    """Return what an answer tells, without its citation numbers and the names of its notes."""
    text = re.sub(r" ?\[\d+\]", "", answer.text)
    return re.sub(r" \(Note \d+\)", "", text)


def last(events: Iterator[AnswerEvent]) -> Answer:
    for event in events:
        if isinstance(event, AnswerReady):
            return event.answer
    raise AssertionError("an answer always ends with AnswerReady")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
