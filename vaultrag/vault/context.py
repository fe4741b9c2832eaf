"""Words that stand elsewhere and belong to a passage: its footnotes, what it embeds, the items above a list's part."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from vaultrag.domain import Block, BlockKind, Note
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import plain_text

Transclude = Callable[[str, str], str]
"""The Markdown that an embed shows, by its target and anchor; empty where it shows none."""

_REFERENCE = re.compile(r"\[\^([^\]\s]{1,100})\](?!:)")
_DEFINITION = re.compile(r"[ \t>]*\[\^([^\]\s]{1,100})\]:")
_EMBED = re.compile(r"!\[\[([^\[\]|#\r\n]{1,300})(?:#([^\[\]|\r\n]{1,300}))?(?:\|[^\[\]\r\n]{0,300})?\]\]")
_ITEM = re.compile(r"(?:^|(?<=[\r\n]))(?:[ \t]*>)*(?P<indent>[ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]")
_TAB = " " * 4
SHOWN = 4000  # characters of an embed that are looked at; far more than a passage may take from it
PARENT_LENGTH = 200  # characters of an item that name it above its children


def no_embeds(_target: str, _anchor: str) -> str:
    """Show nothing in place of an embed."""
    return ""


class Elsewhere:
    """The words of a note's footnotes and embeds, for the passages that mention them."""

    def __init__(self, note: Note, transclude: Transclude) -> None:
        self.transclude = transclude
        self.footnotes: dict[str, str] = {}
        for block in note.blocks:
            if block.kind is BlockKind.FOOTNOTE:
                source = note.text[block.start : block.end]
                self.footnotes.setdefault(footnote_id(source), plain_text(source, block.kind))
        self.has_embeds = "![[" in note.text

    def concerns(self, block: Block) -> bool:
        """Whether a part of the block may mention something; saves looking at each."""
        return bool(block.context or self.footnotes or self.has_embeds)

    def words_for(self, block: Block, source: str) -> Iterator[tuple[str, str]]:
        """Yield (what is meant, its words) for all that a part of a block mentions."""
        if block.context:
            yield block.context, block.context
        if block.kind is BlockKind.CODE:
            return
        if self.footnotes and block.kind is not BlockKind.FOOTNOTE:
            for match in _REFERENCE.finditer(source):
                name = match.group(1).lower()
                yield f"[^{name}", self.footnotes.get(name, "")
        if self.has_embeds:
            for match in _EMBED.finditer(source):
                target, anchor = match.group(1).strip(), (match.group(2) or "").strip()
                yield match.group(), plain_text(self.transclude(target, anchor)[:SHOWN], BlockKind.PARAGRAPH)


def footnote_id(source: str) -> str:
    """Return the id that a footnote's text defines, in lower case."""
    match = _DEFINITION.match(source)
    return match.group(1).lower() if match else ""


class Outline:
    """The items of a list's text and which stand above which, by their indentation."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts: list[int] = []
        self.parents: list[int] = []
        above: list[tuple[int, int]] = []
        for number, item in enumerate(_ITEM.finditer(text)):
            indent = len(item["indent"].replace("\t", _TAB))
            while above and above[-1][0] >= indent:
                above.pop()
            self.starts.append(item.start())
            self.parents.append(above[-1][1] if above else -1)
            above.append((indent, number))

    def above(self, place: int) -> list[str]:
        """Return the first lines of the items above the one at this place, the outermost first."""
        number = bisect_right(self.starts, place) - 1
        lines: list[str] = []
        while number >= 0 and (number := self.parents[number]) >= 0:
            lines.insert(0, NEWLINE.split(self.text[self.starts[number] :][:PARENT_LENGTH], maxsplit=1)[0])
        return lines
