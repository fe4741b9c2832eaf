"""Passages as a search finds them, made of a few lines, and what stands at a citation's place in them."""

from __future__ import annotations

from collections.abc import Sequence

from vaultrag.domain import Chunk, Citation, Passage, Span


def passage(path: str, text: str, score: float = 1.0, first_line: int = 1) -> Passage:
    lines = text.split("\n")
    span = Span(first_line, 1, first_line + len(lines) - 1, max(1, len(lines[-1])))
    chunk = Chunk(path, path, (), span, "", "", text, text, "ru", path)
    return Passage(chunk, path.rpartition("/")[2].removesuffix(".md"), score, ())


def text_at(passages: Sequence[Passage], citation: Citation) -> str:
    """Return what stands at the citation's span, counted by hand."""
    chunk = next(p.chunk for p in passages if p.chunk.path == citation.path)
    lines = chunk.text.split("\n")
    span = citation.span
    rows = lines[span.first_line - chunk.span.first_line : span.last_line - chunk.span.first_line + 1]
    rows[-1] = rows[-1][: span.last_column]
    rows[0] = rows[0][span.first_column - 1 :]
    return "\n".join(rows)
