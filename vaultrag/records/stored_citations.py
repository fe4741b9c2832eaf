"""The form in which a citation is kept: the base of all that answers and analyses are kept in."""

from __future__ import annotations

from typing import cast

from pydantic import BaseModel, ConfigDict

from vaultrag.domain import Citation, Span, Verification


class StoredForm(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)  # built when first used


class StoredCitation(StoredForm):
    number: int
    path: str
    heading: list[str]
    block: str
    lines: tuple[int, int]
    columns: tuple[int, int]
    quote: str
    verified: str
    score: float = 0.0


def stored_citation(citation: Citation) -> StoredCitation:
    """Return the form in which a citation is kept."""
    span = citation.span
    return StoredCitation(
        number=citation.number,
        path=citation.path,
        heading=list(citation.heading_path),
        block=citation.block_id,
        lines=(span.first_line, span.last_line),
        columns=(span.first_column, span.last_column),
        quote=citation.quote,
        verified=citation.verified,
        score=citation.score,
    )


def citation_of(stored: StoredCitation) -> Citation:
    """Return a citation as it was kept."""
    return Citation(
        number=stored.number,
        path=stored.path,
        heading_path=tuple(stored.heading),
        block_id=stored.block,
        span=Span(stored.lines[0], stored.columns[0], stored.lines[1], stored.columns[1]),
        quote=stored.quote,
        verified=cast(Verification, stored.verified),
        score=stored.score,
    )
