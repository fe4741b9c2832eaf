"""What two claims give as values, held against each other: the same, another, or nothing to compare.

Values are normalised where claims are read. Here it is told which of them are of one thing, and whether they can both
be right: at most 2000 and 1800 can, «около часа» and 65 minutes can, 27 hours are 1620 minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from vaultrag.contradictions.comparing.concepts import are_alike, read_words
from vaultrag.contradictions.comparing.labels import Labels, are_equal, follows_key, is_case, key_of
from vaultrag.domain import Bound, Claim, StatedKind, StatedValue
from vaultrag.text.language import fold

ABOUT_SHARE = 0.15  # "about an hour" says no more than that
ROUND_SHARE = 0.04  # «две тысячи» of 2043, a month of 30 or 31 days
CALENDAR = 28 * 86400.0  # seconds: from a month on lengths of time are counted by the calendar
OTHER_MEASURE = 4.0  # times: two amounts farther apart than this are hardly ever of one thing
MANY = 3  # amounts of one kind in a claim
NUMERIC = frozenset({StatedKind.NUMBER, StatedKind.MONEY, StatedKind.MEASURE, StatedKind.SHARE, StatedKind.DURATION})
WORDED = frozenset({StatedKind.NAME, StatedKind.TEXT})
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_RELATIVE = 3  # years by which «уже десять лет» may be off
_YEAR = re.compile(r"(?:19|20)\d\d")
_DECIMAL = re.compile(r"\d+[.,](\d+)")
_ORDINAL = re.compile(
    r"перв[^ао]|втор[оаыу]|трет[ьи]|четверт[ыоау][йемхяюг]|пят[ыоау][йемхяюг]|шест[оауы][йемхяюг]|седьм|восьм[оауы][йемхяюг]"
    r"|девят[ыоау][йемхяюг]|десят[ыоау][йемхяюг]|перво|перва|first|second|third|(?:four|fif|six|seven|eigh|nin|ten)th\b"
)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)?")


class Relation(StrEnum):
    """SAME values agree; COMPATIBLE ones may; APART ones cannot both be right of one thing."""

    SAME = "same"
    COMPATIBLE = "compatible"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Compared:
    """A value of each claim, of one kind and unit, and how they stand to each other.

    `labelled` where both say in words what the value is of, and it is the same; `named` where they say no more of it.
    """

    one: StatedValue
    other: StatedValue
    relation: Relation
    labelled: bool = False
    named: bool = False

    @property
    def kind(self) -> StatedKind:
        return self.one.kind if self.one.kind is not StatedKind.NUMBER else self.other.kind


def compare_values(one: Claim, other: Claim) -> list[Compared]:
    """Return the values that can be held against each other, each once, those that agree before those that do not."""
    pairs = sorted(_comparable(one, other), key=lambda pair: (_ORDER[pair.relation], not pair.labelled))
    taken: set[tuple[int, int]] = set()
    found: list[Compared] = []
    for pair in pairs:
        sides = {(0, id(pair.one)), (1, id(pair.other))}
        if taken.isdisjoint(sides):
            taken |= sides
            found.append(pair)
    return found


_ORDER = {Relation.SAME: 0, Relation.COMPATIBLE: 1, Relation.APART: 2}


def _comparable(one: Claim, other: Claim) -> Iterator[Compared]:
    for first, second in product(one.values, other.values):
        if not _are_of_one_kind(first, second) or is_case(one, first) or is_case(other, second):
            continue
        labels = Labels(one, first), Labels(other, second)
        is_labelled = all(labels) and labels[0].are_one(labels[1])
        if not is_labelled and (
            _is_loose(first, second) or _is_one_of_many(one, first) or _is_one_of_many(other, second)
        ):
            continue
        if first.kind is not second.kind and not (_gives(one, first) and _gives(other, second)):
            continue
        if all(labels) and not labels[0].meet(labels[1]) and _can_tell(one, other, *labels):
            continue
        if {first.kind, second.kind} & WORDED and not (is_labelled and _are_one_key(one, other)):
            continue
        is_named = is_labelled and (one.language != other.language or are_equal(*labels))
        yield Compared(first, second, relation_of(first, second), is_labelled, is_named)


def _is_one_of_many(claim: Claim, value: StatedValue) -> bool:
    """Tell whether a claim gives so many amounts of this kind that only a label says which of them is meant."""
    alike = {other.magnitude for other in claim.values if (other.kind, other.unit) == (value.kind, value.unit)}
    return value.kind in NUMERIC and len(alike) >= MANY


def _can_tell(one: Claim, other: Claim, *labels: Labels) -> bool:
    """Tell whether labels that do not meet are two; in another language the same may have any other word."""
    return one.language == other.language or all(label.is_known for label in labels)


def _are_one_key(one: Claim, other: Claim) -> bool:
    """Tell whether two claims give one key a value, as properties do: words in a sentence are a value of nothing."""
    first, second = key_of(one), key_of(other)
    return len(first) == len(second) > 0 and all(any(are_alike(a, b) for b in second) for a in first)


def _gives(claim: Claim, value: StatedValue) -> bool:
    return value.kind is StatedKind.TIME or follows_key(claim, value)


def relation_of(one: StatedValue, other: StatedValue) -> Relation:
    """Return how two values of one kind stand to each other."""
    if one.kind is StatedKind.DATE:
        return _relation_of_dates(one, other)
    if one.kind is StatedKind.POLARITY:
        return Relation.SAME if one.text == other.text else Relation.APART
    if one.kind in WORDED:
        return _relation_of_words(one, other)
    return _relation_of_numbers(one, other)


def _are_of_one_kind(one: StatedValue, other: StatedValue) -> bool:
    if {one.kind, other.kind} <= WORDED:
        return True
    if one.kind is other.kind and one.kind not in NUMERIC:
        return one.kind is not StatedKind.DATE or bool(_shared_parts(one.text, other.text))
    if not {one.kind, other.kind} <= NUMERIC or one.magnitude is None or other.magnitude is None:
        return False
    if _is_ordinal(one) != _is_ordinal(other):
        return False
    if one.kind is not other.kind:
        return _is_bare(one, other) or _is_bare(other, one)
    if one.kind is not StatedKind.NUMBER:
        return one.unit == other.unit and (one.kind is StatedKind.TIME or _are_of_one_size(*_sizes(one, other)))
    return _count_the_same(one.unit, other.unit) if one.unit or other.unit else True


def _is_ordinal(value: StatedValue) -> bool:
    return value.kind is StatedKind.NUMBER and bool(_ORDINAL.match(fold(value.words)))


def _sizes(one: StatedValue, other: StatedValue) -> tuple[float, float]:
    return one.magnitude or 0.0, other.magnitude or 0.0


def _are_of_one_size(one: float, other: float) -> bool:
    """Tell whether two amounts may be of one thing at all; what is many times the other is of something else."""
    least, most = sorted((abs(one), abs(other)))
    return most <= OTHER_MEASURE * least if least else most <= OTHER_MEASURE


def _is_loose(one: StatedValue, other: StatedValue) -> bool:
    """Tell whether only a label can say that two numbers are of one thing: they have no unit in common."""
    return {one.kind, other.kind} <= NUMERIC and (one.kind is not other.kind or one.unit == other.unit == "")


def _count_the_same(one: str, other: str) -> bool:
    """Tell whether two numbers count one thing, in either language; one that counts nothing may."""
    return any(are_alike(a, b) for a, b in product(read_words(one), read_words(other)))


def _is_bare(one: StatedValue, other: StatedValue) -> bool:
    """Tell whether a number without a unit may be meant in the other's: «рост 181» and "height 184 cm"."""
    if one.kind is not StatedKind.NUMBER or one.unit:
        return False
    written = _written(other)
    return bool(one.magnitude and written and _are_of_one_size(one.magnitude, written))


def _written(value: StatedValue) -> float | None:
    match = _DIGITS.search(value.words)
    return float(match.group().replace(",", ".")) if match else None


def _relation_of_numbers(one: StatedValue, other: StatedValue) -> Relation:
    first, second = _range(one, other), _range(other, one)
    if first == second and one.bound is other.bound:
        return Relation.SAME
    if one.kind is StatedKind.TIME and first[0] != first[1] and second[0] != second[1]:
        return Relation.APART  # two stretches of the day are limits
    if one.bound is other.bound and one.bound in (Bound.MOST, Bound.LEAST):
        return Relation.APART if not _are_near(one, other) else Relation.COMPATIBLE
    if _are_near(one, other):
        return Relation.SAME
    if _overlap(_widened(one, first), _widened(other, second)):
        return Relation.COMPATIBLE
    return Relation.APART


def _range(value: StatedValue, other: StatedValue) -> tuple[float, float]:
    low = value.magnitude or 0.0
    high = value.until if value.until is not None else low
    if value.kind is not other.kind and value.kind is not StatedKind.NUMBER:
        low, high = (_written(value) or low,) * 2
    return low, high


def _widened(value: StatedValue, limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    if value.bound is Bound.MOST:
        return float("-inf"), high
    if value.bound is Bound.LEAST:
        return low, float("inf")
    if value.bound is Bound.ABOUT:
        return low * (1 - ABOUT_SHARE), high * (1 + ABOUT_SHARE)
    return low, high


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _are_near(one: StatedValue, other: StatedValue) -> bool:
    """Tell whether one number is the other one rounded: 0.7 of 0.74, 20 000 of 20 312, a month of 31 days."""
    first, second = one.magnitude or 0.0, other.magnitude or 0.0
    if one.kind is StatedKind.TIME or first == second or one.unit != other.unit:
        return first == second
    largest = max(abs(first), abs(second))
    is_round = any(_is_round(value) for value in (one, other))
    if one.kind is StatedKind.DURATION and largest >= CALENDAR:
        is_round = True
    if is_round and abs(first - second) <= ROUND_SHARE * largest:
        return True
    return _is_shortened(one, other) or _is_shortened(other, one)


def _is_round(value: StatedValue) -> bool:
    magnitude = abs(value.magnitude or 0.0)
    return magnitude >= 1000 and magnitude % 1000 == 0 and value.kind is not StatedKind.DURATION


def _is_shortened(one: StatedValue, other: StatedValue) -> bool:
    """Tell whether the first, as it is written, is the second with fewer decimals."""
    written, exact = _written(one), _written(other)
    if not written or not exact or not _have_one_scale((one, written), (other, exact)):
        return False
    decimals = _decimals(one)
    return decimals < _decimals(other) and round(exact, decimals) == written


def _have_one_scale(*sides: tuple[StatedValue, float]) -> bool:
    """Tell whether both are written in one unit: 0.74 GB and 0.7 GB."""
    first, second = ((value.magnitude or 0.0) / written for value, written in sides)
    return abs(first - second) <= 1e-6 * abs(first)


def _decimals(value: StatedValue) -> int:
    match = _DECIMAL.search(value.words)
    return len(match[1]) if match else 0


def _relation_of_words(one: StatedValue, other: StatedValue) -> Relation:
    first, second = read_words(one.text or one.words), read_words(other.text or other.words)
    if not first or not second:
        return Relation.COMPATIBLE
    if _CYRILLIC.search(one.words) and not _CYRILLIC.search(other.words):
        return Relation.COMPATIBLE  # "live" and «живёт»: words of two languages are no code's to compare
    if _CYRILLIC.search(other.words) and not _CYRILLIC.search(one.words):
        return Relation.COMPATIBLE
    matched = sum(any(are_alike(a, b) for b in second) for a in first)
    if matched == len(first) == len(second):
        return Relation.SAME
    return Relation.COMPATIBLE if matched else Relation.APART


def _relation_of_dates(one: StatedValue, other: StatedValue) -> Relation:
    shared = _shared_parts(one.text, other.text)
    if _is_relative(one) or _is_relative(other):
        return Relation.COMPATIBLE if abs(shared[0][0] - shared[0][1]) <= _RELATIVE else Relation.APART
    if all(a == b for a, b in shared):
        return Relation.SAME if one.text == other.text else Relation.COMPATIBLE
    if one.bound is other.bound or Bound.ABOUT in (one.bound, other.bound):
        return Relation.APART
    earlier = _first_apart(shared)
    limits = {Bound.LEAST: earlier, Bound.MOST: not earlier}  # «с 2011» allows 2014, «до 2027» allows 2026
    if one.bound in limits:
        return Relation.COMPATIBLE if limits[one.bound] else Relation.APART
    return Relation.COMPATIBLE if not limits[other.bound] else Relation.APART


def _is_relative(date: StatedValue) -> bool:
    """Tell whether a year was reckoned from words such as «десять лет назад»."""
    return _YEAR.match(date.text) is not None and _YEAR.search(date.words) is None and not date.words.isdigit()


def _first_apart(shared: Sequence[tuple[int, int]]) -> bool:
    """Tell whether the first date is the earlier one, by the first part in which they differ."""
    return next(a < b for a, b in shared if a != b)


def _shared_parts(one: str, other: str) -> list[tuple[int, int]]:
    """Return year, month and day where both say them, or the days of the week; none where they cannot be compared."""
    if "/" in one or "/" in other or one.startswith("W") != other.startswith("W"):
        return []
    if one.startswith("W"):
        return [(int(one[1:]), int(other[1:]))]
    first, second = _parts(one), _parts(other)
    shared = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
    if bool(first[0]) is bool(second[0]):
        return shared
    return shared if first[1] and second[1] else []  # «18 августа» and 2023-07: a month tells


def _parts(text: str) -> tuple[int, int, int]:
    """Read `2015`, `2027-06`, `2025-03-18`, `--03-18` and `---15`."""
    if text.startswith("---"):
        return 0, 0, int(text[3:] or 0)
    if text.startswith("--"):
        month, _, day = text[2:].partition("-")
        return 0, int(month or 0), int(day or 0)
    parts = [*(int(part) for part in text.split("-") if part.isdigit()), 0, 0, 0]
    return parts[0], parts[1], parts[2]
