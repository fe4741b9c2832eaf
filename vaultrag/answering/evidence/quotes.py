"""The lines that most likely answer a question, chosen without a chat model: what a person would point at first.

The likeliest lines are quoted, with adjacent lines that belong to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from vaultrag.answering.citations import locate
from vaultrag.answering.evidence.lines import Line
from vaultrag.answering.evidence.weighing import Weighed, WeighedLine
from vaultrag.answering.judging.sureness import Shown, shown
from vaultrag.domain import Citation, Embedder, Passage
from vaultrag.text.language import fold
from vaultrag.text.morphology import Term

MOST_QUOTES = 3  # more than a person reads before the model writes
MOST_CHARACTERS = 400  # of all quotes together: five lines of a usual terminal

RELEVANT_SHARE = 0.7  # of the best line's score that a quote must have: a weaker one is about something else
LIKELY_SHARE = 0.8  # that a further quote must have which says nothing more of the question
SHARES = (RELEVANT_SHARE, LIKELY_SHARE)
MORE_SAID = 0.2  # of the question's words, by weight: as many make it one that says more
FEWEST_WORDS = 5  # of a sentence that says the same in any note: `rating: 8` of two books is two things
NEXT_GAIN = 0.2  # a quote grows downwards rather than upwards: what follows explains
LATER_COST = 0.1  # and the first quote rather than the second


@dataclass(frozen=True, slots=True)
class Quote:
    """Adjacent lines of a passage as they stand there: offsets into the chunk's text, `end` exclusive."""

    passage: int
    start: int
    end: int
    score: float


class Evidence:
    """The lines of a question's passages, weighed once; `quotes` chooses among them."""

    def __init__(self, question: str, passages: Sequence[Passage], embedder: Embedder | None) -> None:
        """Without an embedder, or where it fails, words and ranks decide alone."""
        self.passages = tuple(passages)
        self._weighed = Weighed(question, self.passages, embedder)
        self._standing = self._weighed.standing
        self._ranked = sorted(self._weighed.candidates, key=lambda one: -one.score(self._standing))
        self._best_lines: dict[int, Line] = {}  # of each passage, the best first
        for one in self._ranked:
            self._best_lines.setdefault(one.passage, one.line)

    def quotes(self, standing: Sequence[float] | None = None) -> tuple[Quote, ...]:
        """Return up to MOST_QUOTES quotes of MOST_CHARACTERS together, best first; the first may be longer.

        `standing` are the passages' scores from 0 to 1 in place of the search's, where something has judged them.
        """
        standing = self._standing if standing is None else standing
        scores = self._scores(standing)
        both = (scores, self._scores(self._standing))
        relevant, likely = (set[int]().union(*(_relevant(one, share) for one in both)) for share in SHARES)
        ranked = sorted((one for one in self._ranked if id(one) in relevant), key=lambda one: -scores[id(one)])
        spans = _grown(_chosen(ranked, scores, likely), self._ranked, scores)
        return tuple(_quote(span, max(scores[id(one)] for one in span)) for span in spans)

    def _scores(self, standing: Sequence[float]) -> dict[int, float]:
        return {id(one): one.score(standing) for one in self._ranked}

    @property
    def said_across(self) -> float:
        """The largest share of the question's words, by weight, that a line in the other language says."""
        return self._weighed.said_across

    def likely(self, count: int) -> list[Line]:
        """Return the likeliest lines, best first."""
        return [one.line for one in self._ranked[:count]]

    def cite(self, line: Line, number: int) -> Citation:
        """Return a line as a citation of that number."""
        return self._citation(number, Quote(line.source.passage, line.source.start, line.source.end, 0.0))

    def excerpts(self) -> list[Shown]:
        """Return the part of each passage round its best line, the passage with the best one first.

        The title of what a link leads to tells the link's line, too: of whom the passage speaks.
        """
        return [self._excerpt(index, line) for index, line in self._best_lines.items()]

    def _excerpt(self, index: int, line: Line) -> Shown:
        part = shown(self.passages[index], line.source.start, line.source.end)
        led_by = self._weighed.leading.get(index)
        return replace(part, title=f"{part.title} ({led_by.shown})") if led_by else part

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


def _relevant(scores: Mapping[int, float], share: float) -> set[int]:
    least = share * max(scores.values(), default=0.0)
    return {one for one, score in scores.items() if score >= least}


def _chosen(ranked: Sequence[WeighedLine], scores: Mapping[int, float], likely: Set[int]) -> list[list[WeighedLine]]:
    """Take the best lines while there is room; one beside another becomes one quote with it.

    What is quoted once counts no more: a second line is there for what the first does not say of the question.
    """
    spans: list[list[WeighedLine]] = []
    said: set[Term] = set()
    rest, room = list(ranked), MOST_CHARACTERS
    while rest:
        one = max(rest, key=lambda one: scores[id(one)] - sum(one.held[term] for term in one.held.keys() & said))
        rest = [other for other in rest if other is not one and not _says_the_same(one, other)]
        if spans and (one.size > room or not _is_worth(one, spans, likely)):
            continue
        if not _joined(spans, one):
            break
        said |= one.held.keys()
        room -= one.size
    return spans


def _is_worth(one: WeighedLine, spans: Sequence[Sequence[WeighedLine]], likely: Set[int]) -> bool:
    """Tell whether a line is likely enough for a further quote, or says of the question what none of the others does.

    What stands above a line, it says, too: "birthday: 3 September" says of whom, in the note on Anna.
    """
    if id(one) in likely or any(_is_beside(span, one) for span in spans):
        return True
    said = {form for span in spans for other in span for term in other.told for form in _bare(term)}
    return sum(share for term, share in one.told.items() if said.isdisjoint(_bare(term))) >= MORE_SAID


def _bare(term: Term) -> set[str]:
    """Return a word's forms without the ending that says whose a thing is: "Anna's" is asked for as two words."""
    return {form.removesuffix("'s") for form in term}


def _says_the_same(one: WeighedLine, other: WeighedLine) -> bool:
    return len(one.line.words.split()) >= FEWEST_WORDS and fold(one.line.words) == fold(other.line.words)


def _joined(spans: list[list[WeighedLine]], one: WeighedLine) -> bool:
    """Add a line to the span that it is beside, or as a new one; False where there are enough."""
    span = next((span for span in spans if _is_beside(span, one)), None)
    if span is None and len(spans) == MOST_QUOTES:
        return False
    if span is None:
        spans.append([one])
    else:
        span.append(one)
        span.sort(key=lambda other: other.place)
    return True


def _grown(
    spans: list[list[WeighedLine]], lines: Sequence[WeighedLine], scores: dict[int, float]
) -> list[list[WeighedLine]]:
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


def _is_beside(span: Sequence[WeighedLine], one: WeighedLine) -> bool:
    if (one.passage, one.line.section) != (span[0].passage, span[0].line.section):
        return False
    return one.place in (span[0].place - 1, span[-1].place + 1)


def _quote(span: Sequence[WeighedLine], score: float) -> Quote:
    return Quote(span[0].passage, span[0].line.source.start, span[-1].line.source.end, score)
