"""A passage as the model is shown it: where it is from and when, who said it, and its text as a reader sees it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from vaultrag.answering.citations import TURN_HEADER
from vaultrag.answering.shown import as_read, with_addresses
from vaultrag.answering.witness import DAY, told_by
from vaultrag.domain import BlockKind, Chunk, Feature, Passage
from vaultrag.vault.parsing.bases import is_base
from vaultrag.vault.parsing.canvas import is_canvas, shown_strings
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import TABLE_RULE, plain_heading, plain_text
from vaultrag.vault.split import fences_in, open_fence

_NOTE = {"en": "note of", "ru": "заметка от"}
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]++(?P<words>[^\r\n]*+)")


def passage_block(number: int, passage: Passage, start: int, end: int, *, is_first: bool = True) -> str:
    """Return a numbered part of a passage as the model reads it; `is_first` of its note, whose properties it tells."""
    chunk = passage.chunk
    headings = [words for heading in chunk.heading_path if (words := plain_heading(heading)) != passage.title]
    place = " › ".join((passage.title, *headings))
    about = chunk.about if is_first and Feature.PROPERTY not in chunk.features else ""
    told = "; ".join(filter(None, (told_by(chunk) or _dated(chunk, passage.title), about)))
    return f"[{number}] {place}{f' ({told})' if told else ''}\n{_shown(chunk, start, end)}\n\n"


def shown_text(path: str, text: str) -> str:
    """Return a passage's text as its reader sees it: a canvas without its JSON, a message without its header."""
    if is_base(path):
        return text
    return _of_canvas(text, 0, len(text)) if is_canvas(path) else _read(text, "")


def _dated(chunk: Chunk, title: str) -> str:
    """Return the note's day, unless its title names it."""
    day = chunk.date[:DAY]
    known = "ru" if chunk.language == "ru" else "en"
    return f"{_NOTE[known]} {day}" if day and day not in title else ""


def _shown(chunk: Chunk, start: int, end: int) -> str:
    text = chunk.text[start:end]
    if is_canvas(chunk.path):
        return _of_canvas(chunk.text, start, end)
    if start == 0 and chunk.heading_path:
        text = _without_heading(text, chunk.heading_path[-1])
    if is_base(chunk.path):
        return text
    lead = chunk.lead if start == 0 else _opening_above(f"{chunk.lead}\n{chunk.text}", len(chunk.lead) + 1 + start)
    return _read(with_addresses(f"{lead}\n{text}"), chunk.language)


def _of_canvas(text: str, start: int, end: int) -> str:
    return "\n\n".join(as_read(part) for part in shown_strings(text, start, end))


def _read(text: str, language: str) -> str:
    said = "\n".join(line for line in NEWLINE.split(text) if not TURN_HEADER.match(line))
    return as_read(said, language) or plain_text(said, BlockKind.PARAGRAPH)  # a comment, found though no reader sees it


def _without_heading(text: str, heading: str) -> str:
    """Drop a heading that opens the text: its place names it already, and small models copy it."""
    opening = _HEADING.match(text)
    return text[opening.end() :] if opening and opening["words"].strip() == heading else text


def _opening_above(whole: str, start: int) -> str:
    """Return what opened the code or the table that goes on at a place of a text; empty where nothing does."""
    lines = NEWLINE.split(whole[:start].rstrip("\r\n"))
    row = NEWLINE.split(whole[start:], maxsplit=1)[0]
    return open_fence(whole, fences_in(whole), start) or _header_above(lines, row)


def _header_above(lines: Sequence[str], row: str) -> str:
    rows = list(takewhile(lambda line: "|" in line, reversed(lines)))
    is_table = len(rows) > 1 and "|" in row and TABLE_RULE.fullmatch(rows[-2])
    return rows[-1] if is_table else ""
