"""The place that the part of a link after `#` names: a heading's section, a block, a footnote, a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vaultrag.domain import Block, BlockKind, Note, Span
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.pages import is_pdf

_HEADING_NOISE = re.compile(r"""[!"#$%&()*+,.:;<=>?@^`{|}~/\[\]\\\r\n\s]+""")
_ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_PAGE = re.compile(r"(?:^|&)page=(\d{1,6})(?:&|$)")


def resolve_subpath(note: Note, subpath: str) -> Span | None:
    """Return the place in a note that `#subpath` names, as Obsidian finds it; None where there is none.

    `A#B` is the heading B below A, `^id` a block or a list item, `[^id]` a footnote, `page=3` a page of a PDF.
    """
    parts = [part.strip() for part in subpath.split("#") if part.strip()]
    if not parts:
        return None
    lines = Lines(note.text)
    if is_pdf(note.path):
        page = _PAGE.search(parts[0])
        return _line_span(lines, int(page.group(1))) if page else None
    if len(parts) == 1 and parts[0].startswith("^"):
        place = _block(note, lines, parts[0][1:].lower())
    elif len(parts) == 1 and parts[0].startswith("[^"):
        place = _footnote(note, f"{parts[0].rstrip(']').lower()}]:")
    else:
        place = _section(note, parts)
    return _span(note.text, lines, *place) if place else None


def plain_subpath(heading: str) -> str:
    """Return a heading as links are compared with it: punctuation and case do not count."""
    return _HEADING_NOISE.sub(" ", heading).strip().lower()


def _section(note: Note, parts: Sequence[str]) -> tuple[int, int] | None:
    """Walk the headings in order; each part must match one that stands deeper than the last match."""
    wanted = [plain_subpath(part) for part in parts]
    headings = [block for block in note.blocks if block.kind is BlockKind.HEADING and block.turn is None]
    found, level = 0, 0
    for index, heading in enumerate(headings):
        if heading.level <= level or plain_subpath(_heading_text(note, heading)) != wanted[found]:
            continue
        found, level = found + 1, heading.level
        if found == len(wanted):
            following = (block.start for block in headings[index + 1 :] if block.level <= level)
            return heading.start, next(following, len(note.text))
    return None


def _heading_text(note: Note, heading: Block) -> str:
    source = note.text[heading.start : heading.end]
    return heading.heading_path[-1] if heading.heading_path and heading.heading_path[-1] in source else ""


def _block(note: Note, lines: Lines, name: str) -> tuple[int, int] | None:
    ending = re.compile(rf"(?<=[ \t])\^{re.escape(name)}[ \t]*$", re.IGNORECASE)
    for block in note.blocks:
        if block.block_id.lower() == name:
            return block.start, block.end
        if block.kind is not BlockKind.LIST:
            continue
        for line in range(lines.line_at(block.start), lines.line_at(block.end) + 1):
            if ending.search(note.text[lines.starts[line] : lines.ends[line]]):
                return _item(note, lines, block, line)
    return None


def _item(note: Note, lines: Lines, block: Block, last: int) -> tuple[int, int]:
    first = last
    while lines.starts[first] > block.start and not _ITEM.match(note.text[lines.starts[first] : lines.ends[first]]):
        first -= 1
    return max(block.start, lines.starts[first]), lines.ends[last]


def _footnote(note: Note, opening: str) -> tuple[int, int] | None:
    for block in note.blocks:
        if block.kind is BlockKind.FOOTNOTE and note.text[block.start : block.end].lower().lstrip().startswith(opening):
            return block.start, block.end
    return None


def _line_span(lines: Lines, number: int) -> Span | None:
    if not 1 <= number <= len(lines) or lines.starts[number - 1] == lines.ends[number - 1]:
        return None
    return lines.span(lines.starts[number - 1], lines.ends[number - 1])


def _span(text: str, lines: Lines, start: int, end: int) -> Span:
    while end > start + 1 and text[end - 1].isspace():
        end -= 1
    return lines.span(start, max(end, start + 1))
