"""Whether two claims speak of one thing: how much of what each says the other says, too, or stands under.

Most false contradictions of any judge are pairs that speak of different things, so this comes first. Words count by how
rare they are among the claims; what differs as a value does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from vaultrag.contradictions.comparing.concepts import ClaimWord, WordSet, read_words
from vaultrag.contradictions.comparing.labels import key_of
from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.comparing.subjects import titles_meet
from vaultrag.domain import StatedKind

Rarity: TypeAlias = Callable[[ClaimWord], float]
"""How much a word tells: nothing where every claim has it."""
LONG = 12  # words of a claim's own: who says so much says several things
FEWEST = 2  # words of a clause that is about something by itself
MOST = 0.9  # of a clause's share: that it says all of what the other says does not make the claims one
AGREED = 3.0  # of an amount that both give, as much as of a rare word
_TELLING = frozenset({StatedKind.MEASURE, StatedKind.MONEY, StatedKind.TIME})
FRAME = 0.5  # of a word's weight, where only what the other claim stands under has it


@dataclass(frozen=True, slots=True)
class Topic:
    """What two claims share: the rarity of the words that both have, and its share of what each says.

    `named` is the rarest shared word. `apart` tells that each names what the other nowhere does, `titles` that their
    notes are named alike, or one by the other claim. `count` words of the claim that has fewer of them are shared,
    `length` words has the longer claim of its own. They are `keyed` where both are of one note, and one speaks of what
    the other gives a value: "hotel: four nights".
    """

    shared: float
    one: float
    other: float
    named: float
    own_shared: float
    apart: bool
    titles: bool = True
    count: int = 2
    length: int = 0
    keyed: bool = False

    @property
    def share(self) -> float:
        """The share of the claim that has more of its own."""
        return min(self.one, self.other)


def topic_of(one: ReadClaim, other: ReadClaim, rarity: Rarity) -> Topic:
    """Weigh what two claims share."""
    agreed = [(AGREED, 1.0)] * _agreeing(one, other)
    first, second = [*_matched(one, other, rarity), *agreed], [*_matched(other, one, rarity), *agreed]
    frames = [rarity(word) for word in one.frame if other.frame_set.has(word)]
    own = [weight for weight, factor in first if factor == 1]
    return Topic(
        shared=sum(weight * factor for weight, factor in first) + FRAME * sum(frames),
        one=_share(first),
        other=_share(second),
        named=max([weight for weight, factor in first if factor] + frames, default=0.0),
        own_shared=sum(own),
        apart=_names_apart(one, other) and _names_apart(other, one),
        titles=one.claim.path == other.claim.path or titles_meet(one, other),
        keyed=one.claim.path == other.claim.path and (_speaks_of_key(one, other) or _speaks_of_key(other, one)),
        length=max(len(one.own), len(other.own)),
        count=min(sum(factor > 0 for _, factor in matched) for matched in (first, second)),
    )


def _agreeing(one: ReadClaim, other: ReadClaim) -> int:
    """Return how many amounts both claims give alike: "240 m²" in both says more of one thing than a word does."""
    first, second = (
        {(value.kind, value.magnitude, value.unit) for value in reading.claim.values if value.kind in _TELLING}
        for reading in (one, other)
    )
    return len(first & second)


def topic_at(
    topic: Topic, one: ReadClaim, other: ReadClaim, values: tuple[str, str], rarity: Rarity, *, is_denial: bool
) -> Topic:
    """Return a topic with the shares of the clauses that give two values, where they are greater than the claims'.

    "database is MySQL 8, ask me for the dump" speaks of the database first and then of something else. A denial
    says nothing beyond its clause.
    """
    near = topic_of(_clause_of(one, values[0]), _clause_of(other, values[1]), rarity)
    if is_denial:
        return replace(topic, one=min(topic.one, near.one), other=min(topic.other, near.other))
    if topic.length >= LONG or near.share <= topic.share:
        return topic
    return replace(topic, one=min(near.one, MOST), other=min(near.other, MOST), count=max(near.count, topic.count))


def _clause_of(reading: ReadClaim, value: str) -> ReadClaim:
    """Return a claim narrowed to the clauses in which a value stands; what the others say it stands under."""
    named = {word.text for word in read_words(value)}
    clauses = {word.clause for word in reading.words if word.text in named}
    own = tuple(word for word in reading.own if word.clause in clauses)
    if len(own) < FEWEST or len(own) == len(reading.own):
        return reading
    frame = (*(word for word in reading.own if word.clause not in clauses), *reading.frame)
    return replace(reading, own=own, frame=frame, own_set=WordSet(own), frame_set=WordSet(frame))


def _matched(one: ReadClaim, other: ReadClaim, rarity: Rarity) -> list[tuple[float, float]]:
    """Return the weight of each word that a claim says, and how far the other has it."""
    return [
        (rarity(word), 1.0 if other.own_set.has(word) else FRAME if other.frame_set.has(word) else 0.0)
        for word in one.own
    ]


def _share(matched: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for weight, _ in matched)
    return sum(weight * factor for weight, factor in matched) / total if total else 0.0


def _speaks_of_key(one: ReadClaim, other: ReadClaim) -> bool:
    key = key_of(other.claim)
    return bool(key) and all(one.own_set.has(word) for word in key)


def _names_apart(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether a claim names somebody or something that the other nowhere does."""
    names = [word for word in one.own if word.is_name and not word.is_first]
    return any(not (other.own_set.has(name) or other.frame_set.has(name)) for name in names)
