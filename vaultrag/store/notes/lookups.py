"""Light look-ups for ranking: which chunk, of which note, with which embedding key, without any text."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from vaultrag.domain import Feature
from vaultrag.store.database import Database
from vaultrag.store.lists import AMONG, Key, as_list, marks, parts
from vaultrag.store.schema import FIRST_SEEN


class Place(NamedTuple):
    """A chunk as ranking needs it."""

    row_id: int
    note_id: int
    path: str
    ordinal: int
    text_hash: str
    language: str
    features: str
    speaker: str

    @property
    def is_properties(self) -> bool:
        """Whether it is of a note's properties, not of its text."""
        return Feature.PROPERTY in self.features.split()

    @property
    def order(self) -> tuple[str, int]:
        """Where it stands in the vault: what parts equal scores, for row ids tell only when a note was written."""
        return self.path, self.ordinal


def places_by_row_ids(database: Database, row_ids: Sequence[int]) -> dict[int, Place]:
    """Return the places of these chunks; rows that are gone are left out."""
    return {place.row_id: place for place in _places(database, "id", row_ids)}


def places_by_keys(database: Database, keys: Sequence[str]) -> dict[str, list[Place]]:
    """Return the chunks that hold these embedding keys, in the order of the keys."""
    found: dict[str, list[Place]] = {key: [] for key in keys}
    for place in _places(database, "text_hash", keys):
        found[place.text_hash].append(place)
    return {key: sorted(places, key=lambda place: place.order) for key, places in found.items() if places}


def languages_of(database: Database, keys: Sequence[str]) -> dict[str, str]:
    """Return the language of the texts behind these embedding keys, as far as a chunk holds them."""
    found: dict[str, str] = {}
    for part in parts(keys):
        query = f"SELECT text_hash, language FROM chunks WHERE text_hash IN ({marks(part)})"
        found.update((key, language) for key, language in database.rows(query, part))
    return found


def holds_language(database: Database, languages: Set[str]) -> bool:
    """Tell whether any chunk is in one of these languages."""
    return any(database.value("SELECT 1 FROM chunks WHERE language = ? LIMIT 1", (one,)) for one in languages)


def places_of_notes(database: Database, note_ids: Sequence[int]) -> dict[int, list[Place]]:
    """Return the chunks of these notes, in the order they stand there."""
    found: dict[int, list[Place]] = {}
    for place in sorted(_places(database, "note_id", note_ids), key=lambda place: place.ordinal):
        found.setdefault(place.note_id, []).append(place)
    return found


def dated_notes(database: Database, first_day: str, end_day: str, k: int) -> list[tuple[int, str]]:
    """Return up to k notes that name a date in this range, `end_day` exclusive, with that date; empty: open."""
    return [
        (note_id, date)
        for note_id, date in database.rows(
            f"SELECT id, date FROM notes WHERE date >= ?1 AND (?2 = '' OR date < ?2) AND date_source <> '{FIRST_SEEN}'"
            " ORDER BY date, path LIMIT ?3",
            (first_day, end_day, k),
        )
    ]


def days_of_notes(database: Database, note_ids: Sequence[int]) -> dict[int, str]:
    """Return the day that each of these notes is dated by; those that name none are left out."""
    return dict(
        database.rows(
            f"SELECT id, substr(date, 1, 10) FROM notes WHERE id {AMONG} AND date_source <> '{FIRST_SEEN}'",
            (as_list(note_ids),),
        )
    )


def names_beginning(database: Database, letters: str) -> list[tuple[int, str]]:
    """Return (note id, title or alias) where words beginning with these letters, in this order, stand in the name."""
    pattern = "".join(f"*[{letter.upper()}{letter.lower()}]" for letter in letters).removeprefix("*")
    return database.rows(
        "SELECT note_id, name FROM names JOIN notes ON notes.id = note_id WHERE name GLOB ? ORDER BY path, name",
        (f"{pattern}*",),
    )


def embeds_within(database: Database, note_id: int, first_line: int, last_line: int) -> list[tuple[int, str, str]]:
    """Return (id of the note shown, anchor, text) of the embeds that stand on these lines of a note, in order."""
    return [
        (target, anchor, text)
        for target, anchor, text in database.rows(
            "SELECT shown.id, links.anchor, links.text FROM links JOIN notes AS shown ON shown.path = links.target_path"
            " WHERE links.source_id = ? AND links.kind = 'embed' AND links.line BETWEEN ? AND ?"
            " AND shown.id <> links.source_id ORDER BY links.line, links.text, links.anchor, shown.path",
            (note_id, first_line, last_line),
        )
    ]


def rows_of_note(database: Database, note_id: int, feature: Feature | None = None) -> list[int]:
    """Return the row ids of a note's chunks, in order; of those that hold this, if it is given."""
    return database.column(
        "SELECT id FROM chunks WHERE note_id = ? AND instr(' ' || features || ' ', ?) > 0 ORDER BY ordinal",
        (note_id, f" {feature} " if feature else " "),
    )


def rows_beside(database: Database, note_id: int, ordinal: int) -> list[int]:
    """Return the row ids of the chunks before and after one, as far as there are any."""
    return database.column(
        "SELECT id FROM chunks WHERE note_id = ? AND ordinal IN (?, ?) ORDER BY ordinal",
        (note_id, ordinal - 1, ordinal + 1),
    )


def rows_of_note_with(database: Database, chunk_id: str) -> list[int]:
    """Return the row ids of all chunks of the note that this one is of."""
    return database.column(
        "SELECT id FROM chunks WHERE note_id = (SELECT note_id FROM chunks WHERE chunk_id = ?) ORDER BY ordinal",
        (chunk_id,),
    )


def rows_of_anywhere(database: Database, count: int) -> list[int]:
    """Return the row ids of some chunks that have text, in no order of the vault's, and in the same one each time."""
    return database.column("SELECT id FROM chunks WHERE text_hash <> '' ORDER BY text_hash, id LIMIT ?", (count,))


def chunk_count(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM chunks"))


def _places(database: Database, column: str, keys: Sequence[Key]) -> list[Place]:
    found: list[Place] = []
    for part in parts(keys):
        found += (
            Place(*row)
            for row in database.rows(
                "SELECT chunks.id, note_id, path, ordinal, text_hash, chunks.language, features, speaker"
                f" FROM chunks JOIN notes ON notes.id = note_id WHERE chunks.{column} IN ({marks(part)})",
                part,
            )
        )
    return found


def rows_of_notes(database: Database, paths: Sequence[str]) -> list[int]:
    """Return the row ids of the chunks of these notes, those of one note together and in its order."""
    return database.column(
        "SELECT chunks.id FROM chunks JOIN notes ON notes.id = note_id"
        f" WHERE path IN ({marks(paths)}) ORDER BY note_id, ordinal",
        tuple(paths),
    )


def notes_holding(database: Database, text: str, most: int) -> list[str]:
    """Return up to so many notes in one of whose passages this text stands, character by character."""
    return database.column(
        "SELECT DISTINCT path FROM chunks JOIN notes ON notes.id = note_id WHERE instr(text, ?) > 0"
        " ORDER BY path LIMIT ?",
        (text, most),
    )
