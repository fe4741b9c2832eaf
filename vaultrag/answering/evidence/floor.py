"""Whether the vault speaks of a question at all: the floor below which no model is asked."""

from __future__ import annotations

from vaultrag.config import AnsweringSection
from vaultrag.domain import SearchResult


def enough_evidence(found: SearchResult, settings: AnsweringSection) -> bool:
    """Tell whether any passage is near enough in meaning, or one passage holds enough of the question's words.

    It turns away questions of another world, not those whose subject is in the notes and whose answer is not.
    """
    nearest = max((p.similarity for p in found.passages if p.similarity is not None), default=0.0)
    return bool(found.passages) and (nearest >= settings.floor_similarity or found.coverage >= settings.floor_coverage)
