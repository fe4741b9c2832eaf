"""Rows of the files at some places of the vault: each a file, or a folder with all that lies in it."""

from __future__ import annotations

from collections.abc import Sequence

from vaultrag.store.database import Database, Row

EVERYWHERE = ("",)
"""The places that are the whole vault: its own folder."""


def rows_within(database: Database, query: str, places: Sequence[str]) -> list[Row]:
    """Return the rows of a query without WHERE, of those whose `path` lies at one of the places, each by the index."""
    if "" in places:
        return database.rows(query)
    found: dict[Row, None] = {}
    for place in places:
        found.update(dict.fromkeys(database.rows(f"{query} WHERE path = ?", (place,))))
        inside = (f"{place}/", f"{place}0")  # `0` follows `/`
        found.update(dict.fromkeys(database.rows(f"{query} WHERE path > ? AND path < ?", inside)))
    return list(found)
