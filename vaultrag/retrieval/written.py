"""Filters as a query writes them: what `parse_query` reads back as the same filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from vaultrag.domain import Filter, FilterKind
from vaultrag.retrieval.filters import ANY_STATE, OR, OWN_TEXT
from vaultrag.store.notes.property_values import RANGE

_PLAIN = re.compile(r"[^\s\"“”«»=<>\[\]]+")


def written(filters: Iterable[Filter]) -> str:
    """Return a query of these filters."""
    return " ".join(map(_one, filters))


def written_days(first_day: str, end_day: str) -> str:
    """Return a stretch of days as `date:` takes it, the shortest way: `2024-05`, `2024-05-01..2024-06-15`, `>=2024`."""
    if not end_day:
        return f">={first_day}"
    if not first_day:
        return f"<{end_day}"
    first, end = date.fromisoformat(first_day), date.fromisoformat(end_day)
    if first.day == end.day == 1 and first.month == end.month == 1:
        return _years(first.year, end.year - 1)
    if first.day == end.day == 1:
        last_month = (end - timedelta(days=1)).isoformat()[:7]
        return first_day[:7] if first_day[:7] == last_month else f"{first_day[:7]}..{last_month}"
    last = (end - timedelta(days=1)).isoformat()
    return first_day if first_day == last else f"{first_day}..{last}"


def _years(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}..{last}"


def _one(wanted: Filter) -> str:
    if wanted.kind is FilterKind.ANY:
        return f" {OR} ".join(map(_one, wanted.any_of))
    return f"{'-' * wanted.excluded}{_WRITERS.get(wanted.kind, _named)(wanted)}"


def _named(wanted: Filter) -> str:
    return f"{wanted.kind}:{_quoted(wanted.value or '')}"


def _property(wanted: Filter) -> str:
    name = f"property:{_quoted(wanted.name)}"
    if wanted.value is None:
        return name
    if wanted.compare == RANGE:
        return f"{name}={wanted.value}"
    value = f'"{wanted.value}"' if RANGE in wanted.value else _quoted(wanted.value)
    return f"{name}{wanted.compare or '='}{value}"


def _date(wanted: Filter) -> str:
    return f"date:{written_days(wanted.first_day, wanted.end_day)}"


def _task_day(wanted: Filter) -> str:
    is_any = not (wanted.first_day or wanted.end_day)
    return f"{wanted.name}:{ANY_STATE if is_any else written_days(wanted.first_day, wanted.end_day)}"


def _speaker(wanted: Filter) -> str:
    return f"speaker:{wanted.value or OWN_TEXT}"


def _quoted(text: str) -> str:
    """Quote what holds more than plain signs; marks of one kind inside are kept by marks of the other around them."""
    if _PLAIN.fullmatch(text):
        return text
    if '"' not in text:
        return f'"{text}"'
    return f"«{text}»" if not re.search("[«»]", text) else f'"{text.replace(chr(34), "")}"'


_WRITERS: dict[FilterKind, Callable[[Filter], str]] = {
    FilterKind.PROPERTY: _property,
    FilterKind.DATE: _date,
    FilterKind.TASK_DAY: _task_day,
    FilterKind.SPEAKER: _speaker,
}
