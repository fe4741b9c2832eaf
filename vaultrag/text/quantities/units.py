"""Units as people write them in Russian and English, and what each is in its base unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaultrag.domain import StatedKind

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEEK, MONTH, YEAR = 7 * DAY, 30 * DAY, 365 * DAY  # "30 days" is "a month" to whoever writes either


@dataclass(frozen=True, slots=True)
class Unit:
    """What is measured, in which base unit, and how many of that one of this is."""

    kind: StatedKind
    base: str
    factor: float = 1.0


_DURATION, _MONEY, _MEASURE = StatedKind.DURATION, StatedKind.MONEY, StatedKind.MEASURE
# Of a text that is folded; each may stand right behind its number.
_UNITS: tuple[tuple[str, Unit], ...] = (
    (r"ч\. ?л\.?|чайн\w{1,3} лож\w{1,4}|tsp|teaspoons?", Unit(_MEASURE, "l", 0.005)),
    (r"ст\. ?л\.?|столов\w{1,3} лож\w{1,4}|tbsp|tablespoons?", Unit(_MEASURE, "l", 0.015)),
    (r"мс|ms|миллисекунд\w*|milliseconds?", Unit(_DURATION, "s", 0.001)),
    (r"сек\w{0,5}|с|secs?|seconds?|s", Unit(_DURATION, "s")),
    (r"мин\.?(?!\w)|минут\w{0,2}|mins?|minutes?", Unit(_DURATION, "s", MINUTE)),
    (r"ч\.?(?!\w)|час(?:а|ов|у|ам|ы)?(?!\w)|h|hrs?|hours?", Unit(_DURATION, "s", HOUR)),
    (r"дн(?:ей|я|и|ям)|день|сут(?:ки|ок)|days?|ноч(?:ь|и|ей)|nights?", Unit(_DURATION, "s", DAY)),
    (r"недел\w{0,3}|weeks?", Unit(_DURATION, "s", WEEK)),
    (r"месяц\w{0,2}|мес\.?(?!\w)|months?", Unit(_DURATION, "s", MONTH)),
    (r"год(?:а|у|ы|ов)?(?!\w)|лет|years?|yrs?", Unit(_DURATION, "s", YEAR)),
    (r"\$|usd|долл\w*|dollars?|bucks|бакс\w*", Unit(_MONEY, "USD")),
    (r"cents?|цент(?:а|ов)?", Unit(_MONEY, "USD", 0.01)),
    (r"€|eur|евро|euros?", Unit(_MONEY, "EUR")),
    (r"₽|руб\w{0,3}\.?|р\.?(?![\w/])|rub|rou?bles?", Unit(_MONEY, "RUB")),
    (r"коп\w{0,4}", Unit(_MONEY, "RUB", 0.01)),
    (r"₾|gel|лари", Unit(_MONEY, "GEL")),
    (r"тетри", Unit(_MONEY, "GEL", 0.01)),
    (r"£|gbp|фунт\w{0,2} стерлингов", Unit(_MONEY, "GBP")),
    (r"₴|грив\w{1,3}|uah", Unit(_MONEY, "UAH")),
    (r"₸|тенге|kzt", Unit(_MONEY, "KZT")),
    (r"֏|драм\w{0,2}|amd", Unit(_MONEY, "AMD")),
    (r"¥|юан\w{1,2}|cny|yuan", Unit(_MONEY, "CNY")),
    (r"%|процент\w{0,2}|percent|per cent", Unit(StatedKind.SHARE, "%")),
    (r"‰|промилле", Unit(StatedKind.SHARE, "%", 0.1)),
    (r"мм|mm|миллиметр\w{0,2}|millimet\w+", Unit(_MEASURE, "m", 0.001)),
    (r"см|cm|сантиметр\w{0,2}|centimet\w+", Unit(_MEASURE, "m", 0.01)),
    (r"км/ч|km/h|kph", Unit(_MEASURE, "km/h")),
    (r"км|km|километр\w{0,2}|kilomet\w+", Unit(_MEASURE, "m", 1000.0)),
    (
        r"м²|м2|кв\.? ?м\.?|m²|m2|sq\.? ?m|квадратн\w{1,3} метр\w{0,3}|квадрат(?:а|ов)?(?![а-яё])|square met\w{1,4}",
        Unit(_MEASURE, "m2"),
    ),
    (r"м³|м3|m³|m3|куб(?:а|ов|ометр\w*)?(?!\w)", Unit(_MEASURE, "l", 1000.0)),
    (r"метр\w{0,2}|м|m|met(?:er|re)s?", Unit(_MEASURE, "m")),
    (r"дюйм\w{0,2}|inch(?:es)?|″", Unit(_MEASURE, "m", 0.0254)),
    (r"feet|foot|ft|фут\w{0,2}", Unit(_MEASURE, "m", 0.3048)),
    (r"mi|miles?|мил[ьияей]{1,2}", Unit(_MEASURE, "m", 1609.344)),
    (r"мг|mg|миллиграмм\w{0,2}", Unit(_MEASURE, "g", 0.001)),
    (r"кг|kg|кило(?:грамм\w{0,2})?(?!\w)|kilos?|kilograms?", Unit(_MEASURE, "g", 1000.0)),
    (r"гр?\.?(?!\w)|g|грамм\w{0,2}|grams?", Unit(_MEASURE, "g")),
    (r"lbs?|pounds?|фунт\w{0,2}", Unit(_MEASURE, "g", 453.592)),
    (r"oz|ounces?|унци\w{1,2}", Unit(_MEASURE, "g", 28.3495)),
    (r"т|тонн\w{0,2}|tonn?e?s?", Unit(_MEASURE, "g", 1e6)),
    (r"iu|ме(?![а-яё])", Unit(_MEASURE, "IU")),
    (r"мл|ml|миллилитр\w{0,2}", Unit(_MEASURE, "l", 0.001)),
    (r"л|l|литр\w{0,2}|lit(?:er|re)s?", Unit(_MEASURE, "l")),
    (r"кбит/с|kbit/s|kbps", Unit(_MEASURE, "bit/s", 1e3)),
    (r"мбит/с|мбит|мегабит\w{0,2}(?: в секунду)?|mbit/s|mbit|mbps", Unit(_MEASURE, "bit/s", 1e6)),
    (r"гбит/с|гбит|gbit/s|gbit|gbps", Unit(_MEASURE, "bit/s", 1e9)),
    (r"[мm]i?[бb](?:айт)?/[сs]", Unit(_MEASURE, "B/s", 1e6)),
    (r"[гg]i?[бb](?:айт)?/[сs]", Unit(_MEASURE, "B/s", 1e9)),
    (r"[кk]i?[бb]", Unit(_MEASURE, "B", 1e3)),
    (r"[мm]i?[бb]|мегабайт\w{0,2}|megabytes?", Unit(_MEASURE, "B", 1e6)),
    (r"[гg]i?[бb]|гигабайт\w{0,4}|gigabytes?|гиг(?:а|ов)?(?!\w)|gigs?", Unit(_MEASURE, "B", 1e9)),
    (r"[тt]i?[бb]|терабайт\w{0,2}|terabytes?", Unit(_MEASURE, "B", 1e12)),
    (r"кгц|khz", Unit(_MEASURE, "Hz", 1e3)),
    (r"мгц|mhz", Unit(_MEASURE, "Hz", 1e6)),
    (r"ггц|ghz", Unit(_MEASURE, "Hz", 1e9)),
    (r"гц|hz|fps|кадр\w{0,2}/с\w*", Unit(_MEASURE, "Hz")),
    (r"квт ?[·*-]? ?ч|kwh", Unit(_MEASURE, "Wh", 1e3)),
    (r"вт ?[·*-]? ?ч|wh", Unit(_MEASURE, "Wh")),
    (r"квт|kw|киловатт\w{0,2}", Unit(_MEASURE, "W", 1e3)),
    (r"вт|w|ватт\w{0,2}|watts?", Unit(_MEASURE, "W")),
    (r"м[вb]|mv", Unit(_MEASURE, "V", 0.001)),
    (r"вольт\w{0,2}|v|volts?", Unit(_MEASURE, "V")),
    (r"ма|ma", Unit(_MEASURE, "A", 0.001)),
    (r"ампер\w{0,2}|amps?", Unit(_MEASURE, "A")),
    (r"мач|mah", Unit(_MEASURE, "Ah", 0.001)),
    (r"а·?ч|ah", Unit(_MEASURE, "Ah")),
    (r"дби|dbi|дб|dbm?", Unit(_MEASURE, "dB")),
    (r"°f", Unit(_MEASURE, "F")),
    (r"° ?[cс]?(?!\w)|градус\w{0,2}|degrees?", Unit(_MEASURE, "C")),
    (r"ккал|kcal", Unit(_MEASURE, "kcal")),
    (r"атм|бар|bar", Unit(_MEASURE, "bar")),
)
_NAMED = tuple((re.compile(rf"(?:{words})"), unit) for words, unit in _UNITS)
UNIT = "|".join(f"(?:{words})" for words, _ in _UNITS)
"""Expression for any of them."""
SIGNS_BEFORE = r"[$€£₽₾₴₸¥]"


def unit_of(written: str) -> Unit | None:
    """Return what a folded word or sign measures in; None where it is no unit."""
    return next((unit for pattern, unit in _NAMED if pattern.fullmatch(written)), None)
