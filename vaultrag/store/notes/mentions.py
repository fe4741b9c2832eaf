"""Names of notes that stand in other notes: kept apart from links, for they are guesses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vaultrag.domain import LinkKind
from vaultrag.store.database import Database, Row
from vaultrag.store.lists import AMONG, as_list
from vaultrag.store.notes.graph import StoredLink
from vaultrag.store.notes.keywords import match_all
from vaultrag.text.morphology import Term

TEXTS_ASKED = 300  # chunks: enough to meet a word in small letters, if it is ever written so


class Mention(NamedTuple):
    """A name of the target stands in the source: in an unresolved link (ALIAS), or in the text (MENTION)."""

    source_id: int
    target_id: int
    kind: LinkKind
    name: str
    text: str
    line: int


class Name(NamedTuple):
    """A title or an alias of a note."""

    note_id: int
    name: str
    is_alias: bool


class Text(NamedTuple):
    """A chunk as the search for mentions needs it."""

    note_id: int
    text: str
    stems: str
    first_line: int


def names(database: Database) -> list[Name]:
    """Return every name of every note."""
    return [
        Name(note_id, name, kind == "alias")
        for note_id, name, kind in database.rows("SELECT note_id, name, kind FROM names ORDER BY id")
    ]


def texts(database: Database, note_ids: Sequence[int]) -> list[Text]:
    """Return the chunks of these notes."""
    return [
        Text(*row)
        for row in database.rows(
            f"SELECT note_id, text, stems, first_line FROM chunks WHERE note_id {AMONG} ORDER BY note_id, ordinal",
            (as_list(note_ids),),
        )
    ]


def unresolved_targets(database: Database) -> list[tuple[int, str, str, int]]:
    """Return (source id, target, text, line) of the links that mean no file."""
    return [
        (source, target, text, line)
        for source, target, text, line in database.rows(
            "SELECT source_id, target, text, line FROM links WHERE target_path IS NULL ORDER BY id"
        )
    ]


def notes_with_words(database: Database, terms: Sequence[Term]) -> list[int]:
    """Return the notes that hold these terms, in one chunk."""
    return database.column(
        "SELECT DISTINCT note_id FROM chunks WHERE id IN (SELECT rowid FROM keywords WHERE keywords MATCH ?)",
        (match_all(terms),),
    )


def texts_with_words(database: Database, terms: Sequence[Term]) -> list[str]:
    """Return texts of chunks that hold these terms; no more than tell how a word is written."""
    return database.column(
        "SELECT text FROM chunks WHERE id IN (SELECT rowid FROM keywords WHERE keywords MATCH ? LIMIT ?)",
        (match_all(terms), TEXTS_ASKED),
    )


def note_ids(database: Database) -> list[int]:
    return database.column("SELECT id FROM notes ORDER BY id")


def owed(database: Database) -> dict[int, int]:
    """Return the notes that were written since mentions were last looked for, each with its row, for `settle`."""
    return dict(database.rows("SELECT note_id, id FROM mentions_owed ORDER BY note_id"))


def owed_names(database: Database) -> dict[str, int]:
    """Return the names that notes gained or lost since then, each with its row. The empty one: links turned."""
    return dict(database.rows("SELECT name, id FROM names_owed ORDER BY id"))


def is_owed(database: Database) -> bool:
    return any(database.value(f"SELECT 1 FROM {table} LIMIT 1") for table in ("mentions_owed", "names_owed"))


def settle(database: Database, notes: Iterable[int], names: Iterable[int]) -> None:
    """Note by these rows that mentions were looked for, and drop those of names that are gone."""
    database.run_many("DELETE FROM mentions_owed WHERE id = ?", ((row,) for row in notes))
    database.run_many("DELETE FROM names_owed WHERE id = ?", ((row,) for row in names))
    database.run(
        "DELETE FROM mentions WHERE kind = 'mention' AND NOT EXISTS"
        " (SELECT 1 FROM names WHERE names.note_id = target_id AND names.name = mentions.name)"
    )


def replace_mentions(database: Database, source_ids: Sequence[int], found: Iterable[Mention]) -> None:
    """Make these the mentions in the text of the given notes."""
    database.run(f"DELETE FROM mentions WHERE kind = 'mention' AND source_id {AMONG}", (as_list(source_ids),))
    _insert(database, found)


def replace_aliases(database: Database, found: Iterable[Mention]) -> None:
    """Make these the aliases that links to nothing name, in the whole vault."""
    database.run("DELETE FROM mentions WHERE kind = 'alias'")
    _insert(database, found)


def mentions_in(database: Database, note_id: int) -> list[StoredLink]:
    """Return what a note mentions."""
    return _mentions(database, "source_id = ?", note_id)


def mentions_of(database: Database, note_id: int) -> list[StoredLink]:
    """Return where a note is mentioned."""
    return _mentions(database, "target_id = ?", note_id)


def between(database: Database, note_id: int) -> list[Mention]:
    """Return where other notes are named in this one's text, and it in theirs, each pair at its first place."""
    rows = database.rows(
        "SELECT source_id, target_id, kind, name, text, min(line) FROM mentions"
        " WHERE kind = 'mention' AND (source_id = ?1 OR target_id = ?1)"
        " GROUP BY source_id, target_id ORDER BY source_id, target_id",
        (note_id,),
    )
    return [Mention(*row) for row in rows]


def all_mentions(database: Database) -> list[StoredLink]:
    return _mentions(database, "0 = ?", 0)


def all_rows(database: Database) -> list[Mention]:
    """Return every mention as it is stored."""
    rows = database.rows("SELECT source_id, target_id, kind, name, text, line FROM mentions ORDER BY id")
    return [Mention(*row) for row in rows]


def _mentions(database: Database, where: str, note_id: int) -> list[StoredLink]:
    rows = database.rows(
        "SELECT source.path, mentions.name, target.path, kind, text, line FROM mentions"
        " JOIN notes AS source ON source.id = source_id JOIN notes AS target ON target.id = target_id"
        f" WHERE {where} ORDER BY source.path, line, mentions.id",
        (note_id,),
    )
    return database.decoded(rows, _stored_link)


def _stored_link(row: Row) -> StoredLink:
    source, name, target, kind, text, line = row
    return StoredLink(source, name, target, LinkKind(kind), "", text, line)


def _insert(database: Database, found: Iterable[Mention]) -> None:
    """Insert mentions; a note that was removed since it was looked at has none."""
    database.run_many(
        "INSERT INTO mentions (source_id, target_id, kind, name, text, line) SELECT ?1, ?2, ?3, ?4, ?5, ?6"
        " WHERE EXISTS (SELECT 1 FROM notes WHERE id = ?1) AND EXISTS (SELECT 1 FROM notes WHERE id = ?2)",
        list(found),
    )
