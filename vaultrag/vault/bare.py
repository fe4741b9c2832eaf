"""What is found by its words alone, for they are near to every meaning: notes without text, names on a canvas."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from vaultrag.domain import Block, BlockKind, Chunk, Note, Span
from vaultrag.text.language import language_of
from vaultrag.vault.parsing.canvas import read_literal
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.plain import plain_text

RUN_LENGTH = 2000  # characters of a canvas's file that names stand in: about ten cards
LONGEST = 400  # characters of what stands there instead of text, for a reader to know the note by
_EMBEDS = re.compile(r"(?:\s*+(?:!\[\[[^\[\]\r\n]{1,500}\]\]|!\[\]\([^()\r\n]{1,1000}\)))++\s*+")


def with_bare_passages(note: Note, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return a note's chunks, one where it has none, and those of the names on a canvas.

    They and what only shows other files are not embedded: a short text is near to every question, and as passages like
    others they would fill the results.
    """
    if any(block.kind is BlockKind.NAME for block in note.blocks):
        return sorted((*chunks, *_names(note)), key=lambda chunk: chunk.span)
    if not chunks:
        return [_bare(note)]
    body = next((block.start for block in note.blocks if block.kind is not BlockKind.PROPERTIES), None)
    if body is None or "![" not in note.text or not _EMBEDS.fullmatch(note.text, body):
        return list(chunks)
    lines = Lines(note.text)
    return [_shown(note, chunk) if lines.offsets(chunk.span)[0] >= body else chunk for chunk in chunks]


def _names(note: Note) -> Iterator[Chunk]:
    """Yield passages of names that stand near each other, with no text between them."""
    lines = Lines(note.text)
    seen: Counter[str] = Counter()
    for run in _runs(note):
        start, end = run[0].start, run[-1].end
        text = note.text[start:end]
        seen[text] += 1
        words = "\n".join(name for block in run if (name := _name(note.text, block)))
        yield Chunk(
            id=digest(f"{note.path}\0\0{text}\0name {seen[text]}")[:24],
            path=note.path,
            heading_path=run[0].heading_path,
            span=lines.span(start, end),
            block_id="",
            speaker="",
            text=text,
            embedded=words,
            language=language_of(words),
            text_hash="",
        )


def _runs(note: Note) -> Iterator[list[Block]]:
    run: list[Block] = []
    for block in note.blocks:
        if run and not _continues(run, block):
            yield run
            run = []
        if block.kind is BlockKind.NAME:
            run.append(block)
    if run:
        yield run


def _continues(run: Sequence[Block], block: Block) -> bool:
    is_near = block.end - run[0].start <= RUN_LENGTH and block.heading_path == run[0].heading_path
    return block.kind is BlockKind.NAME and is_near


def _name(text: str, block: Block) -> str:
    """Return what a canvas shows for a name: of a file not its folders, of a heading not its sign."""
    name = read_literal(text, block.start, block.end).text.strip().removeprefix("#")
    return name if "://" in name else name.rpartition("/")[2].removesuffix(".md")


def _bare(note: Note) -> Chunk:
    """Return what stands in a note that says nothing, with its tags as the words it has."""
    is_read_by_people = note.path.lower().endswith(".md")
    start = len(note.text) - len(note.text.lstrip())
    end = min(len(note.text.rstrip()), start + LONGEST) if is_read_by_people else start
    text = note.text[start : max(start, end)]
    return Chunk(
        id=digest(f"{note.path}\0\0{text}")[:24],
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


def digest(text: str) -> str:
    """Return the hash of a text, whatever is in it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _shown(note: Note, chunk: Chunk) -> Chunk:
    words = plain_text(chunk.text, BlockKind.PARAGRAPH)
    return replace(chunk, embedded=words, language=language_of(note.title), text_hash="")
