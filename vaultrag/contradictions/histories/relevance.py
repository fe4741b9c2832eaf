"""Which of the candidates speak of what a history is asked for: by words, by what they stand under, and by meaning.

A word tells more where few candidates have it. It counts fully where a claim says it itself, less where its attribute,
its list's lead or a heading that names little else does, least where its title, its passage or its note's tags do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from vaultrag.contradictions.comparing.concepts import ClaimWord, WordSet, concept_of, read_words
from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.histories.asked import AskedHistory, AskedWord, rate_of
from vaultrag.contradictions.histories.candidates import NearClaim, may_say
from vaultrag.contradictions.histories.parts import moves, replaced
from vaultrag.domain import Bound, Claim, ClaimContext, StatedKind, StatedValue, SubjectSource
from vaultrag.text.language import stem, words

HEAD = 1.4  # times the weight of the word that names the attribute: the mileage of "the car's mileage"
HEADED = 0.9  # of a word's weight, where the attribute or the list's lead has it, or the heading and little else
HEADING_SHARE = 0.5  # of the words of a heading: below, it names something else, too
FRAME = 0.6  # where only the title or a farther heading has it
CHANGE = 0.8  # of a verb's, where the claim tells a change: «переводим на …» of «чем кормим»
BEFORE = 0.4  # where only the same passage says it, before the claim
NAMES = 0.35  # where only the note's tags, aliases or folder have it
AMOUNT = 0.4  # where an amount of money stands for "price", and the claim only stands under what is priced
LEAST_MONEY = 100  # of a bare number that may be a price: «отдали за садик 15 000»
RATE = 0.6  # of a word's weight: «в неделю» tells a habit from whatever else is said of running
UNIT = 0.7  # of a word's weight: "watts" tells what is measured
DECISION = 0.25  # added where words are asked for, and the claim decides or stands under "Decision"
DATED = 0.1  # added to what has a date of its own, or says what was before: so histories are written
MEANING = 0.4  # added to the likest claim in meaning, to others in part
ALIKE = 0.6  # of the likest claim's likeness: it says in other words what is asked for
NOWHERE = 0.5  # of the least weight: a word that no candidate has tells them apart from nothing
NEAR = 0.68  # of the best claim's share: what has less speaks of something else
LEAST = 0.4  # of the question's words: below, nothing is found
_TITLE = "Title: "  # of an imported chat: what it began with
_OF_MONEY = frozenset(
    concept_of(word) for word in "price cost rent salary pay fee цена стоимость аренда зарплата плата оклад".split()
)
_OF_LIMITS = frozenset(map(concept_of, ("budget", "limit", "бюджет", "лимит")))
KEYED = frozenset({ClaimContext.CELL, ClaimContext.PROPERTY, ClaimContext.FIELD})
_MEASURED = frozenset({StatedKind.MEASURE, StatedKind.SHARE, StatedKind.DURATION, StatedKind.TIME})
WORDS_OF_MONEY = _OF_MONEY | _OF_LIMITS
_DECIDES = re.compile(
    r"\b(?:реш(?:ил|ен|аем)\w*|передумал\w*|отмен\w+|оста[её]мся|выбрал\w*|выбираем|переш(?:[её]л|ли)\w*|decid\w+"
    r"|cancel\w+|chang\w+ (?:our|my) minds?|stay(?:ing|s)? (?:with|on)|chose|switch\w+|going with|settled on)\b",
    re.IGNORECASE,
)
_DECISION_HEADING = re.compile(r"\b(?:decision|decided|resolution|решение|решили|итог|вывод)\b", re.IGNORECASE)

Likeness = Mapping[str, float]
"""How like a claim is in meaning to what is asked for, from 0 to 1, by its key; what is not there is not known."""


@dataclass(frozen=True, slots=True)
class Relevant:
    """A claim, which share of what is asked for it speaks of, and its place among the candidates.

    `said` are the words of the question that it says itself, or by its own attribute or heading (`headed`), rather
    than only standing in such a note. It `is_named` where every word is said or stands above.
    """

    claim: Claim
    share: float
    place: int
    day: str = ""
    said: frozenset[AskedWord] = frozenset()
    headed: bool = False
    like: float = 0.0
    lacks_a_name: bool = False
    is_named: bool = False

    @property
    def says(self) -> bool:
        return bool(self.said) or self.headed


class _Words:
    """The words of one part of a claim's surroundings."""

    def __init__(self, words: Sequence[ClaimWord]) -> None:
        self._set = WordSet(words)
        self._stems = frozenset(stem(word.text) for word in words)

    def has(self, asked: AskedWord) -> bool:
        return self._set.has(asked.word) or not self._stems.isdisjoint(asked.stems)


@dataclass(frozen=True, slots=True)
class _Around:
    """The names of a claim's note, and where its passage first says each word that is asked for."""

    names: frozenset[AskedWord]
    said: Mapping[AskedWord, int]
    is_table: bool

    @classmethod
    def of(cls, one: NearClaim, asked: Sequence[AskedWord]) -> _Around:
        said: dict[AskedWord, int] = {}
        for token in words(one.passage):
            for word in asked:
                if token.stem in word.stems:
                    said.setdefault(word, token.start)
        names = _Words(read_words(one.names))
        is_table = one.passage.lstrip().startswith("|") or "\n|" in one.passage
        return cls(frozenset(word for word in asked if names.has(word)), said, is_table)

    def share_of(self, word: AskedWord, start: int) -> float:
        """Return how far a claim that begins there has a word by what is round it; a row has none of other rows."""
        is_before = not self.is_table and self.said.get(word, start) < start
        return BEFORE if is_before else NAMES if word in self.names else 0.0


@dataclass(frozen=True, slots=True)
class _Read:
    claim: Claim
    layers: tuple[tuple[float, _Words], ...]
    heading: tuple[ClaimWord, ...]
    rates: frozenset[str]
    start: int
    around: _Around

    @classmethod
    def of(cls, one: NearClaim, around: _Around) -> _Read:
        claim = one.claim
        reading = ReadClaim.of(claim)
        lead = "" if claim.context is ClaimContext.CELL else claim.lead  # the other columns say nothing of a cell
        headed = read_words(f"{claim.attribute} | {lead}")
        above = [one for one in claim.heading_path[-1:] if not one.startswith(_TITLE)]
        heading = read_words(" ".join(above or [claim.title] * (not claim.attribute)))  # of a bare «2024-06-03 – 88»
        rates = frozenset(filter(None, (rate_of(word.text) for word in read_words(claim.quote))))
        own = reading.words
        if claim.context in KEYED and claim.subject_from in (SubjectSource.TITLE, SubjectSource.HEADING):
            under = {word.concept for word in read_words(claim.subject)} - {one.concept for one in headed}
            own = tuple(word for word in own if word.concept not in under)
        frame = reading.frame
        if claim.context is ClaimContext.CELL:  # the other columns' names say nothing of it
            frame = read_words(" | ".join((claim.subject, *claim.heading_path, claim.title, claim.quote)))
        layers = (
            (1.0, _Words(own)),
            (HEADED, _Words(headed)),
            (FRAME, _Words(frame)),
        )
        return cls(claim, layers, heading, rates, one.start, around)

    def shares_of(self, asked: Sequence[AskedWord]) -> list[float]:
        met = sum(any(map(_Words([one]).has, asked)) for one in self.heading)
        heading = _Words(self.heading if met >= HEADING_SHARE * len(self.heading) else ())
        shares = [self._share_of(word, heading) for word in asked]
        is_of_it = any(share and not word.is_state for share, word in zip(shares, asked, strict=True))
        if is_of_it and moves(self.claim.quote):
            shares = [max(share, CHANGE) if word.is_state else share for share, word in zip(shares, asked, strict=True)]
        best = max(shares, default=0.0)
        return [max(share, self._share_of_money(one.word, best)) for share, one in zip(shares, asked, strict=True)]

    def _share_of(self, word: AskedWord, heading: _Words) -> float:
        found = next((share for share, layer in self.layers if layer.has(word)), 0.0)
        found = found or self.around.share_of(word, 0 if self.claim.context in KEYED else self.start)
        return max(found, HEADED) if found < HEADED and heading.has(word) else found

    def _share_of_money(self, word: ClaimWord, speaks: float) -> float:
        """Return how far an amount of money stands for a word such as "price"; for "budget" a limit does.

        `speaks` is how far the claim speaks of the rest of what is asked for.
        """
        money = [value for value in self.claim.values if value.kind is StatedKind.MONEY or _may_be_money(value)]
        if word.concept in _OF_LIMITS and speaks == 1.0:
            return 1.0 if any(value.bound is Bound.MOST for value in money) else FRAME if money else 0.0
        return (FRAME if speaks == 1.0 else AMOUNT) if money and speaks and word.concept in _OF_MONEY else 0.0


def _may_be_money(value: StatedValue) -> bool:
    is_bare = value.kind is StatedKind.NUMBER and not value.unit
    return is_bare and value.magnitude is not None and value.magnitude >= LEAST_MONEY


def relevant_claims(asked: AskedHistory, found: Sequence[NearClaim], like: Likeness | None = None) -> list[Relevant]:
    """Return the claims that speak of what is asked for nearly as well as the best does, in their order."""
    weighed = weighed_claims(asked, found, like)
    best = max((one.share for one in weighed), default=0.0)
    return [one for one in weighed if one.share >= max(LEAST, NEAR * best)]


def weighed_claims(asked: AskedHistory, found: Sequence[NearClaim], like: Likeness | None = None) -> list[Relevant]:
    """Return each claim with the share of what is asked for that it speaks of."""
    table, readings = _table(asked, found)
    weights = _weights(asked.words, table)
    mean = sum(weights) / max(1, len(weights))
    total = sum(weights) + RATE * mean * len(asked.rates) + UNIT * mean * bool(asked.unit)
    rows = _rows_asked_for(asked, found)
    weighed: list[Relevant] = []
    for place, (one, rates, shares) in enumerate(zip(found, readings, table, strict=True)):
        met = sum(weight * share for weight, share in zip(weights, shares, strict=True))
        met += RATE * mean * len(asked.rates & rates) if met else 0.0
        met += UNIT * mean * (bool(asked.unit) and any(value.unit == asked.unit for value in one.claim.values))
        meant = (like or {}).get(one.claim.key, 0.0)
        share = (met / total if total else 0.0) + MEANING * meant
        if asked.in_words and met and decides(one.claim):
            share += DECISION
        lacks = _lacks_a_name(asked.words, shares, table) or _is_other_row(one.claim, rows)
        lacks = lacks or _is_no_price(asked.words, shares, one.claim)
        if met and (one.claim.as_of or replaced(one.claim.quote)):
            share += DATED
        said = frozenset(word for word, held in zip(asked.words, shares, strict=True) if held == 1.0)
        weighed.append(
            Relevant(
                one.claim,
                0.0 if lacks else share,
                place,
                one.day,
                said,
                headed=max(shares, default=0.0) >= HEADED,
                like=meant,
                lacks_a_name=lacks,
                is_named=_is_named(asked, shares, rates),
            )
        )
    return weighed


def _table(asked: AskedHistory, found: Sequence[NearClaim]) -> tuple[list[Sequence[float]], list[frozenset[str]]]:
    """Return how far each candidate has each word, and the times per which it counts; most say nothing of it."""
    table: list[Sequence[float]] = []
    rates: list[frozenset[str]] = []
    around: dict[tuple[str, str], _Around] = {}
    for one in found:
        claim = one.claim
        place = (claim.path, one.passage)
        beside = around.get(place) or around.setdefault(place, _Around.of(one, asked.words))
        if may_say(asked, " ".join((claim.statement, claim.title, claim.lead, *claim.heading_path))):
            read = _Read.of(one, beside)
            table.append(read.shares_of(asked.words))
            rates.append(read.rates)
        else:
            table.append([beside.share_of(word, one.start) for word in asked.words])
            rates.append(frozenset())
    return table, rates


def _is_named(asked: AskedHistory, shares: Sequence[float], rates: frozenset[str]) -> bool:
    """Tell whether a claim says all that is asked for, or stands under it; half of it not by its title alone."""
    said = sum(share >= HEADED for share in shares)
    is_whole = min(shares, default=0.0) >= FRAME and 2 * said >= len(shares)
    return is_whole and (not asked.rates or bool(asked.rates & rates))


def says_in_words(asked: AskedHistory, one: Relevant) -> bool:
    """Tell whether a claim can answer in words: by one of two things, by a decision, or by what it says itself."""
    if decides(one.claim):
        return True
    if asked.alternatives:
        return bool(one.said & asked.alternatives)
    return one.says or one.like >= ALIKE


def decides(claim: Claim) -> bool:
    """Tell whether a claim says what was decided, or stands under "Decision"."""
    return decides_by(claim.quote) or any(map(_DECISION_HEADING.search, claim.heading_path[-1:]))


def decides_by(text: str) -> bool:
    """Tell whether words say that something was decided, or given up."""
    return bool(_DECIDES.search(text))


def _rows_asked_for(asked: AskedHistory, found: Sequence[NearClaim]) -> dict[str, set[str]]:
    """Return by note what its tables' rows speak of, as far as the question names it: of "alder RAM" the alder rows."""
    rows: dict[str, set[str]] = {}
    for one in found:
        claim = one.claim
        if claim.context is ClaimContext.CELL and claim.subject_from is SubjectSource.ROW:
            words_of_row = _Words(read_words(claim.subject))
            if any(map(words_of_row.has, asked.words)):
                rows.setdefault(claim.path, set()).add(claim.subject)
    return rows


def _is_other_row(claim: Claim, rows: Mapping[str, set[str]]) -> bool:
    is_row = claim.context is ClaimContext.CELL and claim.subject_from is SubjectSource.ROW
    return is_row and claim.path in rows and claim.subject not in rows[claim.path]


def _lacks_a_name(words: Sequence[AskedWord], shares: Sequence[float], table: Sequence[Sequence[float]]) -> bool:
    """Tell whether a name of the question is nowhere about a claim, though other claims have it."""
    return any(
        one.word.is_name and not share and any(row[at] for row in table)
        for at, (one, share) in enumerate(zip(words, shares, strict=True))
    )


def _is_no_price(words: Sequence[AskedWord], shares: Sequence[float], claim: Claim) -> bool:
    """Tell whether a price is asked for, and a claim that names none gives only what is measured: «300 Вт»."""
    unmet = any(one.word.concept in _OF_MONEY and not share for one, share in zip(words, shares, strict=True))
    kinds = {value.kind for value in claim.values if not value.is_time_frame} - {StatedKind.DATE}
    return unmet and bool(kinds) and kinds <= _MEASURED


def _weights(words: Sequence[AskedWord], table: Sequence[Sequence[float]]) -> list[float]:
    """Return how much each word tells, by how few of the candidates have it; no word alone is most of it."""
    holders = [sum(row[at] > BEFORE for row in table) for at in range(len(words))]
    weights = [sqrt(log((len(table) + 2) / (held + 1))) for held in holders]
    least = min((weight for weight, held in zip(weights, holders, strict=True) if held), default=1.0)
    weights = [weight if held else NOWHERE * least for weight, held in zip(weights, holders, strict=True)]
    mean = sum(weights) / max(1, len(weights))
    weights = [max(weight, mean) if one.word.is_name else weight for one, weight in zip(words, weights, strict=True)]
    return [weight * (HEAD if one.is_head else 1.0) for one, weight in zip(words, weights, strict=True)]
