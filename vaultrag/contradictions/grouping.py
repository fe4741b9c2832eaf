"""Findings as a reader wants them: copies of a note repeat nothing, and no pair of notes fills a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaultrag.domain import Claim, ClaimFinding
from vaultrag.text.language import fold


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """A finding, and those that put the same words against the same words in other notes, or elsewhere in these."""

    finding: ClaimFinding
    copies: tuple[ClaimFinding, ...] = ()

    @property
    def count(self) -> int:
        return 1 + len(self.copies)

    def places_of(self, claim: Claim) -> list[Claim]:
        """Return where a side of the finding stands, and the copies of it, each note once."""
        words = _words(claim)
        sides = [side for one in (self.finding, *self.copies) for side in (one.one, one.other) if _words(side) == words]
        return list({side.path: side for side in (claim, *sides)}.values())


def side_like(claim: Claim, copy: ClaimFinding) -> Claim:
    """Return the side of a copy that says what a claim says."""
    return copy.one if _words(copy.one) == _words(claim) else copy.other


def grouped(findings: Iterable[ClaimFinding]) -> list[FindingGroup]:
    """Return findings in their order, copies behind the first one of their words."""
    groups: dict[frozenset[str], list[ClaimFinding]] = {}
    for finding in findings:
        groups.setdefault(frozenset({_words(finding.one), _words(finding.other)}), []).append(finding)
    return [FindingGroup(first, tuple(copies)) for first, *copies in groups.values()]


def spread(groups: Sequence[FindingGroup], of_one_pair: int, most: int) -> list[FindingGroup]:
    """Return at most so many groups, in their order: of one pair of notes more than a few only where there is room."""
    seen: Counter[tuple[str, ...]] = Counter()
    first, further = list[int](), list[int]()
    for place, group in enumerate(groups):
        seen[group.finding.paths] += 1
        (first if seen[group.finding.paths] <= of_one_pair else further).append(place)
    return [groups[place] for place in sorted([*first, *further][:most])]


def _words(claim: Claim) -> str:
    return " ".join(fold(claim.quote).split())
