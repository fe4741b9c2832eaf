"""The vault's own words: its tags, folders, properties with their values, and the names of its notes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vaultrag.store.database import Database
from vaultrag.store.notes.property_values import days_of, leaves, number_of, shown
from vaultrag.text.language import fold

LONGEST_VALUE = 60  # characters: what people choose from; longer ones are prose
MOST_VALUES = 20_000  # of all properties together


@dataclass(frozen=True, slots=True)
class PropertyUse:
    """How the vault uses a property: its name as written first, its short values, and what they can be compared as."""

    name: str
    values: tuple[str, ...] = ()
    has_numbers: bool = False
    has_days: bool = False


@dataclass(frozen=True, slots=True)
class VaultVocabulary:
    """What questions about the vault can name. Tags and folders come with all that lie above them.

    `names` are pairs of a title or an alias with its note's path, `task_days` the kinds of days that tasks have.
    """

    tags: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    properties: Mapping[str, PropertyUse] = field(default_factory=dict)
    names: tuple[tuple[str, str], ...] = ()
    task_days: frozenset[str] = frozenset()


def read_vocabulary(database: Database) -> VaultVocabulary:
    """Read the vault's words from the catalogue."""
    with database.snapshot():
        return VaultVocabulary(
            tags=_with_those_above(database.column("SELECT DISTINCT tag FROM tags ORDER BY tag")),
            folders=_with_those_above(
                path.rpartition("/")[0] for path in database.column("SELECT path FROM notes ORDER BY path")
            ),
            properties=_properties(database),
            names=tuple(
                (name, path)
                for name, path in database.rows(
                    "SELECT name, path FROM names JOIN notes ON notes.id = note_id ORDER BY path, names.id"
                )
            ),
            task_days=frozenset(
                database.column("SELECT DISTINCT json_each.key FROM tasks, json_each(tasks.dates)"),
            ),
        )


def _with_those_above(paths: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in paths:
        parts = path.split("/") if path else []
        found.update(dict.fromkeys("/".join(parts[: end + 1]) for end in range(len(parts))))
    return tuple(found)


def _properties(database: Database) -> dict[str, PropertyUse]:
    names: dict[str, str] = {}
    values: dict[str, dict[str, None]] = {}
    numbers: set[str] = set()
    days: set[str] = set()
    # A base's settings are no properties of notes.
    rows = database.rows(
        "SELECT properties FROM notes WHERE properties <> '{}' AND path NOT LIKE '%.base' ORDER BY path"
    )
    count = 0
    for properties in database.decoded(rows, lambda row: dict(json.loads(row[0]))):
        for name in properties:
            names.setdefault(fold(str(name)), str(name))
        for key, value in leaves(properties):
            held = values.setdefault(key, {})
            if number_of(value) is not None:
                numbers.add(key)
            elif isinstance(value, str) and days_of(value):
                days.add(key)
            elif isinstance(value, str) and value.strip() and len(value) <= LONGEST_VALUE and count < MOST_VALUES:
                count += shown(value) not in held
                held[shown(value)] = None
    return {
        key: PropertyUse(names.get(key, key), tuple(held), key in numbers, key in days) for key, held in values.items()
    }
