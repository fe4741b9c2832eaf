"""Answers to questions about the vault itself: what its catalogue lists, each note at a line of its own."""

from __future__ import annotations

from collections.abc import Mapping

from vaultrag.answering.citations import with_marks, without_lead
from vaultrag.answering.shown import as_read
from vaultrag.domain import Answer, AnswerStatus, AnswerStyle, Citation, Level, Listing, SearchResult


def answer_of_listing(question: str, listing: Listing, found: SearchResult, timings: Mapping[str, float]) -> Answer:
    """Return the answer that the catalogue gives alone: what was counted, and each note at its line."""
    rows = [with_marks(_row(citation), (citation.number,)) for citation in listing.citations]
    return Answer(
        question=question,
        status=AnswerStatus.ANSWERED,
        text="\n".join((listing.counted, *rows)),
        sentences=(),
        citations=listing.citations,
        passages=found.passages,
        model="",
        timings=timings,
        tokens={},
        warnings=found.warnings,
        level=Level.BACKED,
        style=AnswerStyle.QUOTES,
        listing=listing,
    )


def _row(citation: Citation) -> str:
    """Return a note's name with the line that shows why it is listed, as its reader sees it."""
    name = citation.path.rpartition("/")[2].removesuffix(".md")
    return f"- {name}: {as_read(without_lead(citation.quote)) or citation.quote}"
