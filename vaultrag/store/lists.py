"""Lists of values in one query: cut into portions that SQLite takes, or as one JSON parameter of any length."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

Key = TypeVar("Key", str, int)

KEYS_PER_QUERY = 500  # below the 999 variables that the oldest SQLite in use allows

AMONG = "IN (SELECT value FROM json_each(?))"
"""Is one of a list of any length, which `as_list` makes the one parameter."""


def as_list(values: Collection[int] | Collection[str]) -> str:
    """Return values as the parameter of `AMONG`."""
    return json.dumps(list(values))


def parts(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Cut keys into portions that fit into one query."""
    for start in range(0, len(keys), KEYS_PER_QUERY):
        yield keys[start : start + KEYS_PER_QUERY]


def marks(keys: Sequence[object]) -> str:
    """Return one `?` for each key."""
    return ",".join("?" * len(keys))
