"""List items as Obsidian counts them: where each stands, whose child it is, and the sign in its box."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.syntax import BLOCK_ID

_BEFORE = re.compile(r"[ \t>]*")
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]*")
_INNER = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
_BOX = re.compile(r"\[(?P<sign>[^\r\n])\](?:[ \t]+|(?=[\r\n]|\Z))")
ID_REACH = 200  # characters at the end of an item in which its block id may stand


@dataclass(frozen=True, slots=True)
class ListItem:
    """A list item without its children; lines count from 0, `end` is exclusive.

    `parent` is the line of the item above it; for an outermost item the negative line of its list, -1 for line 0.
    `task` is the sign in its box, empty where it has none. `content` is where its own text begins.
    """

    start: int
    end: int
    line: int
    parent: int
    task: str
    content: int
    block_id: str


@dataclass(slots=True)
class _Open:
    """An item whose end is not known yet: its lines, `last` exclusive, and where its marker stands."""

    first: int
    last: int
    parent: int
    marker: int
    content: int


def read_items(
    tokens: Sequence[Token], text: str, lines: Lines, place: Callable[[Token], tuple[int, int]]
) -> list[ListItem]:
    """Read the items of all lists, in order. `place` gives the lines of a token, `end` exclusive."""
    found: list[_Open] = []
    around: list[_Open] = []
    lists: list[int] = []
    for token in tokens:
        if token.type.endswith("_list_open"):
            lists.append(place(token)[0])
            if around and lists[-1] > around[-1].first:
                around[-1].last = min(around[-1].last, lists[-1])
        elif token.type.endswith("_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            found.append(_opened(text, lines, place(token), lists[-1], around))
            around.append(found[-1])
        elif token.type == "list_item_close":
            around.pop()
    return [item for part in found for item in _closed(part, text, lines)]


def _opened(text: str, lines: Lines, place: tuple[int, int], top: int, around: Sequence[_Open]) -> _Open:
    first, last = place
    parent = around[-1] if around else None
    at = parent.content if parent and parent.first == first else lines.starts[first]
    before = _BEFORE.match(text, at, lines.ends[first])
    marker = before.end() if before else at
    match = _MARKER.match(text, marker, lines.ends[first])
    return _Open(first, last, parent.first if parent else -(top or 1), marker, match.end() if match else marker)


def _closed(item: _Open, text: str, lines: Lines) -> Iterator[ListItem]:
    """Yield the item, and the one that the app sees in its own line: `- [ ] 1. text` holds an item `1.`."""
    last = item.last
    while last > item.first + 1 and not text[lines.starts[last - 1] : lines.ends[last - 1]].strip(" \t>"):
        last -= 1
    end = max(item.content, lines.ends[last - 1])
    box = _BOX.match(text, item.content, end)
    tail = text[max(item.content, end - ID_REACH) : end]
    name = BLOCK_ID.search(tail) if "^" in tail else None
    content = box.end() if box else item.content
    block_id = name.group(1) if name else ""
    yield ListItem(item.marker, end, item.first, item.parent, box["sign"] if box else "", content, block_id)
    inner = _INNER.match(text, content, end) if box else None
    if inner:
        yield ListItem(content, end, item.first, item.first, "", inner.end(), block_id)
