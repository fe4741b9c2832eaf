"""What stands in a block of a note: its characters, and the words in any part of it."""

from __future__ import annotations

import re

from vaultrag.domain import Block, BlockKind, Note
from vaultrag.text.machine_data import (
    PLUGIN_HEADINGS,
    Stretch,
    may_hold_machine_data,
    parts_between,
    without_machine_data,
)
from vaultrag.vault.parsing.canvas import Literal, is_canvas, read_literal
from vaultrag.vault.parsing.plain import plain_text, shown_words, without_comments

_CODE_DEPTH = re.compile(r" {0,3}(?:> ?)*")
_ITEM_ID = re.compile(r"(?<=[ \t])\^([A-Za-z0-9-]+)[ \t]*(?=[\r\n]|\Z)")
_WORD = re.compile(r"[^\W_]")


class BlockText:
    """Reads the blocks of one note, and remembers which of them may hold machine data: most notes hold none."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self.is_canvas = is_canvas(note.path)
        self.plugin_headings = next((names for key, names in PLUGIN_HEADINGS if key in note.properties), frozenset())
        self._may_hold_data = may_hold_machine_data(note.text)
        self._clean: set[int] = set()

    def literal(self, block: Block) -> Literal:
        """Return a block's text, and where each of its characters stands in the note."""
        if self.is_canvas:
            return read_literal(self.note.text, block.start, block.end)
        return Literal(self.note.text[block.start : block.end], range(block.start, block.end + 1))

    def block_id(self, block: Block, start: int, end: int) -> str:
        """Return a block's id; of a part of a list that of its first item with one."""
        is_list = block.kind is BlockKind.LIST and not block.block_id
        item = _ITEM_ID.search(self.note.text, start, end) if is_list else None
        return item.group(1) if item else block.block_id

    def parts(self, block: Block, literal: Literal) -> list[Stretch]:
        """Return the stretches of a block that people may have written: all of it, save long machine data."""
        whole = [(0, len(literal.text))]
        is_code = block.kind is BlockKind.CODE
        if not self._may_hold_data and not is_code:
            return whole
        between = parts_between(literal.text, is_code=is_code)
        if between is None:
            self._clean.add(block.start)
        return whole if between is None else between

    def words(self, part: str, block: Block, whole: str) -> str:
        """Return the words of a part; its own characters where there are word characters but no words."""
        depth = 0
        is_code = block.kind is BlockKind.CODE
        if is_code:
            opening = _CODE_DEPTH.match(whole)
            depth = opening.group().count(">") if opening else 0
        is_clean = block.start in self._clean or not (self._may_hold_data or is_code)
        words = (shown_words if is_clean else plain_text)(part, block.kind, depth)
        if _WORD.search(words):
            return words
        bare = without_comments(part if is_clean else without_machine_data(part, is_code=is_code)).strip()
        return bare if _WORD.search(bare) else words
