"""Days, weeks, months, quarters and years around a day, and those of a year: calendar arithmetic for named times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import TypeAlias

Days: TypeAlias = tuple[date, date]
"""The first day, and the day after the last one."""
OfYear: TypeAlias = Callable[[int], Days]
"""What lacks its year, in any: it raises ValueError where a year has no such day."""
ChooseYear: TypeAlias = Callable[[OfYear, date], Days]
"""Which year is meant where none is said, as seen from a day."""
MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}


_FARTHEST = 9  # years: the 29th of February may be eight years off


def latest_year_of(of_year: OfYear, today: date) -> Days:
    """Return the latest that has begun by today. Raises ValueError."""
    years = range(today.year + 1, today.year - _FARTHEST, -1)
    return next(_existing(of_year, years, lambda days: days[0] <= today))


def next_year_of(of_year: OfYear, today: date) -> Days:
    """Return the next that is not over by today. Raises ValueError."""
    years = range(today.year - 1, today.year + _FARTHEST)
    return next(_existing(of_year, years, lambda days: days[1] > today))


def _existing(of_year: OfYear, years: Iterable[int], fits: Callable[[Days], bool]) -> Iterator[Days]:
    for year in years:
        try:
            days = of_year(year)
        except ValueError:
            continue
        if fits(days):
            yield days
    raise ValueError("no year has it")


def part_of_month(part: str, first: date, after: date) -> Days:
    """Return a third of a month: its beginning, its middle or its end."""
    tenth, twentieth = first.replace(day=11), first.replace(day=21)
    if part.startswith(("нач", "early", "beg", "start")):
        return first, tenth
    if part.startswith(("сер", "mid")):
        return tenth, twentieth
    return (twentieth, after) if part else (first, after)


def part_of_year(number: int, months: int) -> OfYear:
    def of_year(year: int) -> Days:
        first = date(year, months * (number - 1) + 1, 1)
        return first, months_on(first, months)

    return of_year


def unit_around(unit: str, today: date, off: int) -> Days:
    """Return the calendar's unit that holds today, or one so many units from it."""
    if unit == "day":
        return days_from(today + timedelta(days=off), 1)
    if unit == "week":
        return days_from(today - timedelta(days=today.weekday()) + timedelta(weeks=off), 7)
    months = MONTHS_IN[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    return months_on(first, off * months), months_on(first, (off + 1) * months)


def days_from(first: date, count: int) -> Days:
    return first, first + timedelta(days=count)


def months_on(day: date, months: int) -> date:
    """Return the same day so many months on, or the last one that such a month has."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    return date(year, month + 1, min(day.day, 28))
