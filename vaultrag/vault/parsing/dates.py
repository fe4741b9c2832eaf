"""Dates and times as people and chat exports write them, in Russian and English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time

_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTHS = {
    "янв": 1,
    "фев": 2,
    "мар": 3,
    "апр": 4,
    "мая": 5,
    "май": 5,
    "июн": 6,
    "июл": 7,
    "авг": 8,
    "сен": 9,
    "окт": 10,
    "ноя": 11,
    "дек": 12,
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_NAMED = rf"(?P<name>{'|'.join(_MONTHS)})[^\W\d_]{{0,8}}\.?"
_DATES = (
    re.compile(rf"(?<!\d){_YEAR}(?P<sep>[-./_]?)(?P<month>\d\d)(?P=sep)(?P<day>\d\d)(?!\d)"),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})(?P<sep>[.-])(?P<month>\d{{1,2}})(?P=sep){_YEAR}(?!\d)"),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s{{1,3}}{_NAMED},?\s{{1,3}}{_YEAR}(?!\d)", re.I),
    re.compile(rf"\b{_NAMED}\s{{1,3}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s{{1,3}}{_YEAR}(?!\d)", re.I),
)
_MOMENT = re.compile(
    r"(?<!\d)(?P<a>\d{1,4})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{1,4})(?!\d)"
    r"\D{0,6}(?:(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\s?(?P<half>[AaPp])\.?[Mm])?)?"
)


def find_date(text: str) -> str:
    """Return the first date that a text names, as `YYYY-MM-DD`; empty where there is none."""
    found = [match for pattern in _DATES for match in pattern.finditer(text)]
    for match in sorted(found, key=re.Match.start):
        parts = match.groupdict()
        month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts["month"])
        day = _valid(int(parts["year"]), month, int(parts["day"]))
        if day:
            return day
    return ""


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


def _valid(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""
