"""Whether the vault speaks of a question at all: the floor below which no model is asked."""

from __future__ import annotations

from collections.abc import Sequence

from vaultrag.config import AnsweringSection
from vaultrag.domain import Passage
from vaultrag.language import content_stems, stems


def enough_evidence(question: str, passages: Sequence[Passage], settings: AnsweringSection) -> bool:
    """Tell whether any passage is near enough in meaning, or the passages hold enough of the question's words."""
    if not passages:
        return False
    nearest = max((p.similarity for p in passages if p.similarity is not None), default=None)
    if nearest is not None and nearest >= settings.floor_similarity:
        return True
    return coverage(question, passages) >= settings.floor_coverage


def coverage(question: str, passages: Sequence[Passage]) -> float:
    """Return the largest share of the question's meaning-bearing stems that one passage holds, names included."""
    asked = set(content_stems(question))
    if not asked:
        return 0.0
    held = [len(asked & {*stems(p.chunk.embedded), *stems(p.title)}) for p in passages]
    return max(held, default=0) / len(asked)
