"""Imported AI chats (Nexus AI Chat Importer, current and old form): turns, and the citation marks they carry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vaultrag.domain import Turn
from vaultrag.vault.parsing.dates import parse_moment, writes_month_first
from vaultrag.vault.parsing.lines import Lines

_CALLOUT = re.compile(
    r">(?P<space>[ \t]?)\[!nexus_(?P<role>user|agent)\][+-]?[ \t]*+"
    r"(?:\*\*(?P<author>[^*]{1,200})\*\*)?(?:[ \t]*+[-–—][ \t]*+(?P<time>.{0,100}?))?[ \t]*+"
)
_HEADING = re.compile(
    r"#{3,4}[ \t]+(?P<author>User|Assistant)(?:[ \t]*\((?P<model>[^)]*)\))?, on (?P<time>.{1,100}?);?[ \t]*"
)
_UID = re.compile(r"[ \t]*<!-- UID: (?P<uid>.*?) -->[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BLANK = re.compile(r"[ \t]*")

CITATION_MARK = re.compile(
    r"【\d{1,4}(?::\d{1,4})?(?:†[^】\r\n]{0,120})?】"
    r"|\[\d{1,4}(?::\d{1,4})?†[^\]\r\n]{0,120}\]"
    r"|\ue200[a-z_]{1,30}\ue202[^\ue200\ue201\r\n]{0,600}\ue201"
    r"|\b(?:cite)?(?:\ue202?turn\d{1,4}[a-z]{3,12}\d{1,4})+\b"
    r"|[\ue200-\ue206]"
)
"""Marks of a chat's search tool: `【1†L281-L288】`, `[3†source]`, `citeturn0search1`."""
_MARK_SIGNS = ("【", "†", "turn", *map(chr, range(0xE200, 0xE207)))  # every mark holds one; found far faster than marks


@dataclass(frozen=True, slots=True)
class _Header:
    line: int
    speaker: str
    model: str
    time: str


def clean_text(text: str) -> str:
    """Return the text without the citation marks of chat exports; what stands around them is kept."""
    return CITATION_MARK.sub("", text) if any(sign in text for sign in _MARK_SIGNS) else text


def find_turns(text: str, lines: Lines, created: str = "") -> list[Turn]:
    """Find the messages of an imported chat, in order. A note that is no such chat has none.

    A turn reaches from its header to its `<!-- UID -->`, or where that is missing to the end of its quote.
    `created` is the day the chat began, where the note says so: it tells `03/04` from `04/03`.
    """
    if "nexus_" not in text and ", on " not in text:
        return []
    source = [text[start:end] for start, end in zip(lines.starts, lines.ends, strict=True)]
    headers = list(_headers(source))
    month_first = writes_month_first([header.time for header in headers], created)
    turns: list[Turn] = []
    for index, header in enumerate(headers):
        limit = headers[index + 1].line if index + 1 < len(headers) else len(source)
        last, uid = _turn_end(source, header.line, limit)
        time = parse_moment(header.time, month_first=month_first) if header.time else ""
        turns.append(Turn(header.speaker, header.model, time, uid, lines.starts[header.line], lines.ends[last]))
    return turns


def model_of(turn: Turn, properties: Mapping[str, Any]) -> str:
    """Return which model wrote a message: by its header, else the chat's only model, else the service it is from."""
    if turn.speaker == "user" or turn.model:
        return turn.model
    models = properties.get("models")
    named = models[0] if isinstance(models, list) and len(models) == 1 else properties.get("provider")
    return named.strip() if isinstance(named, str) else ""


def _headers(source: Sequence[str]) -> Iterator[_Header]:
    fence = ""
    for number, line in enumerate(source):
        mark = _FENCE.match(line)
        if mark and (not fence or (mark.group(1).startswith(fence) and not line[mark.end() :].strip())):
            fence = "" if fence else mark.group(1)
        if fence or not line or line[0] not in ">#":
            continue
        header = _callout_header(source, number) or _heading_header(source, number)
        if header:
            yield header


def _callout_header(source: Sequence[str], number: int) -> _Header | None:
    match = _CALLOUT.fullmatch(source[number])
    if not match:
        return None
    if match["space"] and number and source[number - 1].startswith(">"):
        return None  # `> [!nexus_user]` inside a message quotes a chat, it is none
    author = match["author"] or ""
    model = author.partition("·")[2].strip()
    speaker = "user" if match["role"] == "user" else "assistant"
    return _Header(number, speaker, model, (match["time"] or "").strip())


def _heading_header(source: Sequence[str], number: int) -> _Header | None:
    match = _HEADING.fullmatch(source[number])
    if not match:
        return None
    speaker = "user" if match["author"] == "User" else "assistant"
    return _Header(number, speaker, (match["model"] or "").strip(), match["time"].strip())


def _turn_end(source: Sequence[str], first: int, limit: int) -> tuple[int, str]:
    for number in range(first + 1, limit):
        match = _UID.fullmatch(source[number])
        if match:
            return number, match["uid"]
    last = first
    for number in range(first + 1, limit):
        if source[number].startswith(">"):
            last = number
        elif not _BLANK.fullmatch(source[number]) or last > first:
            break
    return last, ""
