"""What a passage holds besides words: tasks, links, code, tables, images, footnotes, a note's properties."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from vaultrag.domain import Block, BlockKind, Chunk, Feature, LinkKind, Note
from vaultrag.vault.parsing.canvas import is_canvas
from vaultrag.vault.parsing.lines import NEWLINE, Lines

# What stands open stops at the next opening: else each would be read up to the end of the line.
_FOOTNOTE = re.compile(r"\[\^(?:(?!\[\^)[^\]\s])+\]|\^\[(?:(?!\^\[)[^\]\r\n])+\]")
_BACKTICKS = re.compile(r"`+")
_INNER_FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:```|~~~)", re.MULTILINE)  # in a list or a quote
_WEB_IMAGE = re.compile(r"!\[(?:(?!!\[)[^\]\r\n])*\]\((?:(?!!\[)[^)\r\n])+\)")
_IMAGE_NAME = re.compile(r"\.(?:bmp|png|jpe?g|gif|svg|webp|avif)\Z", re.IGNORECASE)
_WHOLE = {
    BlockKind.CODE: Feature.CODE,
    BlockKind.TABLE: Feature.TABLE,
    BlockKind.FOOTNOTE: Feature.FOOTNOTE,
    BlockKind.PROPERTIES: Feature.PROPERTY,
}


def _has_code_span(text: str) -> bool:
    """Tell whether on some line two runs of backticks are of one length: those open and close code."""
    lines = (_BACKTICKS.findall(line) for line in NEWLINE.split(text) if "`" in line)
    return any(len(set(runs)) < len(runs) for runs in lines)


_MARKS: tuple[
    tuple[Feature, str, Callable[[str], object]], ...
] = (  # with a sign that each holds: most texts hold none, and looking for one costs next to nothing
    (Feature.FOOTNOTE, "^", _FOOTNOTE.search),
    (Feature.CODE, "`", _has_code_span),
    (Feature.CODE, "```", _INNER_FENCE.search),
    (Feature.CODE, "~~~", _INNER_FENCE.search),
    (Feature.IMAGE, "![", _WEB_IMAGE.search),
)


def with_features(note: Note, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return the chunks of a note with what each holds."""
    reader = _Reader(note)
    return [replace(chunk, features=reader.features(chunk)) for chunk in chunks]


class _Reader:
    def __init__(self, note: Note) -> None:
        self.text = note.text
        self.lines = Lines(note.text)
        self.marked = not is_canvas(note.path)  # a canvas is JSON: its cards' marks are escaped
        self.blocks = [block for block in note.blocks if block.kind in _WHOLE]  # in order, and apart
        self.ends = [block.end for block in self.blocks]
        self.known = sorted(_known_lines(note))
        self.known_lines = [line for line, _ in self.known]

    def features(self, chunk: Chunk) -> tuple[str, ...]:
        start, end = self.lines.offsets(chunk.span)
        blocks = list(takewhile(lambda block: block.start < end, self.blocks[bisect_right(self.ends, start) :]))
        first = bisect_left(self.known_lines, chunk.span.first_line)
        last = bisect_right(self.known_lines, chunk.span.last_line)
        found = {_WHOLE[block.kind] for block in blocks}
        found.update(feature for _, feature in self.known[first:last])
        code = [block for block in blocks if block.kind is BlockKind.CODE]
        for text in self._outside(start, end, code) if self.marked else ():
            found.update(feature for feature, sign, mark in _MARKS if sign in text and mark(text))
        return tuple(sorted(found))

    def _outside(self, start: int, end: int, hidden: Sequence[Block]) -> Iterator[str]:
        """Yield what stands outside code blocks: nothing in there is more than code."""
        for block in hidden:
            yield self.text[start : block.start]
            start = block.end
        yield self.text[start:end]


def _known_lines(note: Note) -> Iterator[tuple[int, Feature]]:
    for task in note.tasks:
        yield task.line, Feature.TASK
    for link in note.links:
        yield link.line, Feature.LINK
        if link.kind is LinkKind.EMBED and _IMAGE_NAME.search(link.target):
            yield link.line, Feature.IMAGE
