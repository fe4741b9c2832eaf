"""The vault's own words: its tags, folders, properties with their values, and the names of its notes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from vaultrag.store.database import Database, Row
from vaultrag.store.notes.filters import NOTHING
from vaultrag.store.notes.keywords import match_any
from vaultrag.store.notes.property_values import days_of, number_of, shown
from vaultrag.text.language import fold

LONGEST_VALUE = 60  # characters: what people choose from; longer ones are prose
MOST_NAMES = 2000  # of notes that say a word of a question
SHORTEST = 3  # letters of a word's beginning that are compared
LOOKED_AT = 50  # texts of a property, to tell whether it holds days


@dataclass(frozen=True, slots=True)
class PropertyUse:
    """How the vault uses a property: its name as written first, its short values, and what they can be compared as."""

    name: str
    values: tuple[str, ...] = ()
    has_numbers: bool = False
    has_days: bool = False
    has_truths: bool = False


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


class VocabularyReader:
    """Reads a vault's words from its catalogue; what the properties hold is read again only when a note has changed."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._held: tuple[Row, tuple[_HeldProperty, ...]] | None = None

    def read(self, stems: Collection[str]) -> VaultVocabulary:
        """Return the vault's words as far as they may be said by these stems, and all names of properties.

        What begins as none of them does is left out: a large vault has more names than one can look at for a question.
        """
        begins = _beginnings(stems)
        with self.database.snapshot():
            return VaultVocabulary(
                tags=_saying(
                    begins, _with_those_above(self.database.column("SELECT DISTINCT tag FROM tags ORDER BY tag"))
                ),
                folders=_saying(begins, _with_those_above(_folders(self.database))),
                properties={held.key: held.said_by(begins) for held in self._properties()},
                names=_names(self.database, stems),
                task_days=frozenset(
                    self.database.column("SELECT DISTINCT json_each.key FROM tasks, json_each(tasks.dates)"),
                ),
            )

    def _properties(self) -> tuple[_HeldProperty, ...]:
        [state] = self.database.rows("SELECT count(*), max(id), max(indexed_at) FROM notes")
        if self._held is None or self._held[0] != state:
            self._held = (state, _properties(self.database))
        return self._held[1]


@dataclass(frozen=True, slots=True)
class _HeldProperty:
    """A property with all its short values, each folded and as it is shown."""

    key: str
    name: str
    values: tuple[tuple[str, str], ...]
    has_numbers: bool
    has_days: bool
    has_truths: bool

    def said_by(self, begins: re.Pattern[str]) -> PropertyUse:
        values = tuple(value for said, value in self.values if begins.search(said))
        return PropertyUse(self.name, values, self.has_numbers, self.has_days, self.has_truths)


def _beginnings(stems: Collection[str]) -> re.Pattern[str]:
    """Return the expression for words of these stems; a stem may end in another letter than its word has there."""
    begins = {stem[: max(SHORTEST, len(stem) - 1)] for stem in stems}
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, sorted(begins))) or '(?!)'})")


def _saying(begins: re.Pattern[str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if begins.search(fold(name)))


def _folders(database: Database) -> list[str]:
    paths = database.column("SELECT path FROM notes ORDER BY path")
    return list(dict.fromkeys(path.rpartition("/")[0] for path in paths))


def _names(database: Database, stems: Collection[str]) -> tuple[tuple[str, str], ...]:
    expression = match_any(sorted(stems))
    rows = database.rows(
        "SELECT name, path FROM names_fts JOIN names ON names.id = names_fts.rowid JOIN notes ON notes.id = note_id"
        " WHERE names_fts MATCH ? ORDER BY path, names.id LIMIT ?",
        (expression or NOTHING, MOST_NAMES),
    )
    return tuple((name, path) for name, path in rows)


def _with_those_above(paths: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in paths:
        parts = path.split("/") if path else []
        found.update(dict.fromkeys("/".join(parts[: end + 1]) for end in range(len(parts))))
    return tuple(found)


_EACH_VALUE = """
    SELECT DISTINCT tree.fullkey, type, CAST(atom AS BLOB) FROM notes, json_tree(notes.properties) AS tree
    WHERE json_valid(notes.properties) AND notes.path NOT LIKE '%.base' AND type NOT IN ('object', 'array')
"""  # each value once, far less to look at; bytes, since it may hold half a character. A base's settings are its own
_PLACE = re.compile(r'\[\d+\]|\.(?:"((?:[^"\\]|\\.)*)"|([^."\[]+))')


def _properties(database: Database) -> tuple[_HeldProperty, ...]:
    uses: dict[str, _Use] = {}
    names: dict[str, str] = {}
    for place, kind, atom in database.rows(_EACH_VALUE):
        name = names.get(place) or names.setdefault(place, _name_at(place))
        if name:
            uses.setdefault(fold(name), _Use(name)).add(kind, (atom or b"").decode("utf-8", "replace"))
    return tuple(
        _HeldProperty(
            key, use.name, tuple((fold(value), value) for value in use.values), use.numbers, use.days, use.truths
        )
        for key, use in uses.items()
    )


def _name_at(place: str) -> str:
    """Return the name of a property by its place as SQLite writes it, `$.meta."first name"[2]`: `meta.first name`."""
    names = (json.loads(f'"{quoted}"') if quoted else bare for quoted, bare in _PLACE.findall(place))
    return ".".join(filter(None, names))


@dataclass(slots=True)
class _Use:
    """What is found of a property, its values in the order in which notes hold them."""

    name: str
    values: dict[str, None] = field(default_factory=dict)
    numbers: bool = False
    days: bool = False
    truths: bool = False
    looked: int = 0

    def add(self, kind: str, value: str) -> None:
        """Take a value, `kind` its type as SQLite tells it."""
        self.truths |= kind in ("true", "false")
        if kind in ("integer", "real") or (kind == "text" and number_of(value) is not None):
            self.numbers = True
        elif kind == "text" and value.strip() and len(value) <= LONGEST_VALUE:
            self.looked += 1
            self.days |= not self.days and self.looked <= LOOKED_AT and days_of(value) is not None
            self.values[shown(value)] = None
