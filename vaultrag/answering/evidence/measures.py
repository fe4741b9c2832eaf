"""In what a question's amount is measured, and whether a line gives a number of that: minutes for "how long"."""

from __future__ import annotations

import re
from enum import StrEnum

from vaultrag.answering.evidence.lines import CELLS, Line
from vaultrag.text.language import fold


class Measure(StrEnum):
    """What is measured, not its unit: hours and days are both time."""

    DURATION = "duration"
    MONEY = "money"
    LENGTH = "length"
    WEIGHT = "weight"
    TEMPERATURE = "temperature"
    SHARE = "share"


_ASKED = {
    Measure.DURATION: re.compile(
        r"\b(?:how long(?! ago)|duration|runtime|как долго|сколько (?:\w+ )?(?:времени|дл[ия]\w+|продл\w+|идет)"
        r"|длительност\w*|продолжительност\w*)\b"
    ),
    Measure.MONEY: re.compile(
        r"\b(?:costs?|price[ds]?|prices|pays?|paid|fees?|rent|budget|salary|expensive|spen[dt]|charge[ds]?|earns?|worth"
        r"|money|почем|стои[мтлш]\w*|стоят|цен[аыуе]\w{0,2}|ценник\w*|плат[ияеё]\w*|заплат\w+|плач\w*|уплат\w+|обош\w+"
        r"|обход\w+|потрат\w+|бюджет\w*|зарплат\w*|пошлин\w*|аренд\w*|ден[ье]г\w*|тариф\w*|оклад\w*)\b"
    ),
    Measure.LENGTH: re.compile(
        r"\b(?:how (?:far|tall|high|deep|wide)|distance|height|width|depth|(?:как|насколько) далеко|расстояни\w+"
        r"|высот\w+|ширин\w+|глубин\w+|какого роста)\b"
    ),
    Measure.WEIGHT: re.compile(r"\b(?:how heavy|weighs?|weight|вес[аеу]?|весит|весил\w?|весят|масс[аыуе])\b"),
    Measure.TEMPERATURE: re.compile(r"\b(?:how (?:hot|cold|warm)|temperatures?|температур\w+)\b"),
    Measure.SHARE: re.compile(
        r"\b(?:percent\w*|what (?:share|portion|fraction)|процент\w*|как(?:ая|ую) (?:часть|дол[яю]))\b"
    ),
}
_BEFORE, _BEHIND = r"(?:\b|(?<=\d))(?:", r")\b"  # a unit stands alone or behind its number: 5 kg, 5kg


def _letter(letters: str) -> str:
    """Return the expression for a unit of one letter, which elsewhere is a word: «с», "'s", «2024 г.»."""
    behind_number = rf"(?:(?<=\d)|(?<=\d ))(?<![12]\d\d\d)(?<![12]\d\d\d )(?:{letters})\b"
    ends_header = rf"(?:(?<=, )|(?<=\())(?:{letters})(?=\)|\Z| ·)"
    return f"|{behind_number}|{ends_header}"


_GIVEN = {
    Measure.DURATION: re.compile(
        rf"{_BEFORE}secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?|months?|years?|decades?|century|centuries"
        rf"|nights?|duration|runtime|сек\w*|мин|минут\w*|час\w*|сут\w+|дн(?:ей|я|и)|день|недел\w+|месяц\w*|мес"
        rf"|год\w{{0,2}}|лет|ноч\w+|длительност\w*|продолжительност\w*{_BEHIND}{_letter('s|h|с|ч')}"
    ),
    Measure.MONEY: re.compile(
        rf"[$€£₽₾₴¥]|{_BEFORE}eur|euros?|usd|dollars?|gbp|pounds?|rub|rou?bles?|gel|cents?|bucks|price|cost|fee|rent|budget"
        rf"|salary|руб\w*|евро|доллар\w*|лари|тетри|грив\w+|тенге|копе\w+|цена|стоимость|бюджет|оклад|зарплата{_BEHIND}"
        rf"{_letter('р')}"
    ),
    Measure.LENGTH: re.compile(
        rf"{_BEFORE}mm|cm|km|met(?:er|re)s?|kilomet\w+|centimet\w+|miles?|feet|foot|ft|inch\w*|yards?|мм|см|км|метр\w*"
        rf"|километр\w*|сантиметр\w*|миллиметр\w*|мил[ьия]\w*|фут\w*|дюйм\w*|шаг\w*|верст\w*"
        rf"|length|height|width|depth|distance|длина|высота|ширина|глубина|расстояние{_BEHIND}{_letter('m|м')}"
    ),
    Measure.WEIGHT: re.compile(
        rf"{_BEFORE}kg|mg|grams?|kilos?|kilograms?|lbs?|pounds?|tons?|tonnes?|oz|ounces?|weight|гр|кг|мг|грамм\w*|кило\w*"
        rf"|тонн\w*|вес{_BEHIND}{_letter('g|г')}"
    ),
    Measure.TEMPERATURE: re.compile(
        rf"°|{_BEFORE}degrees?|celsius|fahrenheit|temperature|temp|градус\w*{_BEHIND}{_letter('c|с')}"
    ),
    Measure.SHARE: re.compile(
        rf"%|{_BEFORE}percent\w*|half|third|quarter|majority|процент\w*|половин\w*|трет[ьи]\w*|четверт\w*"
        rf"|большинств\w+{_BEHIND}"
    ),
}


def measure_of(question: str) -> Measure | None:
    """Return what the answer to a question would be measured in; None where the question does not tell."""
    folded = fold(question)
    return next((measure for measure, cue in _ASKED.items() if cue.search(folded)), None)


def gives_measure(measure: Measure, line: Line) -> bool:
    """Tell whether a line says that it gives that: by a unit, by a property's name, or by the header of its row."""
    header = line.around[-1] if CELLS in line.words and line.around else ""
    return bool(_GIVEN[measure].search(fold(f"{line.words} {header}")))
