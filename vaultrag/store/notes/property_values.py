"""What a property's value is worth in a comparison: a number, a stretch of days, or the text that a reader sees."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from vaultrag.domain import Filter
from vaultrag.text.dates import find_dates, period_of
from vaultrag.text.language import fold

Days: TypeAlias = tuple[str, str]
"""The first day and the day after the last one, `YYYY-MM-DD`."""
RANGE = ".."
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_LINK = re.compile(r"\[\[([^\[\]|#]*)(?:#[^\[\]|]*)?(?:\|([^\[\]]*))?\]\]")


def holds_property(properties: Any, wanted: Filter) -> bool:
    """Tell whether a note's properties meet a filter on one of them; of a list, any member may."""
    name = fold(wanted.name)
    return any(key == name and meets(held, wanted.value, wanted.compare) for key, held in leaves(properties))


def meets(held: Any, value: str | None, compare: str) -> bool:
    """Compare as numbers where both are, else as days, where a month meets any of its days, else as texts."""
    if value is None:
        return True
    if compare == RANGE:
        first, _, last = value.partition(RANGE)
        return (not first or meets(held, first, ">=")) and (not last or meets(held, last, "<="))
    if not compare:
        return not names_of(held).isdisjoint(names_of(value)) or _meets_days(held, value, compare)
    one, other = number_of(held), number_of(value)
    if one is not None and other is not None:
        return _ORDERS[compare](one, other)
    return _meets_days(held, value, compare)


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value under its name, folded, nested ones as `name.inner`; a list gives each member."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{fold(str(key))}".lstrip("."))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, name)
    else:
        yield name, value


def number_of(value: Any) -> float | None:
    """Return a value as a number, if it is one, finite, and no truth."""
    if isinstance(value, bool):
        return None
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    if not isinstance(value, float) and not _NUMBER.fullmatch(text):
        return None
    number = float(text.replace(",", "."))
    return number if math.isfinite(number) else None


def days_of(value: Any) -> Days | None:
    """Return the days that a value names: a day, a month, a year, or from the first to the last of several."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if _YEAR.fullmatch(text):
        return f"{text}-01-01", f"{int(text) + 1}-01-01"
    periods = [
        period_of(written.readings[0])
        for written in find_dates(text)
        if len(written.readings) == 1 and written.readings[0].year
    ]
    return (min(first for first, _ in periods), max(end for _, end in periods)) if periods else None


def names_of(value: Any) -> frozenset[str]:
    """Return what a value is called, folded: itself; of a link what it shows and what it names."""
    text = json.dumps(value) if isinstance(value, bool) or value is None else str(value)
    folded = fold(text.strip())
    link = _LINK.fullmatch(folded)
    if link is None:
        return frozenset({folded})
    target, shown = link.groups()
    return frozenset({target.strip(), target.rpartition("/")[2].strip(), (shown or target).strip()})


def shown(value: Any) -> str:
    """Return a value as a reader sees it: of a link what it shows, else the note's name."""
    text = json.dumps(value) if isinstance(value, bool) or value is None else str(value)
    return _LINK.sub(lambda link: (link[2] or link[1].rpartition("/")[2]).strip(), text.strip())


def _meets_days(held: Any, value: str, compare: str) -> bool:
    """Compare days. Equal are stretches that share a day: `2023-11 – 2024-01` is of both years."""
    one, other = days_of(held), days_of(value)
    if one is None or other is None or not _is_date_like(value):
        return False
    if not compare:
        return one[0] < other[1] and other[0] < one[1]
    if compare in (">", "<="):
        return one[0] >= other[1] if compare == ">" else one[0] < other[1]
    return one[1] > other[0] if compare == ">=" else one[1] <= other[0]


def _is_date_like(value: str) -> bool:
    """Tell whether a value is a date and nothing else: a sentence with a date in it is compared as text."""
    text = value.strip()
    if _YEAR.fullmatch(text):
        return True
    found = find_dates(text)
    return len(found) == 1 and (found[0].start, found[0].end) == (0, len(text))


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
}
