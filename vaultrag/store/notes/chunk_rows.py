"""The rows of a note's chunks: compared with what stands, so that only what changed is written."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from vaultrag.domain import Chunk, encodable
from vaultrag.store.database import Database, Row, Value
from vaultrag.text.terms import index_terms

# Everything that can differ in a row kept for the same embedded text and the same way to stem it.
PLACE = (
    "chunk_id",
    "ordinal",
    "language",
    "first_line",
    "first_column",
    "last_line",
    "last_column",
    "block_id",
    "speaker",
    "heading_path",
    "features",
    "lead",
    "said",
    "model",
    "text",
)

KEPT = (*PLACE, "stems")
"""What is compared of a row that is kept: a later version may stem the same text in another way."""

COLUMNS = ("text_hash", "embedded", "stems", *PLACE)
"""Everything a row says of its chunk."""


def replace_chunks(
    database: Database, note_id: int, chunks: Sequence[Chunk], stems: Sequence[str] | None = None
) -> list[str]:
    """Make these the chunks of a note; return the embedding keys that came or went.

    A row is kept for a chunk with the same id and text, else for one with the same embedded text.
    """
    stems = [stems_of(chunk) for chunk in chunks] if stems is None else stems
    standing = database.rows(f"SELECT id, text_hash, {', '.join(KEPT)} FROM chunks WHERE note_id = ?", (note_id,))
    kept = _match(standing, chunks)
    gone = [row for row in standing if row[0] not in kept.values()]
    if gone:
        database.run_many("DELETE FROM chunks WHERE id = ?", ((row[0],) for row in gone))
    if kept:
        _update(database, standing, chunks, kept, stems)
    new = [(ordinal, chunk) for ordinal, chunk in enumerate(chunks) if ordinal not in kept]
    _insert(database, note_id, new, stems)
    return [chunk.text_hash for _, chunk in new] + [row[1] for row in gone]


def _match(standing: Sequence[Row], chunks: Sequence[Chunk]) -> dict[int, int]:
    """Return {ordinal of the chunk: row id that it keeps}."""
    by_id = {(row[2], row[1]): row[0] for row in standing}
    kept = {
        ordinal: by_id.pop((chunk.id, chunk.text_hash))
        for ordinal, chunk in enumerate(chunks)
        if (chunk.id, chunk.text_hash) in by_id
    }
    by_key: defaultdict[str, list[int]] = defaultdict(list)
    for row in sorted(standing, key=lambda row: -row[3]):  # by ordinal, the first one last, to be popped first
        if (row[2], row[1]) in by_id:
            by_key[row[1]].append(row[0])
    for ordinal, chunk in enumerate(chunks):
        if ordinal not in kept and by_key[chunk.text_hash]:
            kept[ordinal] = by_key[chunk.text_hash].pop()
    return kept


def _update(
    database: Database, standing: Sequence[Row], chunks: Sequence[Chunk], kept: dict[int, int], stems: Sequence[str]
) -> None:
    before = {row[0]: row[2:] for row in standing}
    changed = [
        (row_id, values)
        for ordinal, row_id in kept.items()
        if (values := (*_place(ordinal, chunks[ordinal]), stems[ordinal])) != before[row_id]
    ]
    renamed = [(row_id,) for row_id, values in changed if values[0] != before[row_id][0]]
    # First out of the way: two rows that trade ids would meet in the unique index.
    database.run_many("UPDATE chunks SET chunk_id = 'moving ' || id WHERE id = ?", renamed)
    assignments = ", ".join(f"{name} = ?" for name in KEPT)
    database.run_many(
        f"UPDATE chunks SET {assignments} WHERE id = ?", ((*values, row_id) for row_id, values in changed)
    )


def _insert(database: Database, note_id: int, chunks: Sequence[tuple[int, Chunk]], stems: Sequence[str]) -> None:
    database.run_many(
        f"INSERT INTO chunks (note_id, {', '.join(COLUMNS)}) VALUES (?, {', '.join('?' * len(COLUMNS))})",
        ((note_id, *row_of(ordinal, chunk, stems[ordinal])) for ordinal, chunk in chunks),
    )


def row_of(ordinal: int, chunk: Chunk, stems: str) -> tuple[Value, ...]:
    """Return the values of `COLUMNS` for a chunk that stands at this place in its note."""
    return (chunk.text_hash, encodable(chunk.embedded), stems, *_place(ordinal, chunk))


def stems_of(chunk: Chunk) -> str:
    """Return the terms of a chunk as the keyword index holds them."""
    return " ".join(index_terms(chunk.embedded))


def _place(ordinal: int, chunk: Chunk) -> tuple[Value, ...]:
    span = chunk.span
    return (
        chunk.id,
        ordinal,
        chunk.language,
        span.first_line,
        span.first_column,
        span.last_line,
        span.last_column,
        encodable(chunk.block_id),
        encodable(chunk.speaker),
        json.dumps(chunk.heading_path),
        " ".join(chunk.features),
        encodable(chunk.lead),
        chunk.said,
        encodable(chunk.model),
        encodable(chunk.text),
    )
