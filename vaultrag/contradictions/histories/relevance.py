"""Which claims speak of what is asked for: by their own words, and less by those that they stand under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

from vaultrag.contradictions.comparing.concepts import ClaimWord, WordSet, concept_of, read_words
from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.histories.asked import AskedHistory, rate_of
from vaultrag.domain import Bound, Claim, ClaimContext, StatedKind, SubjectSource

HEADED = 0.9  # of a word's weight, where the attribute or the list's lead has it, or the heading and little else
HEADING_SHARE = 0.5  # of the words of a heading: below, it names something else, too
FRAME = 0.6  # where only the title or a farther heading has it
AMOUNT = 0.4  # where an amount of money stands for "price", and the claim only stands under what is priced
RATE = 0.5  # of a word's weight: «в неделю» tells a habit from whatever else is said of running
NOWHERE = 0.5  # of the least weight: a word that no candidate has tells them apart from nothing
NEAR = 0.75  # of the best claim's share: what has less speaks of something else
LEAST = 0.45  # of the question's words: below, nothing is found
_TITLE = "Title: "  # of an imported chat: what it began with
_OF_MONEY = frozenset(
    concept_of(word) for word in "price cost rent salary pay fee цена стоимость аренда зарплата плата оклад".split()
)

_KEYED = frozenset({ClaimContext.CELL, ClaimContext.PROPERTY, ClaimContext.FIELD})
_OF_LIMITS = frozenset(map(concept_of, ("budget", "limit", "бюджет", "лимит")))
WORDS_OF_MONEY = _OF_MONEY | _OF_LIMITS


@dataclass(frozen=True, slots=True)
class Relevant:
    """A claim, which share of what is asked for it speaks of, and its place among the claims."""

    claim: Claim
    share: float
    place: int


@dataclass(frozen=True, slots=True)
class _Read:
    claim: Claim
    own: WordSet
    headed: WordSet
    heading: tuple[ClaimWord, ...]
    frame: WordSet
    rates: frozenset[str]

    @classmethod
    def of(cls, claim: Claim) -> _Read:
        reading = ReadClaim.of(claim)
        lead = "" if claim.context is ClaimContext.CELL else claim.lead  # the other columns say nothing of a cell
        headed = read_words(f"{claim.attribute} | {lead}")
        heading = read_words(" ".join(one for one in claim.heading_path[-1:] if not one.startswith(_TITLE)))
        rates = frozenset(filter(None, (rate_of(word.text) for word in read_words(claim.quote))))
        own = reading.words
        if claim.context in _KEYED and claim.subject_from in (SubjectSource.TITLE, SubjectSource.HEADING):
            under = {word.concept for word in read_words(claim.subject)} - {one.concept for one in headed}
            own = tuple(word for word in own if word.concept not in under)
        return cls(claim, WordSet(own), WordSet(headed), heading, reading.frame_set, rates)

    def shares_of(self, words: Sequence[ClaimWord]) -> list[float]:
        asked = WordSet(words)
        met = sum(asked.has(word) for word in self.heading)
        heading = WordSet(self.heading if met >= HEADING_SHARE * len(self.heading) else ())
        shares = [self._share_of(word, heading) for word in words]
        best = max(shares, default=0.0)
        return [max(share, self._share_of_money(word, best)) for share, word in zip(shares, words, strict=True)]

    def _share_of(self, word: ClaimWord, heading: WordSet) -> float:
        if self.own.has(word):
            return 1.0
        if self.headed.has(word) or heading.has(word):
            return HEADED
        return FRAME if self.frame.has(word) else 0.0

    def _share_of_money(self, word: ClaimWord, speaks: float) -> float:
        """Return how far an amount of money stands for a word such as "price"; for "budget" a limit does.

        `speaks` is how far the claim speaks of the rest of what is asked for.
        """
        money = [value for value in self.claim.values if value.kind is StatedKind.MONEY]
        if word.concept in _OF_LIMITS and speaks == 1.0:
            return 1.0 if any(value.bound is Bound.MOST for value in money) else FRAME if money else 0.0
        return (FRAME if speaks == 1.0 else AMOUNT) if money and speaks and word.concept in _OF_MONEY else 0.0


def relevant_claims(asked: AskedHistory, claims: Sequence[Claim]) -> list[Relevant]:
    """Return the claims that speak of what is asked for nearly as well as the best does, in their order."""
    readings = [_Read.of(claim) for claim in claims]
    table = [one.shares_of(asked.words) for one in readings]
    weights = _weights(table, len(asked.words))
    rate = RATE * sum(weights) / max(1, len(weights))
    total = sum(weights) + rate * len(asked.rates)
    found: list[Relevant] = []
    for place, (one, shares) in enumerate(zip(readings, table, strict=True)):
        met = sum(weight * share for weight, share in zip(weights, shares, strict=True))
        met += rate * len(asked.rates & one.rates) if met else 0.0
        found.append(Relevant(one.claim, met / total if total else 0.0, place))
    best = max((one.share for one in found), default=0.0)
    return [one for one in found if one.share >= max(LEAST, NEAR * best)]


def _weights(table: Sequence[Sequence[float]], count: int) -> list[float]:
    """Return how much each word tells, by how few of the candidates have it; no word alone is most of it."""
    holders = [sum(row[at] > 0 for row in table) for at in range(count)]
    weights = [sqrt(log((len(table) + 2) / (held + 1))) for held in holders]
    least = min((weight for weight, held in zip(weights, holders, strict=True) if held), default=1.0)
    return [weight if held else NOWHERE * least for weight, held in zip(weights, holders, strict=True)]
