"""The lines that most likely answer a question, chosen without a chat model: what a person would point at first.

A line is weighed by the question's words in it and around it, by its likeness in meaning, by whether it gives the kind
of thing that is asked for, and by its passage's standing. The best are quoted, with adjacent lines that belong to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vaultrag.answering.citations import locate
from vaultrag.answering.evidence.asked_for import asked_for, gives
from vaultrag.answering.evidence.lines import Line, lines_of
from vaultrag.answering.evidence.links import leading_lines, terms_of
from vaultrag.answering.judging.sureness import Shown, shown
from vaultrag.domain import Citation, Embedder, Passage
from vaultrag.errors import VaultragError
from vaultrag.text.language import language_of
from vaultrag.text.morphology import Term
from vaultrag.text.terms import index_terms, question_terms

MOST_QUOTES = 3  # more than a person reads before the model writes
MOST_CHARACTERS = 400  # of all quotes together: five lines of a usual terminal
EMBEDDED_LINES = 24  # that words and ranks put first: about a third of a second on two cores

RELEVANT_SHARE = 0.5  # of the best line's score that a quote must have: a weaker one is about something else
AROUND_SHARE = 0.4  # of a word's weight where the title, a heading or the header row says it, and not the line
LED_SHARE = 0.6  # where the line says it whose link leads here
LED_STANDING = 0.5  # of the standing of the passage whose link leads here, at least
BEFORE_SHARE = 0.2  # where the line before says it: "It was founded in …" goes on from there
GIVEN_WEIGHT = 0.2  # a line that gives the kind of thing asked for: as much as a fifth of the question's words
RANK_WEIGHT = 0.8  # of the passage's score, as a share of the best one's
MEANING_WEIGHT = 1.0  # of where the cosine lies between the least and the most like line: as much as all the words
SPREAD = 0.1  # of cosines, at least: e5's lie within a tenth of each other, and where they differ less they say less
LANGUAGE_GAP = 0.02  # e5's cosine across languages lies about this much below the one within a language
POINTER_COST = 0.3  # of a line that sends to a note that was found, too: what it says counts there
ACROSS_LINES = 8  # of those that are embedded: lines in the other language, which no word of the question can find
ACROSS_SHARE = 0.6  # of the likeness in meaning that stands in for the words that such a line cannot share
LEAD_COST = 0.3  # of a line that only introduces others, as long as nothing follows it
SHORT, SHORT_COST = 12, 0.2  # characters that rarely say what they speak of
NEXT_GAIN = 0.2  # a quote grows downwards rather than upwards: what follows explains
LATER_COST = 0.1  # and the first quote rather than the second


@dataclass(frozen=True, slots=True)
class Quote:
    """Adjacent lines of a passage as they stand there: offsets into the chunk's text, `end` exclusive."""

    passage: int
    start: int
    end: int
    score: float


@dataclass(slots=True, eq=False)
class _Candidate:
    """A line, its place among the passage's lines, and what speaks for it."""

    line: Line
    place: int
    terms: frozenset[str]
    words: float = 0.0
    gives: bool = False
    meaning: float = 0.0
    points_on: bool = False
    led_by: Line | None = None

    @property
    def passage(self) -> int:
        return self.line.source.passage

    @property
    def shown(self) -> str:
        """The line under what it stands under, behind the line whose link leads to it."""
        return f"{self.led_by.shown} › {self.line.shown}" if self.led_by else self.line.shown

    @property
    def size(self) -> int:
        return len(self.line.source.text) + 1  # the line's end, where another joins it


class Evidence:
    """The lines of a question's passages, weighed once; `quotes` chooses among them."""

    def __init__(self, question: str, passages: Sequence[Passage], embedder: Embedder | None) -> None:
        """Without an embedder, or where it fails, words and ranks decide alone."""
        self.passages = tuple(passages)
        self._lines = [one for index, passage in enumerate(passages) for one in _candidates(index, passage)]
        asked = self._weights(question_terms(question))
        self._leading = leading_lines(passages, [one.line for one in self._lines], asked)
        self._standing = self._standings()
        self._weigh_words(asked)
        kinds = asked_for(question)
        for one in self._lines:
            one.gives = any(gives(kind, one.line.words, question) for kind in kinds)
        if embedder is not None and self._lines:
            self._weigh_meaning(question, embedder)
        self._ranked = sorted(self._lines, key=lambda one: -self._score(one, self._standing))
        self._best_lines: dict[int, Line] = {}  # of each passage, the best first
        for one in self._ranked:
            self._best_lines.setdefault(one.passage, one.line)

    def quotes(self, standing: Sequence[float] | None = None) -> tuple[Quote, ...]:
        """Return up to MOST_QUOTES quotes of MOST_CHARACTERS together, best first; the first may be longer.

        `standing` are the passages' scores from 0 to 1 in place of the search's, where something has judged them.
        """
        standing = self._standing if standing is None else standing
        scores = {id(one): self._score(one, standing) for one in self._lines}
        ranked = sorted(self._lines, key=lambda one: -scores[id(one)])
        least = RELEVANT_SHARE * scores[id(ranked[0])] if ranked else 0.0
        spans = _grown(_chosen([one for one in ranked if scores[id(one)] >= least]), self._lines, scores)
        return tuple(_quote(span, max(scores[id(one)] for one in span)) for span in spans)

    def likely(self, count: int) -> list[Line]:
        """Return the likeliest lines, best first."""
        return [one.line for one in self._ranked[:count]]

    def cite(self, line: Line, number: int) -> Citation:
        """Return a line as a citation of that number."""
        return self._citation(number, Quote(line.source.passage, line.source.start, line.source.end, 0.0))

    def excerpts(self) -> list[Shown]:
        """Return the part of each passage round its best line, the passage with the best one first."""
        return [
            shown(self.passages[index], line.source.start, line.source.end) for index, line in self._best_lines.items()
        ]

    def judged(self, scores: Sequence[float]) -> tuple[float, ...]:
        """Return the passages' standing by a model's scores of the first excerpts, as odds; the others keep theirs.

        A passage that the model has not read stands no better than the worst that it has.
        """
        if not scores:
            return self._standing
        read = dict(zip(self._best_lines, scores, strict=False))
        odds = {index: math.exp(score - max(scores)) for index, score in read.items()}
        least = min(odds.values())
        return tuple(odds.get(index, min(least, standing)) for index, standing in enumerate(self._standing))

    def cited(self, quotes: Sequence[Quote]) -> tuple[Citation, ...]:
        """Return the quotes as citations, numbered in their order."""
        return tuple(self._citation(number, quote) for number, quote in enumerate(quotes, 1))

    def _citation(self, number: int, quote: Quote) -> Citation:
        chunk = self.passages[quote.passage].chunk
        return Citation(
            number=number,
            path=chunk.path,
            heading_path=chunk.heading_path,
            block_id=chunk.block_id,
            span=locate(chunk, quote.start, quote.end),
            quote=chunk.text[quote.start : quote.end],
            verified="verbatim",
            score=round(quote.score, 3),
        )

    def _score(self, one: _Candidate, standing: Sequence[float]) -> float:
        size = len(one.line.source.text)
        score = one.words + one.meaning + RANK_WEIGHT * standing[one.passage] + GIVEN_WEIGHT * one.gives
        score -= POINTER_COST * one.points_on
        return score - LEAD_COST * one.line.is_lead - SHORT_COST * (size < SHORT)

    def _weigh_words(self, asked: Mapping[Term, float]) -> None:
        """Give each line the weighted share of the question's words that it holds, or that are said around it."""
        before: _Candidate | None = None
        led_by = {index: terms_of(line) for index, line in self._leading.items()}
        found = {passage.title.lower() for passage in self.passages}
        for one in self._lines:
            own = self.passages[one.passage]
            around = frozenset(index_terms(" ".join((*one.line.around, own.chunk.path))))
            previous = before.terms if before is not None and before.passage == one.passage else frozenset()
            led = led_by.get(one.passage, frozenset())
            one.words = sum(w * _share(term, one.terms, led, around, previous) for term, w in asked.items())
            one.points_on = bool((one.line.targets - {own.title.lower()}) & found)
            one.led_by = self._leading.get(one.passage)
            before = one

    def _weights(self, asked: Sequence[Term]) -> dict[Term, float]:
        """Return each of the question's words with its share of their weight: the fewer lines hold it, the more."""
        held = [sum(not one.terms.isdisjoint(term) for one in self._lines) for term in asked]
        weights = [math.log(1 + (len(self._lines) + 1) / (count + 0.5)) for count in held]
        return {term: weight / sum(weights) for term, weight in zip(asked, weights, strict=True)}

    def _standings(self) -> tuple[float, ...]:
        """Return the passages' scores as shares of the best; what a link leads to stands by where the link stands."""
        best = max((passage.score for passage in self.passages), default=0.0)
        alone = [passage.score / best if best > 0 else 0.0 for passage in self.passages]
        led = {index: LED_STANDING * alone[line.source.passage] for index, line in self._leading.items()}
        return tuple(max(share, led.get(index, 0.0)) for index, share in enumerate(alone))

    def _weigh_meaning(self, question: str, embedder: Embedder) -> None:
        """Compare the likeliest lines with the question in meaning; all others count as the least like of them."""
        asked = language_of(question)
        ranked = sorted(self._lines, key=lambda one: -self._score(one, self._standing))
        across = [one for one in ranked if language_of(one.line.words) not in (asked, "")][:ACROSS_LINES]
        beside = [one for one in ranked if one not in across][: EMBEDDED_LINES - len(across)]
        first = [*beside, *across]
        try:
            vectors = embedder.embed_passages([one.shown for one in first])
            cosines = np.asarray(vectors @ embedder.embed_query(question)).tolist()
        except VaultragError:
            return
        foreign = {id(one) for one in across}
        for one, cosine in zip(first, cosines, strict=True):
            one.meaning = cosine + (LANGUAGE_GAP if id(one) in foreign else 0.0)
        least, most = min(one.meaning for one in first), max(one.meaning for one in first)
        for one in first:
            likeness = (one.meaning - least) / max(SPREAD, most - least)
            one.meaning = MEANING_WEIGHT * likeness
            if id(one) in foreign:
                one.words = max(one.words, ACROSS_SHARE * likeness)


def _candidates(index: int, passage: Passage) -> list[_Candidate]:
    lines = lines_of(index, passage)
    return [_Candidate(line, place, frozenset(index_terms(line.words))) for place, line in enumerate(lines)]


def _share(
    term: Term, said: frozenset[str], led: frozenset[str], around: frozenset[str], before: frozenset[str]
) -> float:
    if not said.isdisjoint(term):
        return 1.0
    if not led.isdisjoint(term):
        return LED_SHARE
    if not around.isdisjoint(term):
        return AROUND_SHARE
    return 0.0 if before.isdisjoint(term) else BEFORE_SHARE


def _chosen(ranked: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Take the best lines while there is room; one beside another becomes one quote with it."""
    spans: list[list[_Candidate]] = []
    room = MOST_CHARACTERS
    for one in ranked:
        if spans and one.size > room:
            continue
        beside = next((span for span in spans if _is_beside(span, one)), None)
        if beside is not None:
            beside.append(one)
            beside.sort(key=lambda other: other.place)
        elif len(spans) < MOST_QUOTES:
            spans.append([one])
        else:
            break
        room -= one.size
    return spans


def _grown(
    spans: list[list[_Candidate]], lines: Sequence[_Candidate], scores: dict[int, float]
) -> list[list[_Candidate]]:
    """Let the quotes grow by adjacent lines while there is room, the likeliest first."""
    taken = {id(one) for span in spans for one in span}
    room = MOST_CHARACTERS - sum(one.size for span in spans for one in span)
    while True:
        beside = [
            (scores[id(one)] + NEXT_GAIN * (one.place > span[0].place) - LATER_COST * rank, one, span)
            for rank, span in enumerate(spans)
            for one in lines
            if id(one) not in taken and one.size <= room and _is_beside(span, one)
        ]
        if not beside:
            return spans
        _, one, span = max(beside, key=lambda found: found[0])
        span.append(one)
        span.sort(key=lambda other: other.place)
        taken.add(id(one))
        room -= one.size


def _is_beside(span: Sequence[_Candidate], one: _Candidate) -> bool:
    if (one.passage, one.line.section) != (span[0].passage, span[0].line.section):
        return False
    return one.place in (span[0].place - 1, span[-1].place + 1)


def _quote(span: Sequence[_Candidate], score: float) -> Quote:
    return Quote(span[0].passage, span[0].line.source.start, span[-1].line.source.end, score)
