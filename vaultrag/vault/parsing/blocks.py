"""Block structure: headings, blocks under their heading path, block ids, and the stretches that hold inline syntax."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from markdown_it.token import Token

from vaultrag.domain import Block, BlockKind, Turn
from vaultrag.vault.parsing.items import ListItem, read_items
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.markdown import block_parser
from vaultrag.vault.parsing.syntax import BLOCK_ID

_CALLOUT = re.compile(r"[ \t]*+(?:>[ \t]*+)++\[!(?P<type>[^\]|\r\n]++)[^\]\r\n]*+\]")
_QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
_NOTHING = re.compile(r"[\s>]*")
_KINDS = {
    "paragraph_open": BlockKind.PARAGRAPH,
    "bullet_list_open": BlockKind.LIST,
    "ordered_list_open": BlockKind.LIST,
    "table_open": BlockKind.TABLE,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
    "html_block": BlockKind.HTML,
    "comment": BlockKind.COMMENT,
    "math": BlockKind.MATH,
    "footnote": BlockKind.FOOTNOTE,
}
_INLINE_HOLDERS = frozenset(("inline", "comment", "footnote"))


@dataclass(frozen=True, slots=True)
class HeadingLine:
    """A heading as written, Markdown and links included."""

    level: int
    text: str
    start: int
    end: int
    turn: int | None


@dataclass(slots=True)
class Structure:
    """The blocks of a text in order, its headings, list items, and the stretches in which links and tags are read."""

    blocks: list[Block] = field(default_factory=list)
    headings: list[HeadingLine] = field(default_factory=list)
    items: list[ListItem] = field(default_factory=list)
    inline: list[tuple[int, int]] = field(default_factory=list)


def read_structure(text: str, lines: Lines, body: int, turns: Sequence[Turn]) -> Structure:
    """Read the blocks of `text[body:]`. Every character outside thematic breaks belongs to one block or is blank."""
    first = lines.line_at(body) + (1 if body else 0)
    if first >= len(lines):
        return Structure()
    return _Reader(text, lines, first, turns).read()


class _Reader:
    def __init__(self, text: str, lines: Lines, first: int, turns: Sequence[Turn]) -> None:
        self.text = text
        self.lines = lines
        self.first = first
        self.turns = turns
        self.turn_of_line = {
            line: index
            for index, turn in enumerate(turns)
            for line in range(lines.line_at(turn.start), lines.line_at(turn.end - 1) + 1)
        }
        self.header_lines = {lines.line_at(turn.start): index for index, turn in enumerate(turns)}
        self.part = first
        self.structure = Structure()
        self.outline: list[tuple[int, str]] = []
        self.chat_path: tuple[str, ...] = ()
        self.current_turn: int | None = None
        self.turn_outline: list[tuple[int, str]] = []
        self.breaks: set[int] = set()

    def read(self) -> Structure:
        starts = sorted({self.first, *(line for line in self.header_lines if line > self.first)})
        for start, end in pairwise([*starts, len(self.lines)]):
            self.part = start
            self._read_part(self._source(start, end))
        self.structure.blocks = _with_block_ids(self.text, self._without_gaps())
        return self.structure

    def _read_part(self, source: str) -> None:
        tokens = block_parser().parse(source)
        self._collect_inline(tokens)
        self.structure.items += read_items(tokens, self.text, self.lines, self._range)
        if self.part in self.header_lines:
            self._turn_header(self.part, self.header_lines[self.part])
        for node in _siblings(tokens):
            self._node(node, self.turn_of_line.get(self._range(node[0])[0]))

    def _source(self, first: int, end: int) -> str:
        """Return some lines, which no message but the first begins within; what opens that becomes blank.

        They end with a line break: without one the parser looks past the end of `> <!--` and an empty quoted line.
        """
        start, stop = self.lines.starts[first], self.lines.ends[end - 1]
        if first not in self.header_lines:
            return f"{self.text[start:stop]}\n"
        body = self.turns[self.header_lines[first]].body
        quote = _QUOTE.match(self.text, start, body) if body < self.lines.ends[first] else None
        return f"{quote.group() if quote else ''} {self.text[body:stop]}\n"  # the space: lest `\r` and `\n` meet

    def _collect_inline(self, tokens: Sequence[Token]) -> None:
        seen: set[tuple[int, int]] = set()
        table: tuple[int, int] | None = None
        for token in tokens:
            if token.type == "table_open":
                table = self._range(token)
            elif token.type == "table_close":
                table = None
            if token.type in _INLINE_HOLDERS and (table or token.map):
                place = table or self._range(token)
                if place not in seen:
                    seen.add(place)
                    self.structure.inline.append((self.lines.starts[place[0]], self.lines.ends[place[1] - 1]))

    def _node(self, node: Sequence[Token], turn: int | None) -> None:
        head = node[0]
        if head.type == "blockquote_open" and turn is not None:
            children = list(_siblings(node[1:-1]))
            if len(children) == 1 and children[0][0].type == "blockquote_open":
                children = list(_siblings(children[0][1:-1]))  # the old form quotes the assistant twice
            for child in children:
                self._node_in(child, turn)
        else:
            self._node_in(node, turn)

    def _node_in(self, node: Sequence[Token], turn: int | None) -> None:
        head = node[0]
        start, end = self._range(head)
        if head.type == "hr":
            self.breaks.update(range(start, end))
        elif head.type == "heading_open":
            self._heading(int(head.tag[1:]), node[1].content.strip(), start, end, turn)
        elif head.type == "blockquote_open":
            callout = _CALLOUT.match(self.text, self.lines.starts[start])
            kind = BlockKind.CALLOUT if callout else BlockKind.QUOTE
            self._append(kind, start, end, turn, callout=callout["type"].strip().lower() if callout else "")
        else:
            self._append(_KINDS.get(head.type, BlockKind.PARAGRAPH), start, end, turn)

    def _heading(self, level: int, heading: str, start: int, end: int, turn: int | None) -> None:
        outline = self._outline(turn)
        while outline and outline[-1][0] >= level:
            outline.pop()
        outline.append((level, heading))
        self._append(BlockKind.HEADING, start, end, turn, level=level)
        block = self.structure.blocks[-1]
        self.structure.headings.append(HeadingLine(level, heading, block.start, block.end, turn))

    def _turn_header(self, line: int, turn: int) -> None:
        if self.current_turn is None:
            self.chat_path = self._path(None)
        self._outline(turn)
        self._append(BlockKind.TURN, line, line + 1, turn)

    def _outline(self, turn: int | None) -> list[tuple[int, str]]:
        """Return the open headings: the note's own, or in a message those of the message."""
        if turn is None:
            return self.outline
        if turn != self.current_turn:
            self.current_turn = turn
            self.turn_outline = []
        return self.turn_outline

    def _path(self, turn: int | None) -> tuple[str, ...]:
        path = tuple(heading for _, heading in self._outline(turn) if heading)
        return self.chat_path + path if turn is not None else path

    def _append(
        self, kind: BlockKind, start: int, end: int, turn: int | None, *, level: int = 0, callout: str = ""
    ) -> None:
        while end > start + 1 and self._is_blank(end - 1, turn):
            end -= 1
        place = self._start_of(start), self.lines.ends[end - 1]
        if kind is BlockKind.TURN and turn is not None:
            place = self.turns[turn].start, self.turns[turn].body
        self.structure.blocks.append(Block(kind, *place, self._path(turn), "", turn, level, callout))

    def _start_of(self, line: int) -> int:
        """Return where a block of a line begins: behind the name that opens a message there."""
        return self.turns[self.header_lines[line]].body if line in self.header_lines else self.lines.starts[line]

    def _is_blank(self, line: int, turn: int | None) -> bool:
        source = self.text[self._start_of(line) : self.lines.ends[line]].strip()  # as the parser saw it
        return not source or (turn is not None and not source.strip("> \t"))

    def _range(self, token: Token) -> tuple[int, int]:
        assert token.map is not None  # every block token that is asked for carries its lines
        start, end = token.map[0] + self.part, token.map[1] + self.part
        return start, min(max(end, start + 1), len(self.lines))

    def _without_gaps(self) -> list[Block]:
        """Add what no token covers (quotes nested past the parser's limit, for one) as paragraphs."""
        filled: list[Block] = []
        line = self.first
        path: tuple[str, ...] = ()
        for block in self.structure.blocks:
            filled.extend(self._gap(line, self.lines.line_at(block.start), path))
            filled.append(block)
            line, path = self.lines.line_at(max(block.start, block.end - 1)) + 1, block.heading_path
        filled.extend(self._gap(line, len(self.lines), path))
        return filled

    def _gap(self, line: int, until: int, path: tuple[str, ...]) -> Iterator[Block]:
        for number in range(line, until):
            start, end = self.lines.starts[number], self.lines.ends[number]
            if number not in self.breaks and not _NOTHING.fullmatch(self.text, start, end):
                yield Block(BlockKind.PARAGRAPH, start, end, path, "", self.turn_of_line.get(number))


def _siblings(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Split a flat list of tokens into its outermost nodes."""
    start = 0
    depth = 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : index + 1]
            start = index + 1


def _with_block_ids(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Name each block by the id at its end; an id on a line of its own names the block above it."""
    named: list[Block] = []
    for block in blocks:
        if block.kind is BlockKind.CODE or block.kind is BlockKind.HEADING:
            named.append(block)
            continue
        tail = text[max(block.start, block.end - 200) : block.end]
        match = BLOCK_ID.search(tail) if "^" in tail else None
        if not match:
            named.append(block)
            continue
        alone = text[block.start : block.end].strip() == match.group().strip()
        if alone and named and named[-1].turn == block.turn and named[-1].kind is not BlockKind.HEADING:
            named[-1] = replace(named[-1], end=block.end, block_id=match.group(1))
        else:
            named.append(block if block.kind is BlockKind.LIST else replace(block, block_id=match.group(1)))
    return named
