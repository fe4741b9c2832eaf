"""What each passage states, as it was extracted: derived, kept so that nothing is extracted twice.

A passage whose words change, or whose note changes its name or day, loses its claims at once (by triggers), and is
owed an extraction; so is one that was extracted by another recipe. What a claim holds beyond its place is the
extractor's own JSON.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vaultrag.store.database import Database, Row
from vaultrag.store.errors import damaged
from vaultrag.store.lists import AMONG, as_list


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """A claim of the chunk with this row id, and where its quote stands in the chunk's text."""

    chunk: int
    key: str
    place: int
    length: int
    body: str


def owed_extractions(database: Database, recipe: str) -> list[int]:
    """Return the row ids of the chunks that were not extracted by this recipe, those of one note together."""
    return database.column(
        "SELECT chunks.id FROM chunks LEFT JOIN extractions ON extractions.chunk_id = chunks.id AND recipe = ?"
        " WHERE extractions.chunk_id IS NULL ORDER BY note_id, ordinal",
        (recipe,),
    )


def write_extraction(
    database: Database, chunk: int, text: str, recipe: str, claims: Sequence[StoredClaim], dropped: Mapping[str, int]
) -> bool:
    """Keep what a chunk with this text states, in place of what was kept; False where the chunk says otherwise now."""
    with database.atomic():
        if database.value("SELECT text FROM chunks WHERE id = ?", (chunk,)) != text:
            return False
        told = json.dumps(dict(sorted(dropped.items())), ensure_ascii=False)
        delete_extractions(database, [chunk])
        database.run(
            "INSERT INTO extractions (chunk_id, recipe, dropped, checksum) VALUES (?, ?, ?, ?)",
            (chunk, recipe, told, _checksum(chunk, recipe, told)),
        )
        rows = ((chunk, claim.key, claim.place, claim.length, claim.body) for claim in claims)
        database.run_many(
            "INSERT INTO claims (chunk_id, key, place, length, body, checksum) VALUES (?, ?, ?, ?, ?, ?)",
            ((*row, _checksum(*row)) for row in rows),
        )
        return True


def stored_claims(database: Database, chunks: Sequence[int] | None = None) -> list[StoredClaim]:
    """Return the claims of these chunks, or all, in the order of their notes' text. Raises IndexDamaged."""
    if chunks is None:
        return _stored(database, "", ())
    return _stored(database, f" WHERE claims.chunk_id {AMONG}", (as_list(chunks),))


def claims_of_keys(database: Database, keys: Collection[str]) -> list[StoredClaim]:
    """Return the claims with these keys, one of each, where it stands first. Raises IndexDamaged."""
    found = _stored(database, f" WHERE key {AMONG}", (as_list(keys),))
    return list({claim.key: claim for claim in reversed(found)}.values())


def claim_count(database: Database) -> int:
    """Return how many claims there are; the same one in two passages is one."""
    return int(database.value("SELECT count(DISTINCT key) FROM claims"))


def _stored(database: Database, among: str, values: tuple[str, ...]) -> list[StoredClaim]:
    rows = database.rows(
        "SELECT claims.chunk_id, key, place, length, body, checksum FROM claims"
        f" JOIN chunks ON chunks.id = claims.chunk_id{among} ORDER BY note_id, ordinal, claims.id",
        values,
    )
    if not all(map(_is_sound, rows)):
        raise damaged(database.path, "a claim is not what was written")
    return [StoredClaim(*row[:5]) for row in rows]


def owed_notes_count(database: Database, recipe: str) -> int:
    """Return how many notes have a chunk that was not extracted by this recipe."""
    query = (
        "SELECT count(DISTINCT note_id) FROM chunks LEFT JOIN extractions"
        " ON extractions.chunk_id = chunks.id AND recipe = ? WHERE extractions.chunk_id IS NULL"
    )
    return int(database.value(query, (recipe,)))


def extracted_chunks(database: Database, path: str) -> list[int]:
    """Return the row ids of the extracted chunks of a note."""
    return database.column(
        "SELECT extractions.chunk_id FROM extractions JOIN chunks ON chunks.id = extractions.chunk_id"
        " JOIN notes ON notes.id = note_id WHERE path = ? ORDER BY ordinal",
        (path,),
    )


def dropped_parts(database: Database) -> dict[str, int]:
    """Return by reason how many parts of passages gave no claim. Raises IndexDamaged."""
    total: dict[str, int] = {}
    for told in database.decoded(database.rows("SELECT dropped FROM extractions"), lambda row: json.loads(row[0])):
        for reason, count in told.items():
            total[reason] = total.get(reason, 0) + int(count)
    return dict(sorted(total.items()))


def delete_extractions(database: Database, chunks: Sequence[int]) -> None:
    """Delete what was extracted of these chunks: they are owed it."""
    with database.atomic():
        database.run(f"DELETE FROM extractions WHERE chunk_id {AMONG}", (as_list(chunks),))


def damaged_extractions(database: Database) -> list[int]:
    """Return the row ids of the chunks whose extraction is not what was written."""
    wrong: dict[int, None] = {}
    for query in (
        "SELECT chunk_id, recipe, dropped, checksum FROM extractions ORDER BY chunk_id",
        "SELECT chunk_id, key, place, length, body, checksum FROM claims ORDER BY chunk_id",
    ):
        wrong |= dict.fromkeys(row[0] for row in database.rows(query) if not _is_sound(row))
    return list(wrong)


_TYPES = {4: (int, str, str, int), 6: (int, str, int, int, str, int)}


def _is_sound(row: Row) -> bool:
    return tuple(map(type, row)) == _TYPES[len(row)] and _checksum(*row[:-1]) == row[-1]


def _checksum(*values: str | int) -> int:
    return zlib.crc32(json.dumps(values).encode())
