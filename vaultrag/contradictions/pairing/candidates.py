"""Which claims a changed one is compared with: by shared words, by links, by a property's name, by nearness in meaning.

Never all pairs: each changed claim meets a bounded number of others, so the cost grows with what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vaultrag.contradictions.pairing.index import ClaimIndex
from vaultrag.contradictions.pairing.neighbours import Near, Neighbourhood
from vaultrag.domain import Claim
from vaultrag.text.language import fold

SHARING = 20  # claims that share the most words with one
LINKED = 8  # claims of each note that is linked to
OF_ATTRIBUTE = 24  # claims of one property: more of them are the form of all notes


class Via(StrEnum):
    """How two claims came together."""

    WORDS = "words"
    LINK = "link"
    ATTRIBUTE = "attribute"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """Two claims by their places, the lesser first; `percentile` is how near they are in meaning, 0 where unknown."""

    one: int
    other: int
    via: frozenset[Via]
    percentile: float = 0.0


def candidates(index: ClaimIndex, places: Sequence[int], neighbourhood: Neighbourhood | None = None) -> list[ClaimPair]:
    """Return what these claims are compared with, each pair once."""
    paths = _Paths(index)
    found: dict[tuple[int, int], set[Via]] = {}
    near = neighbourhood.near(places) if neighbourhood else {}
    for place in places:
        for other, via in _others(index, place, near.get(place, ()), paths):
            if _may_differ(index.readings.claims[place], index.readings.claims[other]):
                found.setdefault((min(place, other), max(place, other)), set()).add(via)
    nearness = neighbourhood.percentile if neighbourhood else _unknown
    return [ClaimPair(one, other, frozenset(via), nearness(one, other)) for (one, other), via in found.items()]


def _others(index: ClaimIndex, place: int, near: Iterable[Near], paths: _Paths) -> Iterator[tuple[int, Via]]:
    yield from ((other, Via.WORDS) for other in index.sharing(place, SHARING))
    yield from ((other, Via.ATTRIBUTE) for other in index.of_attribute(place, OF_ATTRIBUTE))
    for path in paths.linked(place):
        yield from ((other, Via.LINK) for other in index.sharing(place, LINKED, path))
    yield from ((one.place, Via.MEANING) for one in near)


def _may_differ(first: Claim, second: Claim) -> bool:
    """Tell whether two claims are two: not of one sentence, and not cells of one row."""
    if first.path == second.path and first.span == second.span:
        return False
    return first.key != second.key


class _Paths:
    """The notes that notes link to, either way."""

    def __init__(self, index: ClaimIndex) -> None:
        self._index = index
        by_title: dict[str, str] = {}
        for claim in index.readings.claims:
            by_title.setdefault(fold(claim.title), claim.path)
        self._links: dict[str, set[str]] = {}
        for claim in index.readings.claims:
            for target in claim.targets:
                path = by_title.get(fold(target.rsplit("/", 1)[-1].removesuffix(".md")))
                if path and path != claim.path:
                    self._links.setdefault(claim.path, set()).add(path)
                    self._links.setdefault(path, set()).add(claim.path)

    def linked(self, place: int) -> Sequence[str]:
        return sorted(self._links.get(self._index.readings.claims[place].path, ()))


def _unknown(one: int, other: int) -> float:
    return 0.0 * (one + other)
