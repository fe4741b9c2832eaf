"""Whether the vault speaks of a question at all: the floor below which no model is asked."""

from __future__ import annotations

from vaultrag.config import AnsweringSection
from vaultrag.domain import SearchResult


def enough_evidence(found: SearchResult, settings: AnsweringSection, said_across: float = 0.0) -> bool:
    """Tell whether any passage is near enough in meaning, or one passage holds enough of the question's words.

    It turns away questions of another world, not those whose subject is in the notes and whose answer is not.
    `said_across` is the share of the question's words that a line in the other language says: no search counts them,
    and likeness in meaning is less across languages.
    """
    nearest = max((p.similarity for p in found.passages if p.similarity is not None), default=0.0)
    said = max(found.coverage, said_across)
    return bool(found.passages) and (nearest >= settings.floor_similarity or said >= settings.floor_coverage)
