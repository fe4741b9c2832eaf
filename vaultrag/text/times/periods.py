"""Stretches of time as people name them in questions: «на прошлой неделе», «с мая по июль», "since April", "Q3 2024".

Everything is relative to a given day. What lacks its year («в марте») is the latest that has begun by then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from vaultrag.text.times.calendar import ChooseYear, latest_year_of, next_year_of
from vaultrag.text.times.stretches import Stretch, stretches

_SAME = str.maketrans("ё\u00a0\u202f\u2009\u2011\u2013\u2014’", "е   ---'")
LONGEST = 2000  # characters of a question that are read


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time where a text names it, `end` exclusive, with the words that only lead up to it.

    `first_day` and `end_day`, which is the day after the last one, are `YYYY-MM-DD`; one is empty where it is open.
    """

    start: int
    end: int
    first_day: str
    end_day: str


def periods_of(question: str, today: date, choose: ChooseYear = latest_year_of) -> tuple[Period, ...]:
    """Return the stretches of time that a question names, in its order and apart.

    What lacks its year is the latest that has begun; with `next_year_of` it is the next that is not over.
    """
    text = plain(question[:LONGEST])
    found = _apart(sorted(stretches(text, today, choose), key=lambda stretch: (stretch.start, -stretch.end)))
    found = [replace(one, end=one.end + _length(_YEAR_BEHIND.match(text, one.end))) for one in found]
    found = [_with_the_next(text, *pair) for pair in zip(found, [*found[1:], None], strict=False)]
    periods: list[Period] = []
    at = 0
    while at < len(found):
        both = _range(text, found[at], found[at + 1]) if at + 1 < len(found) else None
        periods.append(both or _alone(text, found[at], today))
        at += 2 if both else 1
    return tuple(periods)


def plain(text: str) -> str:
    """Fold case, ё and hard spaces, each character for itself, so that places stay."""
    lowered = (low if len(low := char.lower()) == 1 else char for char in text)
    return "".join(lowered).translate(_SAME)


def _apart(stretches: Sequence[Stretch]) -> list[Stretch]:
    kept: list[Stretch] = []
    for stretch in stretches:
        if not kept or stretch.start >= kept[-1].end:
            kept.append(stretch)
    return kept


_FROM = re.compile(r"\b(?:с|со|от|начиная с|from|between|между|since) (?:the )?\Z")
_BETWEEN = re.compile(r"(?:\b(?:между|between)) \Z")
_TO = re.compile(r" ?(?:-|\.\.|\b(?:по|до|to|till|until|through|thru)\b) ?(?:the )?")
_AND = re.compile(r" (?:и|and) (?:the )?")
_LEAD = re.compile(r"(?:\b(?:в|во|на|за|in|on|during|over|at|from|of|for|throughout|within|the|весь|течение) ){1,4}\Z")
_SINCE = re.compile(r"\b(?:с|со|since|начиная с|starting(?: from)?) (?:the )?\Z")
_AFTER = re.compile(r"\b(?:после|позже|позднее|after|later than) (?:the )?\Z")
_BY = re.compile(r"\b(?:к|by) (?:the )?\Z")
_END = re.compile(r"(?:кон|(?:the )?end of)")
_BEFORE = re.compile(r"\b(?:до|раньше|ранее|before|prior to|earlier than|until|till) (?:the )?\Z")
_ONWARD = re.compile(r" (?:on(?:wards?)?|и (?:позже|далее|дальше)|and later)\b")
_YEAR_BEHIND = re.compile(r" ?(?:год(?:а|у|ом)?(?!\w)|г\.)")
_LONGEST_LEAD = 24  # characters


def _range(text: str, first: Stretch, last: Stretch) -> Period | None:
    """Return the two as from and to, if that is how they are joined; a year said once holds for both."""
    between = text[first.end : last.start]
    before = text[max(0, first.start - _LONGEST_LEAD) : first.start]
    lead = _BETWEEN.search(before)
    if not (_TO.fullmatch(between) or (lead and _AND.fullmatch(between))):
        return None
    begin, end = _with_year(first, last)
    start = first.start - _length(_FROM.search(before))
    return Period(start, last.end, begin.isoformat(), end.isoformat()) if begin < end else None


def _with_the_next(text: str, stretch: Stretch, follows: Stretch | None) -> Stretch:
    """Give «ноябрь» of «в ноябре и декабре 2024» the year that is said behind it."""
    if not (follows and stretch.of_year and not follows.of_year and _AND.fullmatch(text[stretch.end : follows.start])):
        return stretch
    try:
        return replace(stretch, days=stretch.of_year(follows.days[0].year))
    except ValueError:
        return stretch


def _length(match: re.Match[str] | None) -> int:
    return len(match.group()) if match else 0


def _with_year(first: Stretch, last: Stretch) -> tuple[date, date]:
    begin, end = first.days[0], last.days[1]
    if first.of_year:  # «с мая по июль 2024»; «с ноября по февраль» begins in the year before
        year = last.days[0].year
        begin = first.of_year(year)[0]
        return (begin, end) if begin <= last.days[0] else (first.of_year(year - 1)[0], end)
    if last.of_year:
        end = last.of_year(begin.year)[1]
        return (begin, end) if end > begin else (begin, last.of_year(begin.year + 1)[1])
    return begin, end


def _alone(text: str, stretch: Stretch, today: date) -> Period:
    before = text[max(0, stretch.start - _LONGEST_LEAD) : stretch.start]
    first, after = (day.isoformat() for day in stretch.days)
    for lead, days in ((_SINCE, (first, "")), (_AFTER, (after, "")), (_BEFORE, ("", first)), (_BY, ("", after))):
        match = lead.search(before)
        if match and lead in (_BY, _BEFORE) and (lead is _BY or _END.match(text, stretch.start)):
            of_year = stretch.of_year  # «к 1 мая», «до конца марта» is to come, and the day counts
            days = ("", next_year_of(of_year, today)[1].isoformat() if of_year else after)
        if match:
            return Period(stretch.start - len(match.group()), stretch.end, *days)
    start = stretch.start - _length(_LEAD.search(before))
    onward = _ONWARD.match(text, stretch.end)
    return Period(start, onward.end(), first, "") if onward else Period(start, stretch.end, first, after)
