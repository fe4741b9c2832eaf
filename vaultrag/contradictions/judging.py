"""What judges are asked: short claim against short claim, both directions, and each pair once.

A judge that fails, gives no number or too few, has not judged: such a pair is counted as not judged, never as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Protocol

from vaultrag.domain.claims import Claim
from vaultrag.errors import ModelError

LONGEST = 200  # characters: a judge trained on short claims loses the end of longer ones
BATCH = 64  # pairs between two looks at the clock


class PairJudge(Protocol):
    """Scores pairs of statements, premise first: the probability that the second contradicts the first.

    `key` names the judge, its version and its wording: what one judge said is not asked of another.
    """

    @property
    def key(self) -> str: ...

    def score(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]: ...


class Veto(Protocol):
    """Tells by each pair whether the first statement entails the second; None where it cannot."""

    @property
    def key(self) -> str: ...

    def entails(self, pairs: Sequence[tuple[str, str]]) -> Sequence[bool | None]: ...


def judged(judge: PairJudge, pairs: Sequence[tuple[Claim, Claim]]) -> list[float | None]:
    """Return how likely each pair contradicts, the higher of both directions; None where the judge failed."""
    texts = [(as_asked(one), as_asked(other)) for one, other in pairs]
    asked = [direction for one, other in texts for direction in ((one, other), (other, one))]
    try:
        scores = list(judge.score(asked))
    except ModelError:
        return [None] * len(pairs)
    if len(scores) != len(asked):
        return [None] * len(pairs)
    return [_highest(scores[place], scores[place + 1]) for place in range(0, len(scores), 2)]


def vetoed(veto: Veto, pairs: Sequence[tuple[Claim, Claim]]) -> list[bool | None]:
    """Return whether either statement of each pair follows from the other; None where that was not told."""
    texts = [(as_asked(one), as_asked(other)) for one, other in pairs]
    asked = [direction for one, other in texts for direction in ((one, other), (other, one))]
    try:
        told = list(veto.entails(asked))
    except ModelError:
        return [None] * len(pairs)
    if len(told) != len(asked):
        return [None] * len(pairs)
    return [_either(told[place], told[place + 1]) for place in range(0, len(told), 2)]


def as_asked(claim: Claim) -> str:
    """Return a claim as a judge reads it: the statement that can be read alone, on one line."""
    return " ".join(claim.statement.split())[:LONGEST]


def _highest(one: float, other: float) -> float | None:
    sound = [score for score in (one, other) if isfinite(score) and 0.0 <= score <= 1.0]
    return max(sound) if len(sound) == 2 else None


def _either(one: bool | None, other: bool | None) -> bool | None:
    return None if one is None and other is None else bool(one) or bool(other)
