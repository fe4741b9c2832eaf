"""The times that a statement names, and as of when it holds: by its words, what it stands under, or the note's date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from vaultrag.domain import AsOf, AsOfSource
from vaultrag.text.dates import find_dates
from vaultrag.text.language import fold, words
from vaultrag.text.quantities.read import masked
from vaultrag.text.times.calendar import Days, OfYear, latest_year_of
from vaultrag.text.times.periods import Period, periods_of, plain

_MAY_NAME_TIME = re.compile(
    r"\d{4}|\d[./-]\d|янв|февр|март|апрел|\bма[йяе]\b|июн|июл|август|сентябр|октябр|ноябр|декабр|вчера|сегодня|завтра"
    r"|недел|месяц|год|лет|квартал|назад|понедельник|вторник|сред[уы]|четверг|пятниц|суббот|воскресен|выходн|весн|осен"
    r"|зим|jan|feb|mar|apr|\bmay\b|jun|jul|aug|sep|oct|nov|dec|yesterday|today|tonight|tomorrow|week|month|year|quarter"
    r"|ago|day\b|weekend|spring|summer|autumn|fall|winter|\d (?:мар|сен|окт|ноя|дек|авг|фев)"
)
CACHED = 5_000  # texts: titles and headings are asked again with each sentence below them
_FAR = timedelta(days=400)  # seen from there, a day without a year is of another one, and «вчера» another day, too
_ANY_DAY = date(2020, 7, 1)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_ONLY_YEAR = re.compile(r"(?:[a-zа-я]+ ){0,3}\d{4}(?:[ -]?[а-яs'.]{1,5})?")
_SEASON = re.compile(
    r"(?:(?:in|on|during|over|за|всю|всей|каждую|каждой|the) ){0,3}(?:весн|лет|осен|зим)\w{1,3}|(?:(?:in"
    r"|during|over|the) ){0,3}"
    r"(?:spring|summer|autumn|fall|winter)"
)
_OF_A_DAY = re.compile(r"\w*(?:вчера|сегодня|завтра)шн\w+(?: дн\w)?")  # «вчерашний суп»
_ISO = re.compile(r"\d{4}-\d\d(?:-\d\d)?")
_VERSION = re.compile(r"(?<=[A-Za-z] )20\d\d\.\d\.\d{1,2}(?!\d)")  # "HA 2025.5.1"
_END_OF = re.compile(r"\b(?:until|till|before) (?:the )?(?:end|beginning|middle|start) \Z")
_NOT = re.compile(r"\b(?:not|no|не)\s\Z")
_LATER = ("later than ", "позже ", "позднее ")  # behind a "not" they set the end
MOST_BESIDE = 2  # letters beside a time that say nothing: «2024 г.»
_TIME_LEADS = frozenset("until till before after since from the end beginning middle start early late".split())
_AHEAD = timedelta(days=90)  # a note of 20 November that says "24 Nov." means the one to come
_NOTHING_BESIDE = re.compile(r"[\W_]*(?:пн|вт|ср|чт|пт|сб|вс|mon|tue|wed|thu|fri|sat|sun)?[\W_]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedTime:
    """A time where a text names it, `end` exclusive. `first` and `last` are inclusive, one is empty where it is open.

    `text` is the date as far as it is said, as in `StatedValue`. Not `is_dated` where the year is not known at all; it
    `recurs` where only a season is named, which is a condition, or «вчерашний», which describes something.
    """

    start: int
    end: int
    first: str
    last: str
    text: str
    year_known: bool
    is_dated: bool = True
    recurs: bool = False

    @property
    def is_deadline(self) -> bool:
        return not self.first


@lru_cache(maxsize=CACHED)
def times_in(text: str, today: date | None) -> tuple[NamedTime, ...]:
    """Return the times that a text names, in order. What lacks its year is of one near the given day."""
    if not _MAY_NAME_TIME.search(plain(text)):
        return ()
    text = masked(text, [match.span() for match in _VERSION.finditer(text)])
    seen = periods_of(text, today or _ANY_DAY, _year_near)
    later = {period.start: period for period in periods_of(text, (today or _ANY_DAY) + _FAR, _year_near)}
    found = [_named(text, period, later.get(period.start), has_day=today is not None) for period in seen]
    return tuple(time for time in found if text[time.start : time.end].strip())


def written_first(times: Sequence[NamedTime]) -> list[NamedTime]:
    """Put dates that are written out before words such as «вчера», which they explain."""
    return sorted(times, key=lambda time: not (time.year_known or time.text.startswith("-")))


def is_only_time(text: str, times: Sequence[NamedTime]) -> bool:
    """Tell whether a text names a time and nothing else: «с мая 2023», "until the end of 2024", `20 апреля, вт.`."""
    if not times:
        return False
    rest = text
    for time in reversed(times):
        rest = rest[: time.start] + rest[time.end :]
    beside = [word.text for word in words(rest) if fold(word.text) not in _TIME_LEADS]
    is_little = sum(map(len, beside)) <= MOST_BESIDE and not any(map(str.isdigit, "".join(beside)))
    return bool(_NOTHING_BESIDE.fullmatch(rest)) or is_little


def is_value_of_key(text: str, times: Sequence[NamedTime]) -> bool:
    """Tell whether what stands behind a key begins with a time as its value: "due: by June 2026, no later"."""
    opening = re.split(r"[,;(]", text, maxsplit=1)[0]
    return bool(times) and is_only_time(opening, [time for time in times if time.end <= len(opening)])


def without_times(text: str) -> str:
    """Return a name without the dates in it: "2025-06-17 Stale tolls" speaks of stale tolls."""
    times = [time for time in times_in(text, None) if time.year_known]
    rest = masked(text, [(time.start, time.end) for time in times])
    return re.sub(r"\(\s*\)", "", rest).strip(" ,.:;–—-") if times else text


def as_of_time(time: NamedTime, source: AsOfSource) -> AsOf | None:
    """Return a named time as that of a statement; none where its year is not known."""
    return AsOf(time.first, time.last, source, time.year_known) if time.is_dated and not time.recurs else None


def as_of_above(texts: Sequence[str], today: date | None) -> AsOf | None:
    """Return the time that headings name, the innermost first."""
    for text in reversed(texts):
        for time in times_in(text, today):
            if as_of := as_of_time(time, AsOfSource.HEADING):
                return as_of
    return None


def day_written(headings: Sequence[str]) -> date | None:
    """Return the whole day that a heading names, the innermost first."""
    for text in reversed(headings):
        for time in times_in(text, None):
            if time.year_known and time.first and time.first == time.last:
                return as_day(time.first)
    return None


def day_of(headings: Sequence[str]) -> date | None:
    """Return a day from which dates without a year are of the year that a heading names."""
    years = [int(year) for text in headings for year in _YEAR.findall(text)]
    return date(years[-1], 12, 31) - _AHEAD if years else None


def as_day(written: str) -> date | None:
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return None


def _year_near(of_year: OfYear, today: date) -> Days:
    return latest_year_of(of_year, today + _AHEAD)


def _named(text: str, period: Period, later: Period | None, *, has_day: bool) -> NamedTime:
    said = text[period.start : period.end]
    first, last = period.first_day, _inclusive(period.end_day)
    if _END_OF.search(plain(text[: period.start])) and plain(said).startswith(("of ", "года")):
        first = ""
    elif plain(said).startswith("from "):
        last = ""
    elif first and _NOT.search(plain(text[: period.start])) and plain(said).startswith(_LATER):
        first, last = "", (date.fromisoformat(first) - timedelta(days=1)).isoformat()
    is_known = later is None or (later.first_day, later.end_day) == (period.first_day, period.end_day)
    written = _as_written(said) or _stretch(first, last)
    if later and not is_known and not written.startswith("-") and _same_in_any_year(period, later):
        written = "/".join(f"-{part[4:]}" if _ISO.fullmatch(part) else part for part in written.split("/"))
    recurs = not is_known and bool(_SEASON.fullmatch(plain(said)) or _OF_A_DAY.fullmatch(plain(said)))
    return NamedTime(period.start, period.end, first, last, written, is_known, is_known or has_day, recurs)


def _as_written(said: str) -> str:
    """Return the one date or year that is written out, as far as it is said."""
    dates = find_dates(said)
    if len(dates) == 1 and len(dates[0].readings) == 1:
        year, month, day = dates[0].readings[0]
        return (
            f"{year:04}-{month:02}-{day:02}"
            if year and day
            else f"{year:04}-{month:02}"
            if year
            else f"--{month:02}-{day:02}"
        )
    years = _YEAR.findall(said)
    return years[0] if len(years) == 1 and _ONLY_YEAR.fullmatch(plain(said)) else ""


def _same_in_any_year(period: Period, later: Period) -> bool:
    return (period.first_day or period.end_day)[4:8] == (later.first_day or later.end_day)[4:8]


def _inclusive(end_day: str) -> str:
    return (date.fromisoformat(end_day) - timedelta(days=1)).isoformat() if end_day else ""


def _stretch(first: str, last: str) -> str:
    """Return a stretch as the day, month or year that it is; of one that is open, its one end."""
    if not first or not last or first == last:
        return first or last
    begins, after = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
    months = (after.year * 12 + after.month) - (begins.year * 12 + begins.month)
    if begins.day == after.day == 1 and months in (1, 12):
        return first[:7] if months == 1 else first[:4] if begins.month == 1 else f"{first}/{last}"
    return f"{first}/{last}"
