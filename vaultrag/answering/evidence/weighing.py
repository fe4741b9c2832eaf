"""How likely each line of the found passages answers a question, without a chat model.

A line is weighed by the question's words in it and around it, by its likeness in meaning, by whether it gives the kind
of thing that is asked for, and by its passage's standing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from vaultrag.answering.evidence.asked_for import Asked, asked_for, gives
from vaultrag.answering.evidence.lines import Line, lines_of
from vaultrag.answering.evidence.links import Leading, leading_lines
from vaultrag.answering.evidence.measures import gives_measure, measure_of
from vaultrag.answering.evidence.translations import translated
from vaultrag.domain import Embedder, Feature, Passage
from vaultrag.errors import VaultragError
from vaultrag.text.language import language_of, stem
from vaultrag.text.morphology import Term, distinct_terms
from vaultrag.text.terms import Spelled, index_terms, question_parts
from vaultrag.text.transliteration import transliterations

EMBEDDED_LINES = 24  # that words and ranks put first: about a third of a second on two cores

AROUND_SHARE = 0.4  # of a word's weight where the title, a heading or the header row says it, and not the line
LED_SHARE = 0.6  # where the line says it whose link leads here
LED_STANDING = 0.5  # of the standing of the passage whose link leads here, at least
BEFORE_SHARE = 0.2  # where the line before says it: "It was founded in …" goes on from there
GIVEN_WEIGHT = 0.3  # a line that gives the kind of thing asked for: as much as a third of the question's words
RIGHT_MEASURE, NO_MEASURE = 1.5, 0.5  # times that, where it is measured: minutes for "how long", and a bare number
RANK_WEIGHT = 0.6  # of the passage's score, as a share of the best one's: less than the words, which rank it, too
MEANING_WEIGHT = 1.0  # of where the cosine lies between the least and the most like line: as much as all the words
SPREAD = 0.1  # of cosines, at least: e5's lie within a tenth of each other, and where they differ less they say less
LANGUAGE_GAP = 0.02  # e5's cosine across languages lies about this much below the one within a language
POINTER_COST = 0.3  # of a line that sends to a note that was found, too: what it says counts there
UNNAMED_COST = 0.6  # of a property that the question does not name: its note's title alone makes it look like an answer
ACROSS_LINES = 8  # of those that are embedded: lines in the other language, which no word of the question can find
ACROSS_SHARE = 0.6  # of the likeness in meaning that stands in for the words that such a line cannot share
LEAD_COST = 0.3  # of a line that only introduces others, as long as nothing follows it
QUESTION_COST = 0.4  # of a line that asks: it has the question's words, and not the answer
SHORT, SHORT_COST = 12, 0.2  # characters that rarely say what they speak of


@dataclass(slots=True, eq=False)
class WeighedLine:
    """A line, its place among the passage's lines, and what speaks for it. `led_by` is the line whose link leads here.

    `held` are the question's words that it holds, with their weight of all; `words` is the weight of these and, in
    part, of those that are said around it; `told` are these and those that stand above it.
    """

    line: Line
    place: int
    terms: frozenset[str]
    led_by: Leading | None = None
    held: Mapping[Term, float] = field(default_factory=dict)
    told: Mapping[Term, float] = field(default_factory=dict)
    words: float = 0.0
    given: float = 0.0
    meaning: float = 0.0
    points_on: bool = False
    is_unnamed: bool = False

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

    def score(self, standing: Sequence[float]) -> float:
        """Return how likely it answers, where the passages stand so, each from 0 to 1."""
        score = self.words + self.meaning + RANK_WEIGHT * standing[self.passage] + GIVEN_WEIGHT * self.given
        score -= POINTER_COST * self.points_on + UNNAMED_COST * self.is_unnamed + LEAD_COST * self.line.is_lead
        score -= QUESTION_COST * self.line.asks
        return score - SHORT_COST * (self.size <= SHORT)


class Weighed:
    """The lines of a question's passages as `candidates`, the passages' `standing`, and what is `leading` to them."""

    def __init__(self, question: str, passages: Sequence[Passage], embedder: Embedder | None) -> None:
        """Without an embedder, or where it fails, words and ranks decide alone."""
        self._passages = passages
        self._language = language_of(question)
        self.candidates = [one for index, passage in enumerate(passages) for one in _candidates(index, passage)]
        asked = self._weights(self._asked(question))
        self.leading = leading_lines(passages, [one.line for one in self.candidates], asked)
        self.standing = self._standings()
        self._weigh_given(question)
        self._weigh_words(asked)
        if embedder is not None and self.candidates:
            self._weigh_meaning(question, embedder)

    @property
    def said_across(self) -> float:
        """The largest share of the question's words, by weight, that a line in the other language says."""
        across = (sum(one.held.values()) for one in self.candidates if self._is_across(one))
        return max(across, default=0.0)

    def _is_across(self, one: WeighedLine) -> bool:
        return language_of(one.line.words) not in (self._language, "")

    def _asked(self, question: str) -> list[Term]:
        """Return the question's words, those that look like names also as the other script writes them in these lines.

        A capital letter looks like a name, and so does a word that no line holds.
        """
        titles = (index_terms(" ".join((passage.title, *passage.chunk.heading_path))) for passage in self._passages)
        held = frozenset().union(*(one.terms for one in self.candidates), *titles)
        return distinct_terms(_spelled(question, part, held) for part in question_parts(question))

    def _weights(self, asked: Sequence[Term]) -> dict[Term, float]:
        """Return each of the question's words with its share of their weight: the fewer lines hold it, the more."""
        held = [sum(not one.terms.isdisjoint(term) for one in self.candidates) for term in asked]
        weights = [math.log(1 + (len(self.candidates) + 1) / (count + 0.5)) for count in held]
        return {term: weight / sum(weights) for term, weight in zip(asked, weights, strict=True)}

    def _standings(self) -> tuple[float, ...]:
        """Return the passages' scores as shares of the best; what a link leads to stands by where the link stands."""
        best = max((passage.score for passage in self._passages), default=0.0)
        alone = [passage.score / best if best > 0 else 0.0 for passage in self._passages]
        led = {index: LED_STANDING * alone[lead.passage] for index, lead in self.leading.items()}
        return tuple(max(share, led.get(index, 0.0)) for index, share in enumerate(alone))

    def _weigh_given(self, question: str) -> None:
        """Tell how well each line gives what is asked for; what is measured is asked for as an amount."""
        measure = measure_of(question)
        kinds = asked_for(question) | ({Asked.AMOUNT} if measure else frozenset())
        for one in self.candidates:
            one.given = float(any(gives(kind, one.line.words, question) for kind in kinds))
            if measure is not None:
                one.given *= RIGHT_MEASURE if gives_measure(measure, one.line) else NO_MEASURE

    def _weigh_words(self, asked: Mapping[Term, float]) -> None:
        """Give each line the weighted share of the question's words that it holds, or that are said around it."""
        before: WeighedLine | None = None
        led_by = {index: lead.terms for index, lead in self.leading.items()}
        found = {passage.title.lower() for passage in self._passages}
        for one in self.candidates:
            own = self._passages[one.passage]
            around = frozenset(index_terms(" ".join((*one.line.around, own.chunk.path))))
            previous = before.terms if before is not None and before.passage == one.passage else frozenset()
            led = led_by.get(one.passage, frozenset())
            one.held = {term: share for term, share in asked.items() if not one.terms.isdisjoint(term)}
            one.told = {term: share for term, share in asked.items() if not (one.terms | around).isdisjoint(term)}
            one.words = sum(w * _share(term, one.terms, led, around, previous) for term, w in asked.items())
            one.points_on = bool((one.line.targets - {own.title.lower()}) & found)
            one.led_by = self.leading.get(one.passage)
            one.is_unnamed = Feature.PROPERTY in own.chunk.features and not one.held
            before = one

    def _weigh_meaning(self, question: str, embedder: Embedder) -> None:
        """Compare the likeliest lines with the question in meaning; all others count as the least like of them."""
        ranked = sorted(self.candidates, key=lambda one: -one.score(self.standing))
        foreign = {id(one) for one in ranked if self._is_across(one)}
        across = [one for one in ranked if id(one) in foreign][:ACROSS_LINES]
        first = [*[one for one in ranked if one not in across][: EMBEDDED_LINES - len(across)], *across]
        try:
            vectors = embedder.embed_passages([one.shown for one in first])
            cosines = np.asarray(vectors @ embedder.embed_query(question)).tolist()
        except VaultragError:
            return
        for one, cosine in zip(first, cosines, strict=True):
            one.meaning = cosine + LANGUAGE_GAP * (id(one) in foreign)
        least, most = min(one.meaning for one in first), max(one.meaning for one in first)
        standing_in = {id(one) for one in across} if any(id(one) not in foreign for one in first) else set()
        for one in first:
            likeness = (one.meaning - least) / max(SPREAD, most - least)
            one.meaning = MEANING_WEIGHT * likeness
            if id(one) in standing_in:
                one.words = max(one.words, ACROSS_SHARE * likeness)


def _candidates(index: int, passage: Passage) -> list[WeighedLine]:
    lines = lines_of(index, passage)
    return [WeighedLine(line, place, frozenset(index_terms(line.words))) for place, line in enumerate(lines)]


def _spelled(question: str, part: Spelled, held: Set[str]) -> Term:
    word = question[part.start : part.end]
    others = held & translated(part.terms)
    if (part.start and word[0].isupper()) or held.isdisjoint(part.terms):
        others |= held & {stem(spelled) for spelled in transliterations(word)}
    return (*part.terms, *sorted(others - set(part.terms)))


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
