"""Notes without text of their own: each has a passage all the same, by which it is found by its name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from vaultrag.domain import BlockKind, Chunk, Note, Span
from vaultrag.text.language import language_of
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.plain import plain_text

LONGEST = 400  # characters of what stands there instead of text, for a reader to know the note by
_EMBEDS = re.compile(r"(?:\s*+(?:!\[\[[^\[\]\r\n]{1,500}\]\]|!\[\]\([^()\r\n]{1,1000}\)))++\s*+")


def with_bare_passages(note: Note, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return a note's chunks, one where it has none; what only shows other files is not embedded.

    A short text is near to every question: as passages like others, such notes would fill the results.
    """
    if not chunks:
        return [_bare(note)]
    body = next((block.start for block in note.blocks if block.kind is not BlockKind.PROPERTIES), None)
    if body is None or "![" not in note.text or not _EMBEDS.fullmatch(note.text, body):
        return list(chunks)
    lines = Lines(note.text)
    return [_shown(note, chunk) if lines.offsets(chunk.span)[0] >= body else chunk for chunk in chunks]


def _bare(note: Note) -> Chunk:
    """Return what stands in a note that says nothing, with its tags as the words it has."""
    is_read_by_people = note.path.lower().endswith(".md")
    start = len(note.text) - len(note.text.lstrip())
    end = min(len(note.text.rstrip()), start + LONGEST) if is_read_by_people else start
    text = note.text[start : max(start, end)]
    return Chunk(
        id=hashlib.sha256(f"{note.path}\0\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:24],
        path=note.path,
        heading_path=(),
        span=Lines(note.text).span(start, start + len(text)) if text else Span(1, 1, 1, 0),
        block_id="",
        speaker="",
        text=text,
        embedded="\n".join(note.tags),
        language=language_of(note.title),
        text_hash="",
    )


def _shown(note: Note, chunk: Chunk) -> Chunk:
    words = plain_text(chunk.text, BlockKind.PARAGRAPH)
    return replace(chunk, embedded=words, language=language_of(note.title), text_hash="")
