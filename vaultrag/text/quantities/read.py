"""The quantities of a text: amounts with their unit, clock times, shares, and bare numbers with what they count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vaultrag.domain import Bound, StatedKind
from vaultrag.text.quantities.numerals import NUMBER, ONE, SMALL, number_of
from vaultrag.text.quantities.units import DAY, HOUR, MINUTE, MONTH, SIGNS_BEFORE, UNIT, YEAR, unit_of
from vaultrag.text.times.periods import plain

_NOT_INSIDE = r"(?<![\w.,:/#_-])(?<!\w\+)"
_TIMES = r"(?:k|к|тыс(?:яч[аиу]?|\.)?|thousand|млн|миллион\w{0,2}|million|mln|млрд|миллиард\w{0,2}|billion|bn)"
_RANGE = r"(?: ?- ?| (?:to|до|or|или) |\.\.\.?)"
_AMOUNT = re.compile(
    rf"{_NOT_INSIDE}(?:(?P<sign>{SIGNS_BEFORE}) ?)?(?P<minus>-)?"
    rf"(?P<low>{NUMBER})(?:(?P<joint>{_RANGE})(?P<high>{NUMBER}))?"
    rf"(?: ?(?P<times>{_TIMES})(?![^\W_]))?"
    rf"(?:(?: ?|-(?=\w\w))(?P<unit>{UNIT})(?![^\W_²³]))?(?![^\W_]|[.,:/×x+_-]\d)"
)
_ONE_UNIT = re.compile(rf"{_NOT_INSIDE}(?P<low>{ONE}) (?P<unit>{UNIT})(?![^\W_])")
_HALF = re.compile(r"\b(?:полчаса|half an hour)\b|\b(?:полгода|half a year)\b|\b(?P<and>полтора|полторы) (?P<unit>\w+)")
_COMPOSITE = re.compile(
    rf"{_NOT_INSIDE}(?P<hours>\d{{1,3}}) ?(?:ч\.?|час(?:а|ов)?|h|hrs?|hours?) ?(?:и |and )?(?P<minutes>[0-5]?\d)"
    r"(?: ?(?:мин\w*|min\w*|m|м))?(?![\w:.,]\d|\w)"
)
_STOPWATCH = re.compile(r"(?<![\d:.])(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)(?![\d:])")
_O_CLOCK = (
    r"(?P<{0}>[01]?\d|2[0-4])(?::(?P<{0}m>[0-5]\d))?(?: ?(?P<{0}p>a\.?m\.?|p\.?m\.?|утра|дня|вечера|ночи)(?!\w))?"
)
_CLOCK = re.compile(
    r"(?<![\d:.,])(?P<from>[01]?\d|2[0-4]):(?P<fromm>[0-5]\d)(?![\d:])(?: ?(?P<fromp>[ap]\.?m\b\.?))?"
    r"(?: ?- ?(?P<till>[01]?\d|2[0-4]):(?P<tillm>[0-5]\d)(?![\d:])(?: ?(?P<tillp>[ap]\.?m\b\.?))?)?"
)
_HOUR = re.compile(
    r"(?<![\w:.,])(?P<from>1?\d|2[0-4]) ?(?P<fromp>[ap]\.?m\b\.?|утра|вечера|ночи|(?<=\b[1-5] )дня)(?!\w)"
)
_HOUR_IN_WORDS = re.compile(
    r"(?:(?<=\b[свк] )|(?<=\bдо ))(?P<hour>двух|трех|четырех|пяти|шести|семи|восьми|девяти|десяти|одиннадцати"
    r"|двенадцати|два|три|четыре"
    r"|пять|шесть|семь|восемь|девять|десять) (?P<part>утра|ночи|вечера|дня)(?!\w)"
)
_BETWEEN = re.compile(
    rf"\b(?:between|from|с|со|между) (?P<from>1?\d|2[0-4]) (?:and|to|till|до|и) (?P<till>1?\d|2[0-4])"
    rf"(?![\w:./%-]| ?(?:{UNIT})(?!\w)| [^\W\d_]{{4,}})"
)
_PACE_BEHIND = re.compile(r" ?(?:/ ?(?:км|km|mi)|на километр|per (?:km|mile)|мин/км|min/km)")
_PACE_BEFORE = re.compile(r"\b(?:темп\w*|pace) (?:был[аои]? |of |was |около )?\Z")
_EVERY = re.compile(
    rf"\b(?:(?P<often>раз|once|(?P<twice>дважды|twice|два раза)|(?P<many>{SMALL}) (?:раза?|times)) (?:в|a|an"
    rf"|every|per|each) "
    rf"(?:(?P<count>{SMALL}) )?(?P<unit>{UNIT}|квартал\w?|quarter)"
    rf"|(?:every|каждые|каждую|каждый|каждое|ежедневн\w+|each) (?:(?P<second>other) )?(?:(?P<counts>{SMALL}) )?"
    r"(?P<units>ноч\w{0,3}|night|день|утро|вечер|morning|evening|" + UNIT + r"))(?![^\W_])"
)
_ABOUT = re.compile(
    r"(?:~|≈|\b(?:около|примерно|порядка|где-то|приблизительно|почти|about|around|roughly|approx\w*\.?|some"
    r"|nearly|almost))"
    r" ?\Z"
)
_MOST = re.compile(
    r"(?:[<≤]|\b(?:до|не (?:более|больше|выше|дольше|позже)|максимум|макс\.?|меньше|менее|at most|up to|under|less than"
    r"|no more than|max(?:imum)?|below|within))(?: (?:чем|the))? ?[$€£₽₾]?\Z"
)
_LEAST = re.compile(
    r"(?:[>≥]|\b(?:от|не (?:менее|меньше|раньше|ниже)|минимум|мин\.|хотя бы|больше|более|свыше|at least|more than|over"
    r"|no less than|min(?:imum)?|above))(?: (?:чем|the))? ?[$€£₽₾]?\Z"
)
_COUNTED = re.compile(r" [^\W\d_]{3,}")
_LOOK_BACK = 22  # characters before a number that may say how it bounds
_FACTORS = {
    **dict.fromkeys(("k", "к", "tho", "тыс"), 1e3),
    **dict.fromkeys(("mln", "mil", "млн", "мил"), 1e6),
    **dict.fromkeys(("bn", "bil", "млр"), 1e9),
}
_AFTER_NOON = ("p", "вечера", "дня")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount where it stands, `end` exclusive, in the base unit; `high` only where it is a stretch.

    `repeats` where it is the time between two: "once a week" is a week.
    """

    start: int
    end: int
    kind: StatedKind
    low: float
    high: float | None = None
    unit: str = ""
    bound: Bound = Bound.EXACT
    repeats: bool = False


def find_quantities(text: str) -> list[Quantity]:
    """Return the quantities of a text, in order and apart. Dates and parts of names are the caller's to leave out."""
    folded = plain(text).replace("\u2212", "-")  # the minus of the mathematical keyboard
    found = sorted(_candidates(folded), key=lambda one: (one.start, -one.end))
    found = [_in_millions(text, one) for one in found]
    kept: list[Quantity] = []
    for quantity in found:
        if not kept or quantity.start >= kept[-1].end:
            kept.append(quantity)
    return kept


def _in_millions(text: str, one: Quantity) -> Quantity:
    """Read "41 M points" as millions: a metre is a small letter."""
    is_million = one.unit == "m" and text[one.end - 1] == "M" and _COUNTED.match(text, one.end)
    return replace(one, kind=StatedKind.NUMBER, low=one.low * 1e6, unit="") if is_million else one


def bound_before(text: str, start: int) -> Bound:
    """Return how the words before a place bound what stands there."""
    before = plain(text[max(0, start - _LOOK_BACK) : start])
    for bound, pattern in ((Bound.ABOUT, _ABOUT), (Bound.MOST, _MOST), (Bound.LEAST, _LEAST)):
        if pattern.search(before):
            return bound
    return Bound.EXACT


def _candidates(text: str) -> Iterator[Quantity]:
    for match in _STOPWATCH.finditer(text):
        seconds = int(match["hours"]) * HOUR + int(match["minutes"]) * MINUTE + int(match["seconds"])
        yield Quantity(*match.span(), StatedKind.DURATION, seconds, unit="s")
    for match in _COMPOSITE.finditer(text):
        seconds = int(match["hours"]) * HOUR + int(match["minutes"]) * MINUTE
        yield Quantity(*match.span(), StatedKind.DURATION, seconds, unit="s", bound=bound_before(text, match.start()))
    for match in _HOUR_IN_WORDS.finditer(text):
        minutes = number_of(match["hour"]) * 60 + (720 if match["part"] in ("вечера", "дня") else 0)
        yield Quantity(*match.span(), StatedKind.TIME, minutes, None, "min")
    for pattern in (_CLOCK, _HOUR, _BETWEEN):
        for match in pattern.finditer(text):
            yield _clock(text, match)
    yield from _repeats(text)
    for match in _HALF.finditer(text):
        yield from _half(match)
    for pattern in (_ONE_UNIT, _AMOUNT):
        for match in pattern.finditer(text):
            if quantity := _amount(text, match):
                yield quantity


def _clock(text: str, match: re.Match[str]) -> Quantity:
    parts = match.groupdict()
    low, high = (_minutes(parts, side) for side in ("from", "till"))
    assert low is not None
    bound = Bound.EXACT if high is not None else bound_before(text, match.start())
    if _PACE_BEHIND.match(text, match.end()) or _PACE_BEFORE.search(text, 0, match.start()):
        high = None if high is None else high * MINUTE / 60
        return Quantity(*match.span(), StatedKind.DURATION, low, high, "s", bound)  # minutes and seconds
    return Quantity(*match.span(), StatedKind.TIME, low, high, "min", bound)


def _minutes(parts: dict[str, str | None], side: str) -> float | None:
    hour = parts.get(side)
    if hour is None:
        return None
    part = parts.get(f"{side}p") or ""
    hours = int(hour)
    if part.startswith(_AFTER_NOON) and hours < 12:
        hours += 12
    return hours * 60.0 + int(parts.get(f"{side}m") or 0)


def _repeats(text: str) -> Iterator[Quantity]:
    for match in _EVERY.finditer(text):
        unit = match["unit"] or match["units"]
        length = _length_of(unit)
        if length is None:
            continue
        count = number_of(match["count"] or match["counts"] or "1") * (2 if match["second"] else 1)
        often = 2.0 if match["twice"] else number_of(match["many"]) if match["many"] else 1.0
        yield Quantity(*match.span(), StatedKind.DURATION, length * count / max(often, 1.0), unit="s", repeats=True)


def _length_of(unit: str) -> float | None:
    if unit.startswith(("квартал", "quarter")):
        return 3 * MONTH
    if unit.startswith(("утро", "вечер", "morning", "evening", "ноч", "night")):
        return DAY
    known = unit_of(unit)
    return known.factor if known and known.kind is StatedKind.DURATION else None


def _half(match: re.Match[str]) -> Iterator[Quantity]:
    words = match.group()
    if match["unit"]:
        unit = unit_of(match["unit"])
        if unit:
            yield Quantity(*match.span(), unit.kind, 1.5 * unit.factor, unit=unit.base)
    else:
        seconds = YEAR / 2 if words.endswith(("года", "year")) else HOUR / 2
        yield Quantity(*match.span(), StatedKind.DURATION, seconds, unit="s")


def _amount(text: str, match: re.Match[str]) -> Quantity | None:
    parts = match.groupdict()
    unit = unit_of(parts.get("sign") or parts.get("unit") or "") if parts.get("sign") or parts.get("unit") else None
    if unit is None and not match["low"][0].isdigit() and parts.get("high") is None:
        kind, base, factor = StatedKind.NUMBER, "", 1.0
    else:
        kind, base, factor = (unit.kind, unit.base, unit.factor) if unit else (StatedKind.NUMBER, "", 1.0)
    if parts.get("times"):
        factor *= _FACTORS.get(parts["times"][:3].rstrip("."), 1.0)
    low, high = number_of(match["low"]), number_of(parts["high"]) if parts.get("high") else None
    low = -low if parts.get("minus") else low
    if high is not None and high <= low and "-" in (parts.get("joint") or ""):
        return None  # a score, a pair, a name with a number
    start = match.start()
    return Quantity(
        start, match.end(), kind, low * factor, None if high is None else high * factor, base, bound_before(text, start)
    )


def masked(text: str, places: Sequence[tuple[int, int]]) -> str:
    """Return a text of the same length with these places blank."""
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
