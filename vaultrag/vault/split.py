"""Cutting one long block: lists at items, tables at rows, code at lines, all else at sentences; at words last."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from vaultrag.domain import BlockKind
from vaultrag.text.language import sentences
from vaultrag.vault.parsing.lines import NEWLINE

FILLED = 0.8  # how much of the room an even part takes: tokens are not spread evenly

Cuts = Callable[[str, int, int], list[int]]
"""Finds the places inside `text[start:end]` where a part may begin."""

Measure = Callable[[int, int], int]
"""Tokens of the words in `text[start:end]`."""

_ITEM = re.compile(r"(?:^|(?<=[\r\n]))(?:[ \t]*>)*([ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]")
_FENCE = re.compile(
    r"(?:^|(?<=[\r\n]))(?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?P<mark>`{3,}|~{3,})(?P<rest>.*)"
)
_BLANK_LINE = re.compile(r"(?:\r\n|\r|\n)(?:[ \t>]*(?:\r\n|\r|\n))+")
_WHOLE = re.compile(  # never cut inside these
    r"\[\[[^\[\]\r\n]{1,300}\]\]|\[[^\[\]\r\n]{1,300}\]\([^()\s]{1,500}\)|`[^`\r\n]{1,300}`|【[^】\r\n]{1,120}】|https?://\S{1,500}"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a block, `end` exclusive, and its tokens."""

    start: int
    end: int
    tokens: int


def split_block(text: str, kind: BlockKind, tokens: int, target: int, room: int, measure: Measure) -> list[Piece]:
    """Cut a block of `tokens` into pieces of about `target` tokens, none above `room`; together they are all of it.

    Pieces are made equal rather than full, so that no crumb is left at the end.
    """
    levels = _LEVELS.get(kind, (_sentence_cuts, _line_cuts))
    if kind is not BlockKind.CODE and (fences := fences_in(text)):
        levels = _around(fences, levels)
    atoms = _fit(text, Piece(0, len(text), tokens), levels, room, measure)
    return _pack(atoms, min(target, room))


def fences_in(text: str) -> list[tuple[int, int]]:
    """Return where code fences stand in a block, whole lines each: in a list, a quote or a callout, too."""
    places: list[tuple[int, int]] = []
    opening: re.Match[str] | None = None
    for line in _FENCE.finditer(text) if "```" in text or "~~~" in text else ():
        if opening is None:
            opening = line
        elif line["mark"].startswith(opening["mark"]) and not line["rest"].strip():
            places.append((opening.start(), line.end()))
            opening = None
    return places if opening is None else [*places, (opening.start(), len(text))]


def open_fence(text: str, fences: Sequence[tuple[int, int]], place: int) -> str:
    """Return the line that opened the code which goes on at a place; empty outside of code."""
    start, end = fences[index] if (index := bisect_left(fences, (place, 0)) - 1) >= 0 else (0, 0)
    return NEWLINE.split(text[start:end], maxsplit=1)[0] if place < end else ""


def halve(text: str, start: int, end: int) -> int:
    """Return the place to cut a stretch in two: the whitespace nearest its middle, else the middle."""
    return _near(text, (start + end) // 2, (end - start) // 4)


def _evenly(text: str, whole: Piece, room: int) -> list[int]:
    """Return places that cut a stretch into equal parts with some room to spare, at whitespace where there is some.

    All at once: halving again and again would read an unbroken text once for each doubling of its length.
    """
    parts = max(2, ceil(whole.tokens / room / FILLED))
    part = (whole.end - whole.start) // parts
    if part < 2:
        return [halve(text, whole.start, whole.end)]
    return [_near(text, whole.start + number * part, part // 4) for number in range(1, parts)]


def _near(text: str, middle: int, reach: int) -> int:
    for distance in range(reach):
        for place in (middle - distance, middle + distance):
            if text[place].isspace():
                return place
    return middle


def _fit(text: str, whole: Piece, levels: Sequence[Cuts], room: int, measure: Measure) -> list[Piece]:
    if whole.tokens <= room or whole.end - whole.start < 2:
        return [whole]
    places: list[int] = []
    while levels and not places:
        places = levels[0](text, whole.start, whole.end)
        levels = levels[1:]
    places = places or _evenly(text, whole, room)
    atoms: list[Piece] = []
    for start, end in zip([whole.start, *places], [*places, whole.end], strict=True):
        atoms.extend(_fit(text, Piece(start, end, measure(start, end)), levels, room, measure))
    return atoms


def _around(fences: Sequence[tuple[int, int]], levels: Sequence[Cuts]) -> tuple[Cuts, ...]:
    """Keep cuts out of fences, and before sentences cut at their borders; a fence alone is cut as code is."""
    starts = [start for start, _ in fences]

    def fence_at(place: int) -> tuple[int, int]:
        index = bisect_right(starts, place) - 1
        return fences[index] if index >= 0 else (0, 0)

    def outside(cuts: Cuts) -> Cuts:
        def kept(text: str, start: int, end: int) -> list[int]:
            if fence_at(start)[1] >= end:
                return []
            return [place for place in cuts(text, start, end) if not fence_at(place)[0] < place < fence_at(place)[1]]

        return kept

    def borders(_: str, start: int, end: int) -> list[int]:
        within = fences[max(0, bisect_right(starts, start) - 1) : bisect_right(starts, end)]
        return sorted({place for fence in within for place in fence if start < place < end})

    def inside(cuts: Cuts) -> Cuts:
        return lambda text, start, end: cuts(text, start, end) if fence_at(start)[1] >= end else []

    sentence = levels.index(_sentence_cuts) if _sentence_cuts in levels else len(levels)
    before, after = ([outside(cuts) for cuts in part] for part in (levels[:sentence], levels[sentence:]))
    return (*before, borders, *after, *(inside(cuts) for cuts in _LEVELS[BlockKind.CODE]))


def _pack(atoms: Sequence[Piece], target: int) -> list[Piece]:
    total = sum(atom.tokens for atom in atoms)
    aim = total / max(1, ceil(total / max(1, target)))
    packed: list[Piece] = []
    for atom in atoms:
        last = packed[-1] if packed else None
        wordless = last is not None and 0 in (last.tokens, atom.tokens)
        if last and (wordless or (last.tokens < aim and last.tokens + atom.tokens <= target)):
            packed[-1] = Piece(last.start, atom.end, last.tokens + atom.tokens)
        else:
            packed.append(atom)
    return packed


def _sentence_cuts(text: str, start: int, end: int) -> list[int]:
    borders = [start + first for first, _ in sentences(text[start:end])[1:]]
    whole = [match.span() for match in _WHOLE.finditer(text, start, end)] if borders else []
    kept: list[int] = []
    at = 0
    for border in borders:
        while at < len(whole) and whole[at][1] <= border:
            at += 1
        if at == len(whole) or border <= whole[at][0]:
            kept.append(border)
    return kept


def _line_cuts(text: str, start: int, end: int) -> list[int]:
    return [match.end() for match in NEWLINE.finditer(text, start, end) if match.end() < end]


def _paragraph_cuts(text: str, start: int, end: int) -> list[int]:
    return [match.end() for match in _BLANK_LINE.finditer(text, start, end) if match.end() < end]


def _item_cuts(text: str, start: int, end: int) -> list[int]:
    return [match.start() for match in _ITEM.finditer(text, start, end) if match.start() > start]


def _outer_item_cuts(text: str, start: int, end: int) -> list[int]:
    items = list(_ITEM.finditer(text, start, end))
    least = min((len(item.group(1)) for item in items), default=0)
    return [item.start() for item in items if item.start() > start and len(item.group(1)) == least]


_LEVELS: dict[BlockKind, tuple[Cuts, ...]] = {
    BlockKind.LIST: (_outer_item_cuts, _item_cuts, _sentence_cuts, _line_cuts),
    BlockKind.TABLE: (_line_cuts, _sentence_cuts),
    BlockKind.CODE: (_paragraph_cuts, _line_cuts),
    BlockKind.MATH: (_line_cuts,),
    BlockKind.PROPERTIES: (_line_cuts, _sentence_cuts),
    BlockKind.HTML: (_paragraph_cuts, _line_cuts, _sentence_cuts),
    BlockKind.CALLOUT: (_paragraph_cuts, _sentence_cuts, _line_cuts),
    BlockKind.QUOTE: (_paragraph_cuts, _sentence_cuts, _line_cuts),
}
