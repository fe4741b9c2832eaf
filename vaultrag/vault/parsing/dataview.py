"""Tasks with their dates, and inline fields, as the Tasks and Dataview plugins write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from vaultrag.domain import BlockKind, InlineField, Task
from vaultrag.vault.parsing.dates import find_date
from vaultrag.vault.parsing.frontmatter import typed
from vaultrag.vault.parsing.items import ListItem
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import plain_text

_SIGNS = {
    "➕": "created",
    "🛫": "start",
    "⏳": "scheduled",
    "⌛": "scheduled",
    "📅": "due",
    "📆": "due",
    "🗓": "due",
    "✅": "done",
    "❌": "cancelled",
}
_NAMES = {name: name for name in _SIGNS.values()} | {"completion": "done"}
_SIGN = re.compile(rf"({'|'.join(_SIGNS)})\ufe0f?[ \t]{{0,4}}(\d{{4}}-\d\d-\d\d)")
_CODE = re.compile(r"(?<!`)`++[^`\r\n]{1,500}`++|<!--(?:(?!<!--).)*?-->")
# Dataview takes `a::b` too; without the space it is code in running text more often than a field.
_LINE_FIELD = re.compile(r"[ \t>]*[*_~]{0,3}(?P<key>[^\W\d][\w \t/-]{0,80}?)[*_~]{0,3}[ \t]{0,4}::(?P<value>[ \t].*|)")
_OPENING = re.compile(r"[\[(][*_~]{0,3}(?P<key>[^\W\d][\w \t/-]{0,80}?)[*_~]{0,3}[ \t]{0,4}::(?!:)")
_CLOSERS = {"[": "]", "(": ")"}
LONGEST_VALUE = 1000  # characters of a bracketed field; a bracket that closes later is no field

LineOf = Callable[[int], int]
"""The line of a place in the text, from 1."""


def read_tasks(text: str, items: Iterable[ListItem], line_of: LineOf) -> Iterator[Task]:
    """Read the list items that have a box."""
    for item in items:
        if item.task:
            source = text[item.content : item.end]
            yield Task(item.task, plain_text(source, BlockKind.LIST), line_of(item.start), tuple(_dates(source)))


def read_fields(text: str, stretches: Iterable[tuple[int, int]], line_of: LineOf) -> Iterator[InlineField]:
    """Read the fields outside code: a line `key:: value`, `[key:: value]` and `(key:: value)` anywhere."""
    if "::" not in text:
        return
    for start, end in stretches:
        if "::" not in text[start:end]:
            continue
        at = start
        for line in NEWLINE.split(text[start:end]):
            if "::" in line:
                number = line_of(at)
                yield from (InlineField(key, typed(value), number) for key, value in _fields(line))
            at = _after(text, at + len(line))


def canonical_key(key: str) -> str:
    """Return a field's key as Dataview names it: lower case, words joined by hyphens."""
    return "-".join(key.lower().split())


def _fields(line: str) -> list[tuple[str, str]]:
    line = _CODE.sub(lambda match: " " * len(match.group()), line)
    whole = _LINE_FIELD.fullmatch(line)
    if whole:
        return [(canonical_key(whole["key"]), whole["value"].strip())]
    found: list[tuple[str, str]] = []
    at = 0
    while match := _OPENING.search(line, at):
        end = _closing(line, match.end(), line[match.start()])
        if end is not None:
            found.append((canonical_key(match["key"]), line[match.end() : end].strip()))
        at = match.end() if end is None else end
    return found


def _closing(line: str, start: int, opener: str) -> int | None:
    """Return the place of the bracket that closes `opener`, those between in pairs."""
    closer = _CLOSERS[opener]
    depth = 1
    for place in range(start, min(len(line), start + LONGEST_VALUE)):
        depth += (line[place] == opener) - (line[place] == closer)
        if depth == 0:
            return place
    return None


def _dates(source: str) -> Iterator[tuple[str, str]]:
    for match in _SIGN.finditer(source):
        if date := find_date(match.group(2)):
            yield _SIGNS[match.group(1)], date
    if "::" not in source:
        return
    for key, value in _fields(source):
        name, date = _NAMES.get(key), find_date(value)
        if name and date:
            yield name, date


def _after(text: str, end: int) -> int:
    """Return where the next line begins."""
    return end + 2 if text.startswith("\r\n", end) else end + 1
