"""Sentences that are one but for one part: which words both have, and what each has where they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TypeAlias

from vaultrag.text.dates import find_dates
from vaultrag.text.language import Token, fold, is_function_word, words
from vaultrag.text.numbers import canonical_numbers

LONGEST_VALUE = 5  # words: where more differ, it is another statement
SHARED_SHARE = 0.6  # of the longer sentence's words that stand in both, in one order
MOST_WORDS = 80  # of a sentence: what has more is none

_Step: TypeAlias = tuple[str, int, int, int, int]

_DAY = re.compile(r"day(\d{4})x(\d\d)x(\d\d)")
_CLOCK = re.compile(r"(?:[01]?\d|2[0-4]):[0-5]\d")
_YEAR = re.compile(r"1\d\d\d|20\d\d")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_REFERENCE = re.compile(r"\[\s?\^?\d{1,3}\s?\]")
_DENIALS = frozenset("не нет ни нельзя без никогда not no never cannot without none nor".split())
_NUMERALS = {
    word: digits
    for digits, forms in {
        "2": "two два две двух двум двумя двое",
        "3": "three три трех трем тремя трое",
        "4": "four четыре четырех четырем четверо",
        "5": "five пять пяти пятью пятеро",
        "6": "six шесть шести шестью шестеро",
        "7": "seven семь семи семеро",
        "8": "eight восемь восьми",
        "9": "nine девять девяти девятью",
        "10": "ten десять десяти десятью",
        "11": "eleven одиннадцать одиннадцати",
        "12": "twelve двенадцать двенадцати",
    }.items()
    for word in forms.split()
}
"""Numbers that people write as words. Not one, which is a pronoun as well."""


class ValueKind(StrEnum):
    """What a value can be taken for."""

    TIME = "time"
    NUMBER = "number"
    NAME = "name"
    THING = "thing"


@dataclass(frozen=True, slots=True)
class Worded:
    """A sentence's words that carry meaning, in order; a day or a number is one word, of one spelling."""

    words: tuple[Token, ...]
    stems: tuple[str, ...]
    held: frozenset[str]
    denials: int

    @classmethod
    def of(cls, sentence: str) -> Worded:
        found = words(canonical_numbers(_with_days(_REFERENCE.sub(" ", sentence))))
        kept = tuple(_with_digits(word) for word in found if not is_function_word(word.text))
        stems = tuple(word.stem for word in kept)
        return cls(kept, stems, frozenset(stems), sum(fold(word.text) in _DENIALS for word in found))

    @property
    def times(self) -> frozenset[str]:
        """The days, years and hours that it names."""
        return frozenset(word.text for word in self.words if ValueKind.TIME in _kinds(word.text))


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in one sentence where the other has something else."""

    words: tuple[Token, ...]

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(word.stem for word in self.words)

    @property
    def kinds(self) -> frozenset[ValueKind]:
        """What it can be taken for; a bare year may be a number as well."""
        kinds = frozenset(kind for word in self.words for kind in _kinds(word.text))
        return next((kinds & some for some in _STRONGEST_FIRST if kinds & some), frozenset())

    def contradicts(self, other: Value) -> bool:
        """Tell whether it is another value, of a kind that both are: not the same time said more exactly."""
        both = self.kinds & other.kinds
        if not both and not (self.kinds | other.kinds) <= _WORDS:
            return False
        if ValueKind.NUMBER in both:
            return self._measure == other._measure and self._numbers != other._numbers
        return all(_are_apart(day, another) for day, another in zip(self._days, other._days, strict=False))

    @property
    def _numbers(self) -> frozenset[float]:
        return frozenset(float(word.text) for word in self.words if _NUMBER.fullmatch(word.text))

    @property
    def _measure(self) -> frozenset[str]:
        return frozenset(word.stem for word in self.words if not _NUMBER.fullmatch(word.text))

    @property
    def _days(self) -> list[tuple[int, ...]]:
        """The days, and the years as days of which no more is said."""
        found = (_DAY.fullmatch(word.text) or _YEAR.fullmatch(word.text) for word in self.words)
        return [tuple(map(int, match.groups() or (match.group(), 0, 0))) for match in found if match]


_WORDS = frozenset({ValueKind.NAME, ValueKind.THING})
_STRONGEST_FIRST = (
    frozenset({ValueKind.TIME, ValueKind.NUMBER}),
    frozenset({ValueKind.NAME}),
    frozenset({ValueKind.THING}),
)


@dataclass(frozen=True, slots=True)
class Alike:
    """The words that two sentences share, in their order, and the values that they have in the same place."""

    shared: tuple[Token, ...]
    one: Value
    other: Value

    @property
    def frame(self) -> tuple[str, ...]:
        return tuple(word.stem for word in self.shared)

    @property
    def length(self) -> int:
        """How many words both have, numbers and days apart: a row of numbers is no sentence."""
        return sum(not _kinds(word.text) & _STRONGEST_FIRST[0] for word in self.shared)

    @property
    def has_number(self) -> bool:
        return self.length < len(self.shared)


def alike(one: Worded, other: Worded, share: float = SHARED_SHARE) -> Alike | None:
    """Return what two sentences have in common, at least this share, and where they differ, if that is one value."""
    longest = max(len(one.held), len(other.held))
    if one.denials != other.denials or len(one.held & other.held) < share * longest or longest > MOST_WORDS:
        return None
    codes = SequenceMatcher(None, one.stems, other.stems, autojunk=False).get_opcodes()
    shared = tuple(word for tag, start, end, _, _ in codes if tag == "equal" for word in one.words[start:end])
    gaps = _gaps(codes, one, other, frozenset(word.stem for word in shared))
    if gaps is None or len({(first.stems, second.stems) for first, second in gaps}) != 1:
        return None
    found = Alike(shared, *gaps[0])
    return found if len(shared) >= share * max(len(one.words), len(other.words)) else None


def is_day(time: str) -> bool:
    """Tell a day among times."""
    return bool(_DAY.fullmatch(time)) and not time.endswith("x00")


def _gaps(
    codes: Sequence[_Step], one: Worded, other: Worded, shared: frozenset[str]
) -> list[tuple[Value, Value]] | None:
    """Return the values that stand in one place; None where either sentence says something besides, but at its ends."""
    found: list[tuple[Value, Value]] = []
    for place, (tag, start, end, from_, till) in enumerate(codes):
        if tag == "equal":
            continue
        first, second = _value(one, shared, start, end), _value(other, shared, from_, till)
        if first.words and second.words:
            found.append((first, second))
        elif not _is_aside(first.words or second.words, is_end=place in (0, len(codes) - 1)):
            return None
    return None if any(len(value.words) > LONGEST_VALUE for pair in found for value in pair) else found


def _value(sentence: Worded, shared: frozenset[str], start: int, end: int) -> Value:
    return Value(tuple(word for word in sentence.words[start:end] if word.stem not in shared))


def _is_aside(rest: Sequence[Token], *, is_end: bool) -> bool:
    """Tell whether what only one sentence has leaves the other true: words before or behind it, and no number."""
    return not rest or (is_end and not any(_kinds(word.text) & _STRONGEST_FIRST[0] for word in rest))


def _are_apart(day: Sequence[int], other: Sequence[int]) -> bool:
    return any(a and b and a != b for a, b in zip(day, other, strict=True))


def _kinds(word: str) -> frozenset[ValueKind]:
    if _DAY.fullmatch(word) or _CLOCK.fullmatch(word):
        return frozenset({ValueKind.TIME})
    if any(map(str.isdigit, word)):
        return frozenset({ValueKind.NUMBER, ValueKind.TIME} if _YEAR.fullmatch(word) else {ValueKind.NUMBER})
    return frozenset({ValueKind.NAME if word[0].isupper() else ValueKind.THING})


def _with_digits(word: Token) -> Token:
    digits = _NUMERALS.get(fold(word.text))
    return word._replace(text=digits, stem=digits) if digits else word


def _with_days(text: str) -> str:
    """Return a text in which each day is one word; of two readings the first is as good for telling it from others."""
    kept: list[str] = []
    at = 0
    for written in find_dates(text):
        day = written.readings[0]
        kept += (text[at : written.start], f" day{day.year:04}x{day.month:02}x{day.day:02} ")
        at = written.end
    return "".join((*kept, text[at:]))
