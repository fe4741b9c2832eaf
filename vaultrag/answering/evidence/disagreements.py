"""Lines of different passages that say different things of the same: by code, and only where little else can be meant.

Two lines disagree when they are about what the question asks, share their words, and each gives one value of the same
kind that the other has not: a number with the same unit, a date, a yes against a no. Rows of a series are no dispute:
lines that name different days or years of their own speak of different times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import combinations

from vaultrag.answering.evidence.asked_for import Asked, asked_for
from vaultrag.answering.evidence.lines import Line
from vaultrag.text.dates import Day, find_dates, without_dates
from vaultrag.text.language import content_tokens, fold, stem, words
from vaultrag.text.morphology import term_of
from vaultrag.text.numbers import canonical_numbers
from vaultrag.text.terms import question_terms

ASKED_SHARE = 0.75  # of the question's words that each line must hold, with what it stands under
SAME_SHARE = 0.6  # of each line's words that the other, with what it stands under, must hold
LONGEST = 160  # characters of a line: one that says more speaks of more than one thing

_VALUE = re.compile(r"(?<![\w.,:/-])(?P<number>\d+(?:\.\d+)?)(?![\w:/]|[.,]\d)\s?(?P<unit>[%₽$€₾£°]|[^\W\d_]{1,12})?")
_CLOCK = re.compile(r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])")
_NOT = frozenset(
    "не нет ни нельзя без никогда not no never cannot without none don't doesn't didn't isn't won't".split()
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two lines, by their indices among those compared, in which a value differs."""

    one: int
    other: int


def disagreements(question: str, lines: Sequence[Line]) -> list[Disagreement]:
    """Return the pairs of lines, of different passages, that give different answers to the question."""
    kinds, asked = asked_for(question), [term for term in question_terms(question) if not term[0].isdigit()]
    about = [_About.of(line) for line in lines]
    relevant = [
        index
        for index, one in enumerate(about)
        if asked and len(lines[index].words) <= LONGEST and _held(asked, one.context) >= ASKED_SHARE
    ]
    return [
        Disagreement(first, second)
        for first, second in combinations(relevant, 2)
        if lines[first].source.passage != lines[second].source.passage and _differ(about[first], about[second], kinds)
    ]


@dataclass(frozen=True, slots=True)
class _About:
    """What a line speaks of and the values it gives: `values` by their unit, `days` as they are written."""

    own: frozenset[str]
    context: frozenset[str]
    values: dict[str, frozenset[str]]
    days: frozenset[Day]
    clocks: frozenset[str]
    years: frozenset[str]
    denies: bool

    @classmethod
    def of(cls, line: Line) -> _About:
        text = line.words
        days = frozenset(reading for written in find_dates(text) for reading in written.readings)
        bare = canonical_numbers(without_dates(text))
        clocks = frozenset(f"{int(hour)}:{minute}" for hour, minute in _CLOCK.findall(bare))
        values: dict[str, set[str]] = {}
        years: set[str] = {str(day.year) for day in days if day.year}
        for match in _VALUE.finditer(_CLOCK.sub(" ", bare)):
            if _is_year(match["number"], match["unit"]):
                years.add(match["number"])
            else:
                values.setdefault(stem(match["unit"]) if match["unit"] else "", set()).add(_plain(match["number"]))
        units = set(values)
        own = frozenset(
            other
            for token in content_tokens(text)
            if not any(map(str.isdigit, token.text)) and token.stem not in units
            for other in term_of(token.text, token.stem)
        )
        around = frozenset(
            other for token in content_tokens(" ".join(line.around)) for other in term_of(token.text, token.stem)
        )
        denies = any(fold(token.text) in _NOT for token in words(text))
        frozen = {unit: frozenset(numbers) for unit, numbers in values.items()}
        return cls(own, own | around, frozen, days, clocks, frozenset(years), denies)


def _differ(one: _About, other: _About, kinds: frozenset[Asked]) -> bool:
    if not (_within(one.own, other.context) and _within(other.own, one.context) and one.own & other.own):
        return False
    if Asked.TIME in kinds and (_apart(one.days, other.days) or _apart(one.clocks, other.clocks)):
        return one.denies == other.denies
    if one.days != other.days or one.years != other.years:
        return False  # each speaks of a time of its own
    if Asked.AMOUNT in kinds and any(_apart(one.values[u], other.values[u]) for u in one.values.keys() & other.values):
        return one.denies == other.denies
    return not kinds and one.values == other.values and one.denies != other.denies


def _apart(some: Set[object], others: Set[object]) -> bool:
    """Tell whether each side gives exactly one value, and they differ."""
    return len(some) == len(others) == 1 and some != others


def _within(some: frozenset[str], context: frozenset[str]) -> bool:
    return bool(some) and len(some & context) / len(some) >= SAME_SHARE


def _held(asked: Sequence[tuple[str, ...]], context: frozenset[str]) -> float:
    return sum(not context.isdisjoint(term) for term in asked) / len(asked)


def _is_year(number: str, unit: str | None) -> bool:
    return len(number) == 4 and number[:2] in ("19", "20") and (unit is None or stem(unit) in ("год", "г", "year"))


def _plain(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
