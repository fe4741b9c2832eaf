"""Times as chat exports write them, which only the chat as a whole tells apart: day or month first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time

from vaultrag.text.dates import EARLIEST, find_date

_MOMENT = re.compile(
    r"(?<!\d)(?P<a>\d{1,4})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{1,4})(?!\d)"
    r"\D{0,6}(?:(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\s?(?P<half>[AaPp])\.?[Mm])?)?"
)
_TIME_LINE = re.compile(
    r"[\s\[(*_>]{0,20}(?:<time[^<>]{0,99}datetime=\"(?P<iso>[^\"]{8,40})\".{0,200}"
    r"|(?:timestamp: ?)?(?P<told>[\d.,:/tz+ -]{6,40}(?:[ap]\.?m\.?)?)[\s\])*_]{0,20})",
    re.IGNORECASE,
)


def moments_of(texts: Sequence[str], created: str = "") -> list[str]:
    """Return the time that each text of a chat names, as `YYYY-MM-DD[THH:MM[:SS]]`; empty where it names no day."""
    month_first = writes_month_first(texts, created)
    found = [parse_moment(text, month_first=month_first) for text in texts]
    return [
        time if time != text and time >= EARLIEST else find_date(text) for time, text in zip(found, texts, strict=True)
    ]


def holds_moment(text: str) -> bool:
    return bool(_MOMENT.search(text) or find_date(text))


def time_line(line: str) -> str:
    """Return the time where a line of a chat says nothing else: `[Timestamp: 2024/12/02 00:04:50]`."""
    match = _TIME_LINE.fullmatch(line)
    return (match["iso"] or match["told"]) if match else ""


def parse_moment(text: str, *, month_first: bool) -> str:
    """Return a chat's timestamp as `YYYY-MM-DDTHH:MM[:SS]`; the text itself where it is of no known form."""
    match = _MOMENT.search(text)
    if not match:
        return text
    a, b, c = int(match["a"]), int(match["b"]), int(match["c"])
    year, month, day = (a, b, c) if len(match["a"]) == 4 else (c, a, b) if month_first else (c, b, a)
    try:
        return _moment(match, year, month, day)
    except ValueError:
        return text


def writes_month_first(texts: Sequence[str], created: str = "") -> bool:
    """Tell whether timestamps such as `03/04/2025` are American.

    A number over 12 says it, else the day the chat began, else whether they have AM and PM.
    """
    moments = [match for text in texts if (match := _MOMENT.search(text)) and match["sep"] == "/"]
    moments = [match for match in moments if len(match["a"]) < 4]
    for match in moments:
        if int(match["a"]) > 12:
            return False
        if int(match["b"]) > 12:
            return True
    if moments and created:
        american, other = (_days_apart(moments[0], created, month_first=first) for first in (True, False))
        if american != other:
            return american < other
    return any(match["half"] for match in moments)


def _days_apart(match: re.Match[str], created: str, *, month_first: bool) -> int:
    a, b, year = int(match["a"]), int(match["b"]), int(match["c"])
    month, day = (a, b) if month_first else (b, a)
    try:
        return abs((date(year, month, day) - date.fromisoformat(created)).days)
    except ValueError:
        return date.max.toordinal()


def _moment(match: re.Match[str], year: int, month: int, day: int) -> str:
    if not match["hour"]:
        return date(year, month, day).isoformat()
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    at = time(hour, int(match["minute"]), int(match["second"] or 0))  # exports write local time without a zone
    return f"{date(year, month, day).isoformat()}T{at.isoformat('seconds' if match['second'] else 'minutes')}"
