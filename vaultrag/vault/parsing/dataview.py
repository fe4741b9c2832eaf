"""Tasks with their dates, and inline fields, as the Tasks and Dataview plugins write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from vaultrag.domain import BlockKind, InlineField, Task
from vaultrag.text.dates import find_date
from vaultrag.vault.parsing.frontmatter import typed
from vaultrag.vault.parsing.items import ListItem
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import plain_text

DATE_SIGNS = {
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
_NAMES = {name: name for name in DATE_SIGNS.values()} | {"completion": "done"}
SIGNED_DATE = re.compile(rf"({'|'.join(DATE_SIGNS)})\ufe0f?[ \t]{{0,4}}(\d{{4}}-\d\d-\d\d)")
_CODE = re.compile(r"(?<!`)`++[^`\r\n]{1,500}`++|<!--(?:(?!<!--).)*?-->")
# What is no letter or digit before a key goes; its parts are emoji, letters, digits, spaces, `_`, `/` and `-`.
_LINE_KEY = re.compile(r"[^\w]*+(?P<key>[\w\s/\u200d\ufe0f\u2190-\u2bff\U0001f000-\U0001faff-]*+)[_*~`]*+")
_OPENING = re.compile(r"[\[(](?P<key>[^\[\]()\r\n]{1,200}?)::")
_QUOTED = re.compile(r"[ \t>]*")
_FENCE = re.compile(r"^[ \t>]*(?:`{3}|~{3})", re.MULTILINE)
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


def read_fields(
    text: str, stretches: Iterable[tuple[int, int]], items: Iterable[ListItem], line_of: LineOf
) -> Iterator[InlineField]:
    """Read the page's fields as Dataview does, outside code: `[key:: value]` and `(key:: value)` anywhere.

    Without one of these a line, or a list item that is no task, may be a field as a whole: `key:: value`, `key::value`.
    """
    if "::" not in text:
        return
    by_line = {line_of(item.start): item for item in items}
    inside = {
        line for first, item in by_line.items() for line in range(first, line_of(max(item.start, item.end - 1)) + 1)
    }
    for start, end in stretches:
        if "::" not in text[start:end]:
            continue
        at = start
        for line in NEWLINE.split(text[start:end]):
            number = line_of(at)
            found = _bracketed(line) if "::" in line else []
            if not found and number in by_line:
                found = _item_field(text, by_line[number])
            elif not found and number not in inside:
                found = _whole(line)
            yield from (InlineField(key, typed(value), number) for key, value in found)
            at = _after(text, at + len(line))


def canonical_key(key: str) -> str:
    """Return a field's key as Dataview names it: lower case, emoji kept, words joined by hyphens, all else dropped."""
    return "".join(_canonical(char) for char in re.sub(r"\s+", " ", key.strip()))


def _canonical(char: str) -> str:
    if char.isalnum() or char in "_-\u200d\ufe0f" or unicodedata.category(char) == "So":
        return char.lower()
    return "-" if char == " " else ""


def _item_field(text: str, item: ListItem) -> list[tuple[str, str]]:
    """Read an item that is no task as one field, its lines joined."""
    source = text[item.content : item.end]
    if item.task or "::" not in source or _bracketed(source):
        return []
    fence = _FENCE.search(source)
    lines = NEWLINE.split(source[: fence.start()] if fence else source)
    return _whole(" ".join(_QUOTED.sub("", line, count=1).strip() for line in lines).strip())


def _whole(line: str) -> list[tuple[str, str]]:
    """Read a line as one field; a separator inside code is none."""
    if "::" not in line:
        return []
    place = _masked(line).find("::")
    match = _LINE_KEY.fullmatch(line[:place].strip()) if place >= 0 else None
    key = canonical_key(match["key"]) if match else ""
    return [(key, line[place + 2 :].strip())] if key else []


def _bracketed(line: str) -> list[tuple[str, str]]:
    masked = _masked(line)
    found: list[tuple[str, str]] = []
    at = 0
    while match := _OPENING.search(masked, at):
        end = _closing(masked, match.end(), masked[match.start()])
        key = canonical_key(match["key"])
        if end is not None and key:
            found.append((key, line[match.end() : end].strip()))
        at = match.end() if end is None else end
    return found


def _masked(line: str) -> str:
    return _CODE.sub(lambda match: " " * len(match.group()), line)


def _closing(line: str, start: int, opener: str) -> int | None:
    """Return the place of the bracket that closes `opener`, those between in pairs."""
    closer = _CLOSERS[opener]
    depth = 1
    escaped = False
    for place in range(start, min(len(line), start + LONGEST_VALUE)):
        if escaped or line[place] == "\\":
            escaped = not escaped
            continue
        depth += (line[place] == opener) - (line[place] == closer)
        if depth == 0:
            return place
    return None


def _dates(source: str) -> Iterator[tuple[str, str]]:
    for match in SIGNED_DATE.finditer(source):
        if date := find_date(match.group(2)):
            yield DATE_SIGNS[match.group(1)], date
    if "::" not in source:
        return
    for key, value in _bracketed(source):
        name, date = _NAMES.get(key), find_date(value)
        if name and date:
            yield name, date


def _after(text: str, end: int) -> int:
    """Return where the next line begins."""
    return end + 2 if text.startswith("\r\n", end) else end + 1
