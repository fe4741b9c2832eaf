"""Names of periodic notes: the day that a format of moment.js wrote, as `DD.MM.YYYY`, `YYYY/MM-MMMM/D` or `gggg-[W]ww`.

Obsidian's daily notes and the plugin "Periodic Notes" name their files by such formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from vaultrag.text.dates import EARLIEST, month_number

LONGEST_FORMAT = 200  # characters; the longest that people share have some sixty
_WORD = r"[^\W\d_]+\.?"
_ORDINAL = r"(?:st|nd|rd|th|-?[а-яё]{1,3})?"
# The tokens of moment.js, the longest first, as expressions; those without a group say nothing of the day.
_TOKENS: Mapping[str, str] = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d\d)",
    "GGGG": r"(?P<week_year>\d{4})",
    "gggg": r"(?P<week_year>\d{4})",
    "MMMM": rf"(?P<month_name>{_WORD})",
    "MMM": rf"(?P<month_name>{_WORD})",
    "MM": r"(?P<month>\d\d)",
    "Mo": rf"(?P<month>\d{{1,2}}){_ORDINAL}",
    "M": r"(?P<month>\d{1,2})",
    "DDDD": r"(?P<day_of_year>\d{3})",
    "DDD": r"(?P<day_of_year>\d{1,3})",
    "DD": r"(?P<day>\d\d)",
    "Do": rf"(?P<day>\d{{1,2}}){_ORDINAL}",
    "D": r"(?P<day>\d{1,2})",
    "dddd": _WORD,
    "ddd": _WORD,
    "dd": _WORD,
    "do": rf"\d{_ORDINAL}",
    "d": r"\d",
    "E": r"(?P<weekday>[1-7])",
    "e": r"\d",
    "WW": r"(?P<week>\d\d)",
    "Wo": rf"(?P<week>\d{{1,2}}){_ORDINAL}",
    "W": r"(?P<week>\d{1,2})",
    "ww": r"(?P<week>\d\d)",
    "wo": rf"(?P<week>\d{{1,2}}){_ORDINAL}",
    "w": r"(?P<week>\d{1,2})",
    "Q": r"(?P<quarter>[1-4])",
    "HH": r"\d\d",
    "H": r"\d{1,2}",
    "hh": r"\d\d",
    "h": r"\d{1,2}",
    "mm": r"\d\d",
    "ss": r"\d\d",
    "A": "(?:AM|PM)",
    "a": "(?:am|pm)",
}
_TOKEN = re.compile(rf"\[(?P<literal>[^\[\]]*)\]|(?P<token>{'|'.join(_TOKENS)})|(?P<char>.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PeriodicNotes:
    """The notes that an app makes by the day, the week or the month: their folder, and the format of what follows."""

    folder: str
    format: str

    def day_of(self, path: str) -> str:
        """Return the first day that the note at this path is of, as `YYYY-MM-DD`; empty where it is none of these."""
        inside = f"{self.folder}/" if self.folder else ""
        if not path.startswith(inside) or not path.endswith(".md"):
            return ""
        return read_day(self.format, path[len(inside) : -len(".md")])


def day_by_name(path: str, kinds: Iterable[PeriodicNotes]) -> str:
    """Return the first day that a periodic note is of; empty for any other."""
    return next((day for kind in kinds if (day := kind.day_of(path))), "")


def read_day(written_as: str, text: str) -> str:
    """Return the first day of the period that a text names by a format of moment.js; empty where it names none.

    Weeks are those of ISO 8601, whatever the locale: the format does not say which day they begin with.
    """
    expression = _expression(written_as)
    match = expression.fullmatch(text) if expression else None
    if match is None:
        return ""
    try:
        day = _day({name: value for name, value in match.groupdict().items() if value})
    except (ValueError, OverflowError):
        return ""
    return day.isoformat() if day and day.isoformat() >= EARLIEST else ""


@lru_cache(maxsize=64)
def _expression(written_as: str) -> re.Pattern[str] | None:
    """Return a format as an expression; a part that is named again must be the same again."""
    if len(written_as) > LONGEST_FORMAT:
        return None
    named: set[str] = set()
    parts = [_part(match, named) for match in _TOKEN.finditer(written_as)]
    return re.compile("".join(parts), re.IGNORECASE)


def _part(match: re.Match[str], named: set[str]) -> str:
    if match["token"] is None:
        return re.escape(match["char"] if match["literal"] is None else match["literal"])
    expression = _TOKENS[match["token"]]
    name = re.match(r"\(\?P<(\w+)>", expression)
    if name is None:
        return expression
    if name[1] in named:  # `YYYY/MM/YYYY-MM-DD`: both are read, the first one counts
        return expression.replace(name[0], "(?:", 1)
    named.add(name[1])
    return expression


def _day(parts: Mapping[str, str]) -> date | None:
    year = int(
        parts.get("year") or parts.get("week_year") or (f"20{parts['short_year']}" if "short_year" in parts else 0)
    )
    if not year:
        return None
    month = int(parts.get("month") or month_number(parts.get("month_name", "")))
    if "day_of_year" in parts:
        return date(year, 1, 1) + timedelta(days=int(parts["day_of_year"]) - 1)
    if "day" in parts:
        return date(year, month, int(parts["day"]))
    if "week" in parts:
        return date.fromisocalendar(year, int(parts["week"]), int(parts.get("weekday") or 1))
    if month:
        return date(year, month, 1)
    if "month_name" in parts:  # in a language that is not read here
        return None
    return date(year, 3 * int(parts.get("quarter") or 1) - 2, 1)
