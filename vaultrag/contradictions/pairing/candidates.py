"""Which claims a changed one is compared with: by shared words, by links, by a property's name, by nearness in meaning.

Never all pairs: each changed claim meets a bounded number of others, so the cost grows with what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.pairing.index import ClaimIndex
from vaultrag.contradictions.pairing.neighbours import Neighbourhood
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


def candidates(index: ClaimIndex, places: Iterable[int], neighbourhood: Neighbourhood | None = None) -> list[ClaimPair]:
    """Return what these claims are compared with, each pair once."""
    paths = _Paths(index)
    found: dict[tuple[int, int], set[Via]] = {}
    for place in places:
        for other, via in _others(index, place, neighbourhood, paths):
            if _may_differ(index.readings[place], index.readings[other]):
                found.setdefault((min(place, other), max(place, other)), set()).add(via)
    nearness = neighbourhood.percentile if neighbourhood else _unknown
    return [ClaimPair(one, other, frozenset(via), nearness(one, other)) for (one, other), via in found.items()]


def _others(
    index: ClaimIndex, place: int, neighbourhood: Neighbourhood | None, paths: _Paths
) -> Iterator[tuple[int, Via]]:
    yield from ((other, Via.WORDS) for other in index.sharing(place, SHARING))
    yield from ((other, Via.ATTRIBUTE) for other in index.of_attribute(place, OF_ATTRIBUTE))
    for path in paths.linked(place):
        yield from ((other, Via.LINK) for other in index.sharing(place, LINKED, path))
    if neighbourhood:
        yield from ((near.place, Via.MEANING) for near in neighbourhood.near(place))


def _may_differ(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether two claims are two: not of one sentence, and not cells of one row."""
    first, second = one.claim, other.claim
    if first.path == second.path and first.span == second.span:
        return False
    return first.key != second.key


class _Paths:
    """The notes that notes link to, either way."""

    def __init__(self, index: ClaimIndex) -> None:
        self._index = index
        by_title: dict[str, str] = {}
        for reading in index.readings:
            by_title.setdefault(fold(reading.claim.title), reading.claim.path)
        self._links: dict[str, set[str]] = {}
        for reading in index.readings:
            for target in reading.claim.targets:
                path = by_title.get(fold(target.rsplit("/", 1)[-1].removesuffix(".md")))
                if path and path != reading.claim.path:
                    self._links.setdefault(reading.claim.path, set()).add(path)
                    self._links.setdefault(path, set()).add(reading.claim.path)

    def linked(self, place: int) -> Sequence[str]:
        return sorted(self._links.get(self._index.readings[place].claim.path, ()))


def _unknown(one: int, other: int) -> float:
    return 0.0 * (one + other)
