"""What a note looks like beside others: its language, tags, words and passages; and which notes links bind it to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vaultrag.store.database import Database
from vaultrag.store.lists import AMONG, as_list


@dataclass(frozen=True, slots=True)
class NoteProfile:
    """A note as it is compared with others. `words` are its stems as they stand, `keys` those of its embeddings."""

    id: int
    path: str
    title: str
    language: str
    tags: frozenset[str]
    words: tuple[str, ...]
    keys: tuple[str, ...]


def profiles_of(database: Database, note_ids: Collection[int]) -> list[NoteProfile]:
    """Return the profiles of these notes, in the order of their paths."""
    ids = as_list(list(note_ids))
    tags: dict[int, set[str]] = {}
    for note_id, tag in database.rows(f"SELECT note_id, tag FROM tags WHERE note_id {AMONG}", (ids,)):
        tags.setdefault(note_id, set()).add(tag)
    words: dict[int, list[str]] = {}
    keys: dict[int, list[str]] = {}
    for note_id, stems, key in database.rows(
        f"SELECT note_id, stems, text_hash FROM chunks WHERE note_id {AMONG} ORDER BY ordinal", (ids,)
    ):
        words.setdefault(note_id, []).extend(stems.split(" "))
        keys.setdefault(note_id, []).extend([key] if key else [])
    return [
        NoteProfile(
            note_id,
            path,
            title,
            language,
            frozenset(tags.get(note_id, ())),
            tuple(words.get(note_id, ())),
            tuple(keys.get(note_id, ())),
        )
        for note_id, path, title, language in database.rows(
            f"SELECT id, path, title, language FROM notes WHERE id {AMONG} ORDER BY path", (ids,)
        )
    ]


def some_notes(database: Database, count: int) -> list[int]:
    """Return the ids of some notes, in no order of the vault's, and the same each time."""
    return database.column("SELECT id FROM notes ORDER BY content_hash, id LIMIT ?", (count,))


def some_keys(database: Database, count: int) -> list[str]:
    """Return some embedding keys, in no order of the vault's, and the same each time."""
    return database.column(
        "SELECT DISTINCT text_hash FROM chunks WHERE text_hash <> '' ORDER BY text_hash LIMIT ?", (count,)
    )


def bound_notes(database: Database, note_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return for each of these notes the notes that links bind it to, in either direction."""
    found: dict[int, set[int]] = {note_id: set() for note_id in note_ids}
    ids = as_list(note_ids)
    for source, target in database.rows(
        "SELECT links.source_id, target.id FROM links JOIN notes AS target ON target.path = links.target_path"
        f" WHERE links.source_id {AMONG} OR target.id {AMONG}",
        (ids, ids),
    ):
        if source != target:
            found.setdefault(source, set()).add(target)
            found.setdefault(target, set()).add(source)
    return {note_id: found[note_id] for note_id in note_ids}


def folder_sizes(database: Database, folders: Collection[str]) -> dict[str, int]:
    """Return how many notes lie right in each of these folders."""
    return {
        folder: int(
            database.value(
                "SELECT count(*) FROM notes WHERE substr(path, 1, ?1) = ?2 AND instr(substr(path, ?1 + 1), '/') = 0",
                (len(folder) + 1, f"{folder}/"),
            )
        )
        for folder in folders
    }


def tag_sizes(database: Database, tags: Collection[str]) -> dict[str, int]:
    """Return how many notes bear each of these tags."""
    return dict(
        database.rows(f"SELECT tag, count(*) FROM tags WHERE tag {AMONG} GROUP BY tag", (as_list(sorted(tags)),))
    )
