"""What a link carries from one found note to another: whom the lines of the linked note are about.

"Her studio: [[Loft]]" in the note of Marina says it of every line of Loft, where her name does not stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vaultrag.answering.evidence.lines import Line
from vaultrag.domain import Passage
from vaultrag.text.morphology import Term
from vaultrag.text.terms import index_terms

LONGEST = 300  # characters of a line that leads: a longer one speaks of much else, and hides the line that it leads to
LEAST_SAID = 0.2  # of the question's weighted words that a link's line must say and the linked note's title does not


def leading_lines(passages: Sequence[Passage], lines: Sequence[Line], asked: Mapping[Term, float]) -> dict[int, Line]:
    """Return the line of another note that leads from the question to a passage, by the passage's index.

    `asked` are the question's words, each with its share of their weight. A line leads to a note that it links to,
    where it says much of the question that the note's own title does not; the one that says most is returned.
    """
    linking = _by_target(passages, lines)
    found: dict[int, Line] = {}
    for index, passage in enumerate(passages):
        left = {term: share for term, share in asked.items() if _named(passage).isdisjoint(term)}
        said = [(_said(left, terms_of(line)), line) for line in linking.get(passage.title.lower(), ())]
        most, line = max(said, key=lambda one: one[0], default=(0.0, None))
        if line is not None and most >= LEAST_SAID:
            found[index] = line
    return found


def terms_of(line: Line) -> frozenset[str]:
    """Return the terms of a line and of what it stands under."""
    return frozenset(index_terms(line.shown))


def _by_target(passages: Sequence[Passage], lines: Sequence[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in (line for line in lines if len(line.words) <= LONGEST):
        for target in line.targets - {passages[line.source.passage].title.lower()}:
            found.setdefault(target, []).append(line)
    return found


def _named(passage: Passage) -> frozenset[str]:
    chunk = passage.chunk
    return frozenset(index_terms(" ".join((passage.title, chunk.path, *chunk.heading_path))))


def _said(asked: Mapping[Term, float], terms: frozenset[str]) -> float:
    return sum(share for term, share in asked.items() if not terms.isdisjoint(term))
