"""The single times that a text names, each with its days: «март», «прошлая неделя», "Q3 2024", 5.1.24."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from vaultrag.text.dates import Day, find_dates, month_number
from vaultrag.text.times.calendar import (
    MONTHS_IN,
    ChooseYear,
    Days,
    OfYear,
    days_from,
    latest_year_of,
    months_on,
    part_of_month,
    part_of_year,
    unit_around,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A named stretch. Where the year is not said, `of_year` gives its days in any."""

    start: int
    end: int
    days: Days
    of_year: OfYear | None = None


def _behind(words: str) -> str:
    """Return the expression for a place right behind one of these words; what stands there is read by itself."""
    places = (rf"(?<=\b{word} )" for word in words.split())
    return f"(?:{'|'.join(places)})"


_NUMBERS = {
    **dict.fromkeys("a an one один одну одна одного".split(), 1),
    **dict.fromkeys("two couple два две двух пару".split(), 2),
    **dict.fromkeys("three few три трех".split(), 3),
    **dict.fromkeys("four четыре четырех".split(), 4),
    **dict.fromkeys("five пять пяти".split(), 5),
    **dict.fromkeys("six шесть шести".split(), 6),
    **dict.fromkeys("seven семь семи".split(), 7),
    **dict.fromkeys("eight восемь восьми".split(), 8),
    **dict.fromkeys("nine девять девяти".split(), 9),
    **dict.fromkeys("ten десять десяти".split(), 10),
    **dict.fromkeys("twelve двенадцать двенадцати".split(), 12),
}
_COUNT = rf"(?:(?P<count>\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})(?: of)? )"
_UNITS = {"д": "day", "н": "week", "м": "month", "г": "year", "л": "year", "к": "quarter"}
_UNIT = (
    r"(?P<unit>дн(?:ей|я|и)|день|недел[яюиье]|недель|месяц(?:а|ев|е|ы)?|лет|год(?:а|у|ы|ом)?|квартал(?:а|е|ов|ы)?"
    r"|(?:day|week|month|quarter|year)s?)\b"
)
_WHICH = {
    "позапрошл": -2,
    **dict.fromkeys(("прошл", "предыдущ", "last", "previous", "прошедш"), -1),
    **dict.fromkeys(("эт", "нынешн", "текущ", "this", "current"), 0),
    **dict.fromkeys(("следующ", "будущ", "next", "coming"), 1),
}
_THIS = rf"(?P<which>{'|'.join(sorted(_WHICH, key=len, reverse=True))})(?:[аоеиыуюя]\w{{0,2}})?"
_YEAR = r"(?:(?:19|20)\d\d)"
_BEHIND_YEAR = r"(?:-?(?:го|м|й|х|е))?(?: ?(?:год(?:а|у|ом|ы|ов|ах)?|г\.?|гг\.?)(?!\w))?(?:'s)?"
# Which year a month, a season or a quarter is of, if that is said.
_OF_YEAR = (
    rf"(?:(?:,? (?:of )?|[ -]?'?)(?P<year>{_YEAR})(?![\d.,-]\d|\d){_BEHIND_YEAR}"
    r"|,? (?:of )?(?P<its>позапрошл|прошл|эт|нынешн|следующ|last|this|next)(?:ого|ем)? (?:года|году|year)\b)"
)
_MONTHS = (
    r"январ[ьяею]м?|феврал[ьяею]м?|март(?:ом|[аеу])?|апрел[ьяею]м?|ма(?:ем|[йяею])|июн[ьяею]м?|июл[ьяею]м?"
    r"|август(?:ом|[аеу])?|сентябр[ьяею]м?|октябр[ьяею]м?|ноябр[ьяею]м?|декабр[ьяею]м?"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_SEASON = {"spring": 3, "весн": 3, "summer": 6, "лет": 6, "autumn": 9, "fall": 9, "осен": 9, "winter": 12, "зим": 12}
_SEASONS = r"spring|summer|autumn|fall|winter|весн(?:ой|ою|а|у|ы)|лет(?:ом|о|а)|осень?ю?|осени|зим(?:ой|ою|а|у|ы)"
_ORDER = {
    **dict.fromkeys(("перв", "first", "1"), 1),
    **dict.fromkeys(("втор", "second", "2"), 2),
    **dict.fromkeys(("трет", "third", "3"), 3),
    **dict.fromkeys(("четверт", "fourth", "4"), 4),
}
_NTH = (
    r"(?P<nth>[1-4](?:-?(?:й|м|го|ом|ый|я|ю|st|nd|rd|th))?|(?:перв|втор|трет|четверт)\w{1,3}|first|second|third|fourth)"
)
_WEEKDAYS = ("пон|mon", "вт|tue", "ср|wed", "чет|thu", "пят|fri", "суб|sat", "вос|sun")
_WEEKDAY = (
    r"понедельник\w{0,2}|вторник\w{0,2}|сред[уыае]|четверг\w{0,2}|пятниц[уыае]|суббот[уыае]|воскресень[еяю]"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
)
_DAYS = {
    **dict.fromkeys(("позавчера", "the day before yesterday"), -2),
    **dict.fromkeys(("вчера", "yesterday"), -1),
    **dict.fromkeys(("сегодня", "today", "tonight"), 0),
    **dict.fromkeys(("завтра", "tomorrow"), 1),
    **dict.fromkeys(("послезавтра", "the day after tomorrow"), 2),
}
_BEFORE_MONTH = _behind(
    "в во с со по до после за к от начиная между и between in since from until till before after and to through by"
)
_BEFORE_YEAR = _behind("в за с до после по и in of from since before after until to and during between for")
_NO_UNIT = r"(?! ?(?:руб|р\b|₽|\$|€|евро|долл|usd|eur|тыс|км|кг|м\b|шт|стр|страниц|words|pages|слов|mb|gb|hz|гц))"


def stretches(text: str, today: date, choose: ChooseYear) -> Iterator[Stretch]:
    """Yield the times that a text names; of what lacks its year, the one that is chosen. They may overlap."""
    for pattern, read in _READERS:
        for match in pattern.finditer(text):
            try:
                found = read(match, today)
            except (ValueError, OverflowError):
                continue
            if isinstance(found, tuple):
                yield Stretch(*match.span(), found)
            elif found is not None:
                yield Stretch(*match.span(), choose(found, today), found)
    yield from _written_dates(text, today, choose)


def _written_dates(text: str, today: date, choose: ChooseYear) -> Iterator[Stretch]:
    """Yield dates of known reading; between two days that digits may mean, nobody can choose."""
    for written in find_dates(text):
        [day, *others] = written.readings
        if others:
            continue
        if day.year:
            yield Stretch(written.start, written.end, _whole(day, day.year))
        else:
            yield Stretch(written.start, written.end, choose(_day_in(day), today), _day_in(day))


def _day_in(day: Day) -> OfYear:
    return lambda year: _whole(day, year)


def _whole(day: Day, year: int) -> Days:
    first = date(year, day.month, day.day or 1)
    return (first, first + timedelta(days=1)) if day.day else (first, months_on(first, 1))


def _named_day(match: re.Match[str], today: date) -> Days:
    name = match["day"]
    off = _DAYS.get(name)
    if off is None:
        off = next(days for word, days in _DAYS.items() if name.startswith(word))
    return days_from(today + timedelta(days=off), 1)


def _this(match: re.Match[str], today: date) -> Days:
    """«На прошлой неделе», "this year", «позапрошлый месяц»."""
    return unit_around(_unit(match), today, _WHICH[match["which"]])


def _week_before_last(match: re.Match[str], today: date) -> Days:
    return unit_around(_unit(match), today, -2)


def _last_days(match: re.Match[str], today: date) -> Days:
    """«За последние три дня», "the past two weeks": they end today."""
    count, unit = _count(match), _unit(match)
    tomorrow = today + timedelta(days=1)
    if unit in ("day", "week"):
        return today - timedelta(days=count * (7 if unit == "week" else 1) - (unit == "day")), tomorrow
    return months_on(today, -count * MONTHS_IN[unit]), tomorrow


def _ago(match: re.Match[str], today: date) -> Days:
    """«Две недели назад»: the calendar's day, week, month or year."""
    return unit_around(_unit(match), today, -_count(match))


def _half_a_year_ago(_: re.Match[str], today: date) -> Days:
    return unit_around("month", today, -6)


def _weekend(match: re.Match[str], today: date) -> Days:
    saturday = today - timedelta(days=(today.weekday() - 5) % 7)
    weeks = {-2: -1, 1: 1}.get(_WHICH.get(match["which"] or "", 0), 0)
    if match["which"] and _WHICH[match["which"]] == -1 and today.weekday() >= 5:
        weeks = -1  # on a Sunday the last weekend is that of the week before
    return days_from(saturday + timedelta(weeks=weeks), 2)


def _weekday(match: re.Match[str], today: date) -> Days:
    """The latest such day; "next Friday" is the coming one, «в прошлый вторник» is before today."""
    name = match["weekday"]
    number = next(i for i, names in enumerate(_WEEKDAYS) if name.startswith(tuple(names.split("|"))))
    back = (today.weekday() - number) % 7
    which = _WHICH.get(match["which"] or "", 0)
    if which > 0:
        return days_from(today + timedelta(days=7 - back if back else 7), 1)
    return days_from(today - timedelta(days=back if back or not which else 7), 1)


def _coming_weekday(match: re.Match[str], today: date) -> Days:
    """«К пятнице», "by Friday"."""
    [day, _] = _weekday(match, today)
    return days_from(day if day == today else day + timedelta(days=7), 1)


def _month(match: re.Match[str], today: date) -> Days | OfYear:
    number = month_number(match["month"])
    part = match.groupdict().get("part") or ""

    def of_year(year: int) -> Days:
        first = date(year, number, 1)
        return part_of_month(part, first, months_on(first, 1))

    return _in_year(match, today, of_year)


def _last_month_named(match: re.Match[str], today: date) -> Days:
    """ "Last March": the latest that is over."""
    number = month_number(match["month"])
    first = latest_year_of(lambda year: (date(year, number, 1), date.max), today.replace(day=1) - timedelta(days=1))[0]
    if _WHICH[match["which"]] == 0:
        first = date(today.year, number, 1)
    return first, months_on(first, 1)


def _season(match: re.Match[str], today: date) -> Days | OfYear:
    """A winter is named by the year of its January."""
    first_month = next(month for name, month in _SEASON.items() if match["season"].startswith(name))

    def of_year(year: int) -> Days:
        first = date(year - (first_month == 12), first_month, 1)
        return first, months_on(first, 3)

    return _in_year(match, today, of_year)


def _this_season(match: re.Match[str], today: date) -> Days:
    """«Этим летом», "last winter": in December the winter of this year begins."""
    first_month = next(month for name, month in _SEASON.items() if match["season"].startswith(name))
    current = today.year + (first_month == 12 and today.month == 12)
    year = current + _WHICH[match["which"]]
    first = date(year - (first_month == 12), first_month, 1)
    return first, months_on(first, 3)


def _quarter(match: re.Match[str], today: date) -> Days | OfYear:
    return _in_year(match, today, part_of_year(_nth(match), 3))


def _half(match: re.Match[str], today: date) -> Days | OfYear:
    return _in_year(match, today, part_of_year(_nth(match), 6))


def _week(match: re.Match[str], today: date) -> Days | OfYear:
    """A week of ISO 8601 by its number."""
    number = int(match["week"])
    return _in_year(match, today, lambda year: days_from(date.fromisocalendar(year, number, 1), 7))


def _years(match: re.Match[str], _: date) -> Days:
    first, last = int(match["year"]), int(match.groupdict().get("until") or match["year"])
    if last < first:
        raise ValueError("they end before they begin")
    return date(first, 1, 1), date(last + 1, 1, 1)


def _decade(match: re.Match[str], _: date) -> Days:
    first = int(match["year"]) // 10 * 10
    return date(first, 1, 1), date(first + 10, 1, 1)


def _short_date(match: re.Match[str], _: date) -> Days:
    return days_from(date(2000 + int(match["short"]), int(match["number"]), int(match["day"])), 1)


def _dotted_month(match: re.Match[str], _: date) -> Days:
    first = date(int(match["year"]), int(match["number"]), 1)
    return first, months_on(first, 1)


def _in_year(match: re.Match[str], today: date, of_year: OfYear) -> Days | OfYear:
    parts = match.groupdict()
    if parts.get("year"):
        return of_year(int(parts["year"]))
    if parts.get("its"):
        return of_year(today.year + _WHICH[parts["its"]])
    return of_year


def _unit(match: re.Match[str]) -> str:
    unit = match["unit"]
    return unit.rstrip("s") if unit.isascii() else _UNITS[unit[0]]


def _count(match: re.Match[str]) -> int:
    said = match.groupdict().get("count") or "1"
    return int(said) if said.isdigit() else _NUMBERS[said]


def _nth(match: re.Match[str]) -> int:
    return next(number for name, number in _ORDER.items() if match["nth"].startswith(name))


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Days | OfYear]], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (
            rf"\b(?P<day>{'|'.join(sorted(_DAYS, key=len, reverse=True))})(?:(?:шн|'s)\w{{0,3}}(?: дн[яе])?)?\b",
            _named_day,
        ),
        (rf"\b{_THIS} {_UNIT}(?! (?:назад|ago))(?:'s)?", _this),
        (r"\b(?P<which>прошл)о(?P<unit>год)н\w{1,3}\b", _this),
        (rf"\b(?:the )?{_UNIT} before last\b", _week_before_last),
        (rf"\b(?:последн\w{{2,3}}|the last|last|(?:the )?past) {_COUNT}{_UNIT}", _last_days),
        (rf"\b(?:последн\w{{2,3}}|(?:the )?past) {_UNIT}", _last_days),
        (rf"\b{_COUNT}{_UNIT} (?:тому )?(?:назад|ago)\b", _ago),
        (r"\b(?P<unit>день|неделю|месяц|квартал|год) (?:тому )?назад\b", _ago),
        (r"\bполгода (?:тому )?назад\b|\bhalf a year ago\b", _half_a_year_ago),
        (rf"(?:\b{_THIS} |\b(?=weekend|выходн))(?:weekend|выходны[ехм]\w?)\b", _weekend),
        (rf"(?:\b{_THIS} |{_behind('в во on с со since from')})(?P<weekday>{_WEEKDAY})\b", _weekday),
        (rf"{_behind('by к ко')}(?P<which>)(?P<weekday>{_WEEKDAY})\b", _coming_weekday),
        (rf"\b(?P<month>{_MONTHS}){_OF_YEAR}", _month),
        (
            r"\b(?P<part>начал[ае]|середин[еыу]|кон(?:це|ца)|early|mid|late|(?:the )?(?:beginning|start|middle|end) of)"
            rf"[ -](?P<month>{_MONTHS})\b{_OF_YEAR}?",
            _month,
        ),
        (rf"{_BEFORE_MONTH}(?P<month>{_MONTHS})\b(?!\s*\d)", _month),
        (rf"\b(?P<month>{_MONTHS})(?= ?- ?(?:{_MONTHS})\b)", _month),
        (rf"(?<=[а-яa-z]-)(?P<month>{_MONTHS})\b(?!\s*\d)", _month),
        (rf"\b{_THIS} (?P<month>{_MONTHS})\b", _last_month_named),
        (rf"\b(?P<season>{_SEASONS}){_OF_YEAR}", _season),
        (r"\b(?P<season>весной|летом|осенью|зимой)\b", _season),
        (rf"(?:{_behind('in over during за')}|(?<=\b(?:in|on) the )|(?<=ing the ))(?P<season>{_SEASONS})\b", _season),
        (rf"\b{_THIS} (?P<season>{_SEASONS})\b", _this_season),
        (rf"\bq(?P<nth>[1-4])\b{_OF_YEAR}?", _quarter),
        (rf"\b(?P<year>{_YEAR})[ -]?q(?P<nth>[1-4])\b", _quarter),
        (rf"\b{_NTH} (?:квартал\w{{0,2}}|quarter)\b{_OF_YEAR}?", _quarter),
        (rf"\bh(?P<nth>[12])\b{_OF_YEAR}", _half),
        (rf"\b{_NTH} (?:половин\w{{1,2}}|полугоди\w{{1,2}}|half)\b{_OF_YEAR}", _half),
        (rf"\b(?P<year>{_YEAR})-?w(?P<week>\d\d?)\b", _week),
        (rf"\b(?:(?:calendar )?week|недел[яюеи]) (?:№ ?|no\.? ?)?(?P<week>\d\d?)\b{_OF_YEAR}?", _week),
        (rf"(?<=\bна )(?P<week>\d\d?) неделе\b{_OF_YEAR}?", _week),
        (rf"\b(?P<week>\d\d?)(?:-?(?:я|ю|й|ой|ую|st|nd|rd|th)) (?:недел[яюеи]|week)\b{_OF_YEAR}?", _week),
        (rf"(?<![\w.,-])(?P<year>{_YEAR}) ?- ?(?P<until>{_YEAR})(?![\w.,-]\d|\d){_BEHIND_YEAR}", _years),
        (rf"(?<![\w.,-])(?P<year>{_YEAR})(?:s|-?(?:х|е)) ?(?:год\w*)?", _decade),
        (
            rf"{_BEFORE_YEAR}(?P<year>{_YEAR})(?![\w.,:/-]?\d){_NO_UNIT}{_BEHIND_YEAR}",
            _years,
        ),
        (rf"(?<![\w.,:/-])(?P<year>{_YEAR})(?:-?(?:го|м|й|ый))? ?(?:год(?:а|у|ом)?\b|г\.)", _years),
        (rf"(?<![\w.,:/-])(?P<year>{_YEAR})(?=\W*\Z)", _years),
        (r"(?<![\w.])(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<short>\d\d)(?![\w.-])", _short_date),
        (rf"(?<![\w.])(?P<year>{_YEAR})\.(?P<number>0[1-9]|1[0-2])(?![\w-]|\.\d)", _dotted_month),
    )
)
