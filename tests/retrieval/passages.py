"""Passages as tests of pure ranking need them."""

from __future__ import annotations

from vaultrag.domain import Chunk, Passage, Span


def passage(
    path: str,
    first_line: int = 1,
    last_line: int = 1,
    text: str = "",
    heading: str = "",
    speaker: str = "",
    features: tuple[str, ...] = (),
    column: int = 1,
) -> Passage:
    """Return a passage of these lines; its id and key are made of its place and text."""
    chunk = Chunk(
        id=f"{path}:{first_line}:{column}",
        path=path,
        heading_path=(heading,) if heading else (),
        span=Span(first_line, column, last_line, max(1, len(text))),
        block_id="",
        speaker=speaker,
        text=text,
        embedded=text,
        language="ru",
        text_hash=text,
        features=features,
    )
    return Passage(chunk, path.removesuffix(".md"), 1.0, ())
