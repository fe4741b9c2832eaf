"""Embeddings, kept in SQLite for good, and the outbox: the keys that an embedding, or its removal, is owed for.

A key is the hash of an embedded text. Draining decides what is owed by whether a chunk still holds that text,
so a key may be queued any number of times, and done again after a crash.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from vaultrag.domain import Vectors
from vaultrag.errors import IndexDamaged, StoreError
from vaultrag.store.database import Database
from vaultrag.store.lists import marks, parts

FINGERPRINT = "embedder_fingerprint"
VERSION = "embeddings_version"
STORED = "<f4"  # numpy is imported late: `vaultrag status` counts without it
LINK_SECONDS = 7 * 86400.0  # a link to a note counts as a week by which it is younger
LINKS_COUNTED = 52  # and so a much linked note as one year, not more: the embedder reaches it long before


@dataclass(frozen=True, slots=True)
class Owed:
    """One row of the outbox."""

    id: int
    key: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of the outbox and what each is owed.

    `texts` have no embedding yet, `ready` have one or never will, `dropped` are held by no chunk any more.
    """

    owed: tuple[Owed, ...]
    texts: Mapping[str, str]
    ready: tuple[str, ...]
    dropped: tuple[str, ...]


def queue(database: Database, keys: Iterable[str]) -> None:
    """Put keys into the outbox; a chunk without one is owed nothing.

    A key already there gets a new row, so that a drain under way does not settle it.
    """
    now = time.time()
    database.run_many(
        "INSERT OR REPLACE INTO outbox (key, queued_at) VALUES (?, ?)",
        ((key, now) for key in dict.fromkeys(keys) if key),
    )


def owed_count(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM outbox"))


def rank_owed(database: Database) -> None:
    """Give each row of the outbox that has no rank its place: removals first, then by `NOTE_SCORE`."""
    with database.atomic():
        database.run(
            f"UPDATE outbox SET rank = coalesce((SELECT -max({NOTE_SCORE}) FROM chunks"
            " JOIN notes ON notes.id = chunks.note_id WHERE chunks.text_hash = outbox.key), -1e18)"
            " WHERE rank IS NULL"
        )


def fresh_batch(database: Database, fingerprint: str, taken: Set[int], size: int) -> Batch | None:
    """Return the rows of the outbox queued since it was ranked, but for those taken; None if there are none.

    When they are more than `size` they are ranked instead: then they are no small edit to be served at once.
    """
    rows = _untaken(database, "SELECT id, key FROM outbox WHERE rank IS NULL ORDER BY id LIMIT ?", taken, size + 1)
    if len(rows) > size:
        rank_owed(database)
        return None
    return _batch(database, fingerprint, rows) if rows else None


def ranked_batch(database: Database, fingerprint: str, taken: Set[int], size: int) -> Batch | None:
    """Return the next ranked rows of the outbox, but for those taken; None at its end."""
    rows = _untaken(
        database, "SELECT id, key FROM outbox WHERE rank IS NOT NULL ORDER BY rank, id LIMIT ?", taken, size
    )
    return _batch(database, fingerprint, rows) if rows else None


def cut(batch: Batch, size: int) -> list[Batch]:
    """Cut a batch into portions of at most `size` texts of like length; what needs no embedder goes first."""
    rows = {row.key: row for row in batch.owed}
    by_length = sorted(batch.texts, key=lambda key: len(batch.texts[key]))
    portions = [
        Batch(tuple(rows[key] for key in keys if key in rows), {key: batch.texts[key] for key in keys}, (), ())
        for start in range(0, len(by_length), size)
        if (keys := by_length[start : start + size])
    ]
    rest = (*batch.ready, *batch.dropped)
    first = [Batch(tuple(rows[key] for key in rest), {}, batch.ready, batch.dropped)] if rest else []
    return first + portions


def store_batch(database: Database, fingerprint: str, batch: Batch, vectors: Vectors) -> None:
    """Write the embeddings of `batch.texts` and delete those that no chunk needs. The outbox stays."""
    import numpy as np

    keys = list(batch.texts)
    if len(vectors) != len(keys) or not np.isfinite(vectors).all():
        raise StoreError("The embedder returned vectors that cannot be used.", "Run `vaultrag models verify`.")
    blobs = np.ascontiguousarray(vectors, dtype=STORED)
    with database.atomic():
        database.run_many(
            "INSERT OR IGNORE INTO embeddings (text_hash, fingerprint, vector, checksum)"
            " VALUES (?1, ?2, ?3, crc32(?3))",
            ((key, fingerprint, blob.tobytes()) for key, blob in zip(keys, blobs, strict=True)),
        )
        for table in ("embeddings", "set_aside"):
            database.run_many(
                f"DELETE FROM {table} WHERE text_hash = ?1 AND NOT EXISTS (SELECT 1 FROM chunks WHERE text_hash = ?1)",
                ((key,) for key in batch.dropped),
            )
        if keys or batch.dropped:
            advance_version(database)


def settle(database: Database, owed: Sequence[Owed]) -> None:
    """Take rows out of the outbox; a key queued again since has another row, which stays."""
    with database.atomic():
        database.run_many("DELETE FROM outbox WHERE id = ?", ((row.id,) for row in owed))


def forget_other_embedders(database: Database, fingerprint: str) -> None:
    """Delete the embeddings of earlier embedders, once this one's are complete."""
    ends = database.rows("SELECT min(fingerprint), max(fingerprint) FROM embeddings")  # found by the index at once
    if ends[0] not in ((None, None), (fingerprint, fingerprint)):
        with database.atomic():
            database.run("DELETE FROM embeddings WHERE fingerprint <> ?", (fingerprint,))
            database.run("DELETE FROM set_aside WHERE fingerprint <> ?", (fingerprint,))


def set_aside(database: Database, fingerprint: str, key: str) -> None:
    """Note that this embedder cannot embed a text: it is not tried again until the text or the embedder changes."""
    with database.atomic():
        database.run("INSERT OR IGNORE INTO set_aside (text_hash, fingerprint) VALUES (?, ?)", (key, fingerprint))


def notes_set_aside(database: Database) -> list[str]:
    """Return the paths of notes that hold a text which was set aside, by any embedder."""
    return database.column(
        "SELECT DISTINCT notes.path FROM set_aside JOIN chunks ON chunks.text_hash = set_aside.text_hash"
        " JOIN notes ON notes.id = chunks.note_id ORDER BY notes.path"
    )


def try_again(database: Database) -> int:
    """Queue every text that was set aside once more; return how many those are."""
    with database.atomic():
        keys = set(database.column("SELECT text_hash FROM set_aside"))
        queue(database, keys)
        database.run("DELETE FROM set_aside")
        return len(keys)


def embedding_version(database: Database) -> int:
    """Return a number that grows with every change of the embeddings."""
    return database.meta_number(VERSION)


def embedding_count(database: Database, fingerprint: str) -> int:
    return int(database.value("SELECT count(*) FROM embeddings WHERE fingerprint = ?", (fingerprint,)))


def embedded_keys(database: Database, fingerprint: str, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that have an embedding."""
    found: list[str] = []
    for part in parts(keys):
        found += database.column(
            f"SELECT text_hash FROM embeddings WHERE fingerprint = ? AND text_hash IN ({marks(part)})",
            (fingerprint, *part),
        )
    return found


def vectors_for(database: Database, fingerprint: str, keys: Sequence[str]) -> dict[str, Vectors]:
    """Return the embeddings of these keys, as far as they are there."""
    import numpy as np

    found: dict[str, Vectors] = {}
    for part in parts(keys):
        rows = database.rows(
            f"SELECT text_hash, vector FROM embeddings WHERE fingerprint = ? AND text_hash IN ({marks(part)})",
            (fingerprint, *part),
        )
        found.update(database.decoded(rows, lambda row: (row[0], np.frombuffer(row[1], STORED))))
    return found


@dataclass(frozen=True, slots=True)
class Portion:
    """Some embeddings in the order of their row ids; row i of `vectors` belongs to `keys[i]`."""

    ids: Sequence[int]
    keys: Sequence[str]
    vectors: Vectors


def portion_after(database: Database, fingerprint: str, last_id: int, size: int) -> Portion | None:
    """Return the next embeddings behind a row id; None at the end."""
    rows = database.rows(
        "SELECT id, text_hash, vector FROM embeddings WHERE fingerprint = ? AND id > ? ORDER BY id LIMIT ?",
        (fingerprint, last_id, size),
    )
    if not rows:
        return None
    return Portion([row[0] for row in rows], [row[1] for row in rows], matrix([row[2] for row in rows]))


def all_ids(database: Database, fingerprint: str) -> list[int]:
    return database.column("SELECT id FROM embeddings WHERE fingerprint = ?", (fingerprint,))


def all_keys(database: Database, fingerprint: str) -> list[str]:
    return database.column("SELECT text_hash FROM embeddings WHERE fingerprint = ?", (fingerprint,))


def matrix(blobs: Sequence[object]) -> Vectors:
    """Put stored vectors one below the other."""
    import numpy as np

    vectors = [blob for blob in blobs if isinstance(blob, bytes) and len(blob) % 4 == 0]
    if len(vectors) < len(blobs) or len({len(vector) for vector in vectors}) > 1:
        raise IndexDamaged("Stored embeddings have different lengths.", "Run `vaultrag repair`.")
    return np.frombuffer(b"".join(vectors), STORED).reshape(len(vectors), -1)


NOTE_SCORE = (
    f"notes.mtime_ns / 1e9 + {LINK_SECONDS} * "
    f"(SELECT count(*) FROM (SELECT 1 FROM links WHERE target_path = notes.path LIMIT {LINKS_COUNTED}))"
)
"""How early a note's texts are embedded: the highest first, which was edited last, or is linked most."""


def texts_of(database: Database, keys: Sequence[str]) -> dict[str, str]:
    """Return what is to be embedded for each of these keys that a chunk still holds."""
    found: dict[str, str] = {}
    for part in parts(keys):
        rows = database.rows(
            f"SELECT text_hash, min(embedded) FROM chunks WHERE text_hash IN ({marks(part)}) GROUP BY text_hash", part
        )
        found.update((key, text) for key, text in rows)
    return found


def _untaken(database: Database, sql: str, taken: Set[int], size: int) -> list[Owed]:
    rows = database.rows(sql, (size + len(taken),))
    return [Owed(*row) for row in rows if row[0] not in taken][:size]


def _batch(database: Database, fingerprint: str, owed: Sequence[Owed]) -> Batch:
    keys = [row.key for row in owed]
    with database.snapshot():
        held = texts_of(database, keys)
        done = {*embedded_keys(database, fingerprint, keys), *_keys_set_aside(database, fingerprint, keys)}
    return Batch(
        owed=tuple(owed),
        texts={key: held[key] for key in keys if key in held and key not in done},
        ready=tuple(key for key in keys if key in held and key in done),
        dropped=tuple(key for key in keys if key not in held),
    )


def _keys_set_aside(database: Database, fingerprint: str, keys: Sequence[str]) -> list[str]:
    found: list[str] = []
    for part in parts(keys):
        found += database.column(
            f"SELECT text_hash FROM set_aside WHERE fingerprint = ? AND text_hash IN ({marks(part)})",
            (fingerprint, *part),
        )
    return found


def advance_version(database: Database) -> None:
    """Say that embeddings changed; inside the transaction that changes them."""
    database.set_meta(VERSION, str(embedding_version(database) + 1))
