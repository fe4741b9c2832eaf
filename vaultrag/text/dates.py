"""Dates as people write them in Russian and English: the one reader for notes, questions, search and citations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

EARLIEST = "1900-01-01"

_MONTHS = (
    "янв(?:ар[ьяею]|ар[её]м)?",
    "февр?(?:ал[ьяею]|ал[её]м)?",
    "мар(?:т(?:а|е|у|ом)?)?",
    "апр(?:ел[ьяею]|ел[её]м)?",
    "ма(?:й|я|е|ю|ем)",
    "июн(?:[ьяею]|[её]м)?",
    "июл(?:[ьяею]|[её]м)?",
    "авг(?:уст(?:а|е|у|ом)?)?",
    "сент?(?:ябр[ьяею]|ябр[её]м)?",
    "окт(?:ябр[ьяею]|ябр[её]м)?",
    "ноя(?:б(?:р[ьяею]|р[её]м)?)?",
    "дек(?:абр[ьяею]|абр[её]м)?",
    "jan(?:uary)?",
    "feb(?:ruary)?",
    "mar(?:ch)?",
    "apr(?:il)?",
    "may",
    "june?",
    "july?",
    "aug(?:ust)?",
    "sept?(?:ember)?",
    "oct(?:ober)?",
    "nov(?:ember)?",
    "dec(?:ember)?",
)
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})(?![^\W_])\.?"
_NUMBER_OF_MONTH = [(re.compile(name, re.IGNORECASE), index % 12 + 1) for index, name in enumerate(_MONTHS)]
_ORDINAL = r"(?:-?(?:[ыо]?го|[оы]?е|[ыо]?й|[оы]?м|му|st|nd|rd|th)\b)?"
_GAP = r"[ \t\u00a0\u2007\u2009\u202f]{1,3}"
_YEAR = r"(?P<year>(?:1\d|20)\d\d)(?!\d)"
_YEAR_BEHIND = rf"(?:(?:,?{_GAP}|,|(?<=\.)){_YEAR})?"
# No part of a longer number, version or word. Each begins with its digit and looks back over it: an expression that
# begins by looking back is tried at every letter.
_DAY = r"(?P<day>\d(?<![^\W_]\d)(?<!\.\d)\d?)"
_OF_YEAR = r"(?:(?<=1)\d|(?<=2)0)\d\d"  # the digits of a year behind its first one
_DASH = "-\u2010\u2011\u2013\u2212"  # as typesetters and the mathematical keyboard write it, too
_TILL = r"[-\u2010\u2011\u2013\u2014]"
_DIGITS_FIRST = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 2024-01-05, 2024/1/5, 2024.01.05, 2024_01_05, with a time behind it, and two of them as from and to
        rf"(?P<year>[12](?<!\d[12])(?:(?<!\d[-.][12])|(?<=[-./]\d\d-[12])){_OF_YEAR})"
        rf"(?P<sep>[{_DASH}./_])(?P<number>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}})(?!\d|[-/]\d(?!\d{{3}}(?P=sep))|\.\d)",
        # 20240105, and names such as 202401051230 of the app's own unique notes
        r"(?P<year>[12](?<!\d[12])(?:(?<=1)9|(?<=2)0)\d\d)(?P<number>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
        r"(?:[T_-]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?(?!\d)",
        # 05.01.2024
        rf"{_DAY}\.(?P<number>\d{{1,2}})\.{_YEAR}(?!\.\d)",
        # 5-1-2024, and 12-31-2024, which can only be American
        rf"(?P<day>\d(?<![^\W_]\d)(?:(?<!\d-\d)|(?<=-\d{{4}}-\d))\d?)(?P<dashed>-)(?P<number>\d{{1,2}})-{_YEAR}(?!\.\d)",
        # 05.01.24
        r"(?P<day>[0-3](?<![^\W_][0-3])(?<!\.[0-3])\d)\.(?P<number>[01]\d)\.(?P<short>\d\d)(?![^\W_]|-|\.\d)",
        # 03/04/2024, 03/04/24: the day or the month first
        rf"(?P<one>\d(?<![\w./]\d)\d?)/(?P<two>\d{{1,2}})/{_YEAR}(?!/)",
        r"(?P<one>[0-3](?<![\w./][0-3])\d)/(?P<two>[0-3]\d)/(?P<short>\d\d)(?![\w/]|\.\d)",
        # 5 января 2024 года, 5-го января, the 5th of January, 2024
        rf"{_DAY}{_ORDINAL}{_GAP}(?:of{_GAP})?{_MONTH}{_YEAR_BEHIND}",
        # 05-Jan-2024, 5/янв/2024, 5_января_2024
        rf"{_DAY}(?P<sep>[-/_]){_MONTH}(?P=sep){_YEAR}",
        # 2024 Январь, 2024-Jan-05; in small letters it may be "by 2024 may …"
        rf"(?P<year>[12](?<![^\W_][12])(?<![.-][12]){_OF_YEAR})(?:,?{_GAP}|[-_])"
        rf"(?-i:(?=[A-ZА-Я])){_MONTH}(?:(?:{_GAP}|[-_])(?P<day>\d{{1,2}})(?![^\W_]|[.:]\d))?",
        # 2024-01
        rf"(?P<year>[12](?<!\d[12])(?<!\d[-.][12]){_OF_YEAR})[-\u2011](?P<number>0[1-9]|1[0-2])(?![^\W_]|-)",
        # 01.2024, 01/2024
        r"(?P<number>[01](?<![^\W_][01])(?<![./-][01])(?:(?<=0)[1-9]|(?<=1)[0-2]))[./](?P<year>(?:19|20)\d\d)(?![^\W_]|[/-]|[.,]\d)",
    )
)
_MONTH_FIRST = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # January 5th, 2024; January 5–7, 2024
        rf"{_MONTH}{_GAP}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.:]\d)"
        rf"(?:{_TILL}(?P<last>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.:]\d))?{_YEAR_BEHIND}",
        # январь 2024, in March of 2024, Jan-2024, отчёт_январь_2024
        rf"{_MONTH}(?:,?{_GAP}(?:of{_GAP})?|[-_]){_YEAR}",
    )
)
# The day before «по 7 января», «и 7 января», «–07.01.2024»: of the same month, or with its own number of a month.
_FROM = re.compile(
    rf"(?P<day>\d(?<![^\W_]\d)(?<![.,]\d)\d?)(?:\.(?P<number>\d{{1,2}}))?\.?{_ORDINAL}"
    rf"(?:{_TILL}|{_GAP}[\u2013\u2014]{_GAP}|{_GAP}(?:и|или|по|до|and|or|to|till|until){_GAP})\Z",
    re.IGNORECASE,
)
_LONGEST_FROM = 20  # characters
# Looking for each month's name at each word would take six times as long as stemming the text.
_WORD_BEFORE_DIGIT = re.compile(rf"[^\W\d_][.,]{{0,2}}(?:{_GAP}(?:of{_GAP})?|[-_])\d", re.IGNORECASE)
LONGEST_MONTH = 9  # letters: September, сентябрём
_DIGIT = re.compile(r"\d")


class Day(NamedTuple):
    """A day, or as much of it as is said: each part is 0 where it is not."""

    year: int
    month: int
    day: int

    @property
    def iso(self) -> str:
        """The day as `YYYY-MM-DD`; empty where it is not said whole."""
        return f"{self.year:04}-{self.month:02}-{self.day:02}" if self.year and self.day else ""


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date where it stands; `end` is exclusive. It has two readings where day and month may be either."""

    start: int
    end: int
    readings: tuple[Day, ...]


def find_dates(text: str) -> list[WrittenDate]:
    """Return the dates that a text names, in order and apart; a day that no calendar has is none.

    A date may lack its year («5 января») or its day («январь 2024»). `03/04/2024` means two days, and both are given:
    which one is known to the writer alone.
    """
    if not _DIGIT.search(text):
        return []
    found: list[WrittenDate] = []
    end = 0
    for written in sorted(_candidates(text), key=lambda written: (written.start, -written.end)):
        if written.start >= end:
            found.append(written)
            end = written.end
    return found


def find_date(text: str) -> str:
    """Return the first whole day that a text names without doubt, as `YYYY-MM-DD`; empty where there is none.

    It is asked what day a note is of, so days before 1900 are none.
    """
    for written in find_dates(text):
        if len(written.readings) == 1 and written.readings[0].iso >= EARLIEST:
            return written.readings[0].iso
    return ""


def terms_of_date(day: Day) -> tuple[str, ...]:
    """Return the words by which a date in a note is found, the most exact first.

    «5 января 2024» is found by its day, by its day of any year and by its month: `2024-01-05 --01-05 2024-01`;
    «5 января» by `--01-05`, and by questions for that day of some year (`-01-05`).
    """
    in_any_year = f"--{day.month:02}-{day.day:02}"
    if not day.year:
        return (in_any_year, in_any_year[1:])
    month = f"{day.year:04}-{day.month:02}"
    return (day.iso, in_any_year, month) if day.day else (month,)


def asked_by_date(day: Day) -> tuple[str, ...]:
    """Return the words that a date in a question looks for among those of `terms_of_date`."""
    if not day.year:
        return (f"--{day.month:02}-{day.day:02}",)
    return (day.iso, f"-{day.month:02}-{day.day:02}") if day.day else (f"{day.year:04}-{day.month:02}",)


def period_of(day: Day) -> tuple[str, str]:
    """Return the first day of a day or a month whose year is known, and the day after its last one."""
    first = date(day.year, day.month, day.day or 1)
    after = first + timedelta(days=1) if day.day else (first + timedelta(days=31)).replace(day=1)
    return first.isoformat(), after.isoformat()


def month_number(name: str) -> int:
    """Return the number of a month by its Russian or English name, in any case and also shortened; 0 for no month."""
    bare = name.removesuffix(".")
    return next((number for pattern, number in _NUMBER_OF_MONTH if pattern.fullmatch(bare)), 0)


def canonical_dates(text: str) -> str:
    """Return the text with each date as separate words: `day06x03 month06 2025`, as far as it says them.

    «3 июня 2025», "June 3rd, 2025", 03.06.2025 and 2025-06-03 become equal; «в июне 2025» shares month and year.
    A date that may be two days stays as it is written.
    """
    parts: list[str] = []
    at = 0
    for written in find_dates(text):
        if len(written.readings) > 1:
            continue
        parts += (text[at : written.start], _words(written.readings[0]))
        at = written.end + (text[written.end : written.end + 1] in ("T", "t"))
        if at > written.end:
            parts.append(" ")
    return "".join((*parts, text[at:]))


def without_dates(text: str) -> str:
    """Return a text with its dates left out: a day is no amount."""
    kept, at = [], 0
    for written in find_dates(text):
        kept.append(text[at : written.start])
        at = written.end
    return " ".join((*kept, text[at:]))


def _words(day: Day) -> str:
    words = [f"day{day.month:02}x{day.day:02}"] if day.day else []
    return " ".join([*words, f"month{day.month:02}", *([str(day.year)] if day.year else [])])


def _candidates(text: str) -> Iterator[WrittenDate]:
    for match in _matches(text):
        parts = match.groupdict()
        readings = tuple(_readings(parts))
        if not readings:
            continue
        last = parts.get("last")
        if last and (day := readings[0]._replace(day=int(last))) > readings[0] and _is_in_calendar(day):
            yield WrittenDate(match.start(), match.end("day"), readings)
            yield WrittenDate(match.start("last"), match.end(), (day,))
        else:
            yield WrittenDate(match.start(), match.end("day") if last else match.end(), readings)
            yield from _from(text, match.start(), readings, is_dotted=bool(parts.get("number")))


def _from(text: str, place: int, readings: tuple[Day, ...], *, is_dotted: bool) -> Iterator[WrittenDate]:
    """Yield the day from which it goes on to the one that is written at a place: «1–5 января», «5 и 6 января»."""
    [day, *others] = readings
    first = _FROM.search(text, max(0, place - _LONGEST_FROM), place) if day.day and not others else None
    if first and (is_dotted or not first["number"]):
        earlier = Day(day.year, int(first["number"] or day.month), int(first["day"]))
        if earlier < day and _is_in_calendar(earlier):
            yield WrittenDate(first.start(), first.end("number" if first["number"] else "day"), (earlier,))


def _matches(text: str) -> Iterator[re.Match[str]]:
    for form in _DIGITS_FIRST:
        yield from form.finditer(text)
    for place in _WORD_BEFORE_DIGIT.finditer(text):
        start = place.start()
        while start > 0 and text[start - 1].isalpha() and place.start() - start < LONGEST_MONTH:
            start -= 1
        if start == 0 or not text[start - 1].isalnum():
            yield from (match for form in _MONTH_FIRST if (match := form.match(text, start)))


def _readings(parts: dict[str, str | None]) -> Iterator[Day]:
    short = parts.get("short")
    year = int(parts.get("year") or 0) or (2000 + int(short) if short else 0)
    one, two = parts.get("one"), parts.get("two")
    if one and two:
        days = {Day(year, int(two), int(one)): None, Day(year, int(one), int(two)): None}
    else:
        day = Day(year, _month(parts), int(parts.get("day") or 0))
        if parts.get("dashed") and day.month > 12:
            day = day._replace(month=day.day, day=day.month)
        days = {day: None}
    yield from (day for day in days if _is_in_calendar(day))


def _month(parts: dict[str, str | None]) -> int:
    name = parts.get("month")
    if not name:
        return int(parts.get("number") or 0)
    return month_number(name)


def _is_in_calendar(day: Day) -> bool:
    try:
        date(day.year or 2000, day.month, day.day or 1)  # 2000 has a 29th of February
    except ValueError:
        return False
    return True
