"""What a link carries from one found note to another: whom the lines of the linked note are about.

"Her studio: [[Loft]]" in the note of Marina says it of every line of Loft, where her name does not stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vaultrag.answering.evidence.lines import Line
from vaultrag.domain import Passage
from vaultrag.text.morphology import Term
from vaultrag.text.terms import index_terms

LONGEST = 120  # characters of a line that leads: a longer one says something itself, and only mentions the linked note
LEAST_SAID = 0.2  # of the question's weighted words that a link's line must say and the linked note's title does not


@dataclass(frozen=True, slots=True)
class Leading:
    """A line whose link leads to a passage, under what it stands under; `passage` is the index of one of its note."""

    shown: str
    passage: int

    @property
    def terms(self) -> frozenset[str]:
        return frozenset(index_terms(self.shown))


def leading_lines(
    passages: Sequence[Passage], lines: Sequence[Line], asked: Mapping[Term, float]
) -> dict[int, Leading]:
    """Return the line of another note that leads from the question to a passage, by the passage's index.

    `asked` are the question's words, each with its share of their weight. A line leads to a note that it links to,
    where it says much of the question that the note's own title does not; the one that says most is returned.
    """
    linking = _by_target(passages, lines)
    found: dict[int, Leading] = {}
    for index, passage in enumerate(passages):
        left = {term: share for term, share in asked.items() if _named(passage).isdisjoint(term)}
        leads = (*linking.get(passage.title.lower(), ()), *_linked(passage, passages))
        most, lead = max(((_said(left, one.terms), one) for one in leads), key=lambda one: one[0], default=(0.0, None))
        if lead is not None and most >= LEAST_SAID:
            found[index] = lead
    return found


def _by_target(passages: Sequence[Passage], lines: Sequence[Line]) -> dict[str, list[Leading]]:
    found: dict[str, list[Leading]] = {}
    for line in (line for line in lines if len(line.words) <= LONGEST):
        for target in line.targets - {passages[line.source.passage].title.lower()}:
            found.setdefault(target, []).append(Leading(line.shown, line.source.passage))
    return found


def _linked(passage: Passage, passages: Sequence[Passage]) -> list[Leading]:
    """Return the lines that link to a passage's note and are in no passage that was found."""
    first = {other.chunk.path: index for index, other in reversed(list(enumerate(passages)))}
    return [
        Leading(f"{line.title}: {line.text}", first[line.path])
        for line in passage.linked
        if line.path in first and len(line.text) <= LONGEST
    ]


def _named(passage: Passage) -> frozenset[str]:
    chunk = passage.chunk
    return frozenset(index_terms(" ".join((passage.title, chunk.path, *chunk.heading_path))))


def _said(asked: Mapping[Term, float], terms: frozenset[str]) -> float:
    return sum(share for term, share in asked.items() if not terms.isdisjoint(term))
