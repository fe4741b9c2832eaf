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


def _gives(signs: str, words: str, letters: str = "") -> re.Pattern[str]:
    """Return the expression for what tells a measure: signs, words (`*`: in any form), and units of one letter."""
    known = words.replace("*", r"\w{0,8}").replace(" ", "|")  # bounded: a run of letters and digits is read once
    alone = rf"(?:\b|(?<=\d))(?:{known})\b"  # or behind its number: 5 kg, 5kg
    return re.compile("|".join(filter(None, (signs, alone, _letter(letters) if letters else ""))))


def _letter(letters: str) -> str:
    """Return the expression for a unit of one letter, which elsewhere is a word: «с», "'s", «2024 г.»."""
    behind_number = rf"(?:(?<=\d)|(?<=\d ))(?<![12]\d\d\d)(?<![12]\d\d\d )(?:{letters})\b"
    ends_header = rf"(?:(?<=, )|(?<=\())(?:{letters})(?=\)|\Z| ·)"
    return f"{behind_number}|{ends_header}"


_GIVEN = {
    Measure.DURATION: _gives(
        "",
        "sec secs second seconds min mins minute minutes hr hrs hour hours day days week weeks month months year years "
        "decade decades century centuries night nights duration runtime сек* мин минут* час* сутк* суток дней дня дни "
        "день недел* месяц* мес год* лет ноч* длительност* продолжительност*",
        "s|h|с|ч",
    ),
    Measure.MONEY: _gives(
        "[$€£₽₾₴¥]",
        "eur euro euros usd dollar dollars gbp pound pounds rub rouble roubles ruble rubles gel cent cents bucks price "
        "cost fee rent budget salary руб* евро доллар* лари тетри грив* тенге копе* цена стоимость бюджет оклад "
        "зарплата",
        "р",
    ),
    Measure.LENGTH: _gives(
        "",
        "mm cm km meter meters metre metres kilomet* centimet* mile miles feet foot ft inch* yard yards мм см км "
        "метр* километр* сантиметр* миллиметр* миль миля* мили* фут* дюйм* шаг* верст* length height width depth "
        "distance длина высота ширина глубина расстояние",
        "m|м",
    ),
    Measure.WEIGHT: _gives(
        "",
        "kg mg gram grams kilo kilos kilogram kilograms lb lbs pound pounds ton tons tonne tonnes oz ounce ounces "
        "weight гр кг мг грамм* кило* тонн* вес",
        "g|г",
    ),
    Measure.TEMPERATURE: _gives("°", "degree degrees celsius fahrenheit temperature temp градус*", "c|с"),
    Measure.SHARE: _gives(
        "%", "percent* half third quarter majority процент* половин* трети* треть* четверт* большинств*"
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
