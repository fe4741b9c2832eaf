"""Whether a sentence and a line of a note speak of the same thing, as far as code can tell cheaply.

A line is refused for a sentence where it says the same words of something else (the row or item of a sibling), where
one of them negates a word that the other states, where a number has another unit, and where an enumeration gives it to
another name. All of it is silent unless both sides are plain: what it lets through is for a model to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from vaultrag.text.dates import canonical_dates
from vaultrag.text.language import is_function_word, stem
from vaultrag.text.numbers import canonical_numbers

LONGEST_LABEL = 5  # words: «Порт для резервных копий: 8123»; what is longer is a clause

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_CLAUSE = re.compile(r"[,;:.!?()]|\s[—–-]\s")
_LABEL = re.compile(r"[\s*_`\[=]*+([^:—–|\n]{1,80}?)[\s*_`\]=]*(?::|\s[—–-])[*_`]*\s")
_CELL = re.compile(r"\s*\|([^|\n]{1,80})\|[^|\n]*\|[^|\n]*")
_ENUMERATED = re.compile(r"[,;]|\s(?:и|а|and)\s")
_ASIDE = re.compile(r"\[\[[^\[\]]{0,500}\]\]|\([^()]{0,500}\)")
_NEGATORS = frozenset("не ни без not never no cannot without nor neither".split())
_DENYING = "нет"  # denies all of its clause: «интернета на даче нет»
_SKIPPED = frozenset("только просто лишь only just longer more больше очень very really quite yet ещё уже".split())
_CONTRAST = re.compile(r"[,;]?\s*(?:а|но|but|rather|instead)\s", re.IGNORECASE)
_ONLY = frozenset("только просто лишь only just merely".split())

# Without single letters, which are words and abbreviations of more than one thing.
_UNITS: Mapping[str, str] = {
    spelling: unit
    for unit, spellings in {
        "byte": "байт байта byte bytes",
        "kilobyte": "кб kb kib килобайт",
        "megabyte": "мб mb mib мегабайт мегабайта",
        "gigabyte": "гб gb gib гигабайт гигабайта",
        "terabyte": "тб tb tib терабайт терабайта",
        "gram": "гр грамм грамма граммов gram grams",
        "kilogram": "кг килограмм килограмма килограммов kg kilo kilos kilogram kilograms",
        "ton": "тонн тонна тонны ton tons tonnes",
        "millimetre": "мм mm",
        "centimetre": "см cm",
        "metre": "метр метра метров metre metres meter meters",
        "kilometre": "км километр километра километров km kilometre kilometres kilometers",
        "mile": "миль мили миля mile miles",
        "litre": "литр литра литров litre litres liter liters",
        "millilitre": "мл ml",
        "second": "сек секунд секунда секунды секунду sec second seconds",
        "minute": "мин минут минута минуты минуту min minute minutes",
        "hour": "час часа часов hour hours",
        "day": "день дня дней дн сутки суток day days",
        "week": "неделя недели недель неделю week weeks",
        "month": "месяц месяца месяцев мес month months",
        "year": "год года лет году year years",
        "percent": "% процент процента процентов percent",
        "rouble": "₽ руб рубль рубля рублей rouble roubles rub",
        "dollar": "$ доллар доллара долларов usd dollar dollars",
        "euro": "€ евро eur euro euros",
        "pound": "£ фунт фунта фунтов gbp pound pounds",
        "lari": "₾ лари gel lari",
        "degree": "° °c градус градуса градусов degree degrees",
        "watt": "вт ватт watt watts",
        "kilowatt": "квт kw киловатт",
        "volt": "вольт volt volts",
        "megahertz": "мгц mhz",
        "gigahertz": "ггц ghz",
    }.items()
    for spelling in spellings.split()
}
_BEFORE = re.compile(r"([$€£₽₾])\s?(\d[\d.]*)")
_AFTER = re.compile(r"(?<![\w.])(\d[\d.]*)\s?(%|°[cC]?|[$€£₽₾]|[^\W\d_]+)")


class Wording:
    """What of a sentence or a line matters here, read once."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def label(self) -> frozenset[str]:
        """The stems of what the line names first and speaks of: «Открыт: …», `| TreeMap | … | … |`."""
        match = _CELL.match(self.text) or _LABEL.match(self.text)
        words = _WORD.findall(match.group(1)) if match else []
        return frozenset(_content(words)) if len(words) <= LONGEST_LABEL else frozenset()

    @cached_property
    def negation(self) -> tuple[frozenset[str], frozenset[str]]:
        """The stems of words that are negated only, and of those that are stated only."""
        negated: set[str] = set()
        stated: set[str] = set()
        for clause, is_corrected in _clauses(self.text):
            denied = _denied(clause)
            stated |= set(_content(clause)) - denied
            if not is_corrected:  # «не 15, а 16» is about both
                negated |= denied
        return frozenset(negated - stated), frozenset(stated - negated)

    @cached_property
    def measures(self) -> Mapping[str, frozenset[str]]:
        """The units that each number stands with."""
        text = canonical_numbers(canonical_dates(self.text))
        found: dict[str, frozenset[str]] = {}
        pairs = [(number, unit) for unit, number in _BEFORE.findall(text)] + _AFTER.findall(text)
        for number, unit in pairs:
            if named := _UNITS.get(unit.lower()):
                plain = number.rstrip(".")
                found[plain] = found.get(plain, frozenset()) | {named}
        return found


def differ_in_negation(sentence: Wording, line: Wording, read: Callable[[frozenset[str]], frozenset[str]]) -> bool:
    """Tell whether one negates a word that the other states. `read` adds the sentence's own forms of a line's words."""
    denied, stated = sentence.negation
    denied_there, stated_there = line.negation
    return not (denied.isdisjoint(read(stated_there)) and stated.isdisjoint(read(denied_there)))


def differ_in_unit(sentence: Wording, line: Wording) -> bool:
    """Tell whether a number stands with one unit here and with others there."""
    there = line.measures
    return any(number in there and not units & there[number] for number, units in sentence.measures.items())


class EnumeratedPart(NamedTuple):
    """A part of an enumeration: the stems of its names, of its numbers, and of its other words."""

    names: frozenset[str]
    numbers: frozenset[str]
    others: frozenset[str]


def given_to_another(
    names: frozenset[str], words: frozenset[str], asked: frozenset[str], parts: Sequence[EnumeratedPart]
) -> bool:
    """Tell whether an enumeration gives a number that is asked to another name: «Мэй 3 апреля, Лотте 22 сентября».

    `names` and `words` are the sentence's. Silent unless parts of both kinds have a name and a number, and where the
    part with the number speaks of what the sentence does.
    """
    full = [part for part in parts if part.names and part.numbers]
    own = [part.numbers for part in full if part.names & names or part.others & words]
    others = [part.numbers for part in full if not part.names & names and not part.others & words]
    if not own or not others:
        return False
    held, elsewhere = frozenset[str]().union(*own), frozenset[str]().union(*others)
    return bool(asked & elsewhere - held)


def parts_of_enumeration(text: str) -> list[str]:
    """Return the parts of an enumeration, without what stands in brackets."""
    return [part for part in _ENUMERATED.split(_ASIDE.sub("", text)) if part.strip()]


def _clauses(text: str) -> Iterator[tuple[list[str], bool]]:
    """Yield the words of each clause, and whether the next one corrects it: «не 15, а 16»."""
    at = 0
    for border in (*_CLAUSE.finditer(text), None):
        end = border.start() if border else len(text)
        words = [word.lower() for word in _WORD.findall(text, at, end)]
        if words:
            yield words, bool(border) and bool(_CONTRAST.match(text, end))
        at = border.end() if border else end


def _denied(words: Sequence[str]) -> set[str]:
    """Return the stems of the words of a clause that are denied."""
    if _DENYING in words:
        return set(_content(words)) if len(words) > 1 else set()
    denied: set[str] = set()
    for at, word in enumerate(words):
        if word not in _NEGATORS and not word.replace("’", "'").endswith("n't"):
            continue
        rest = words[at + 1 :]
        if rest and rest[0] in _ONLY:
            continue
        denied.update(next(([stem(one)] for one in rest if not is_function_word(one) and one not in _SKIPPED), []))
    return denied


def _content(words: Sequence[str]) -> list[str]:
    return [stem(word) for word in words if not is_function_word(word)]
