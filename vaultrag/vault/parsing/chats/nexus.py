"""Chats that the Nexus AI Chat Importer wrote, in its current and its old form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vaultrag.domain import Turn
from vaultrag.vault.parsing.chats.moments import parse_moment, writes_month_first
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


@dataclass(frozen=True, slots=True)
class _Header:
    line: int
    speaker: str
    model: str
    time: str


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
        start, body = lines.starts[header.line], lines.ends[header.line]
        turns.append(Turn(header.speaker, header.model, time, uid, start, body, lines.ends[last]))
    return turns


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
