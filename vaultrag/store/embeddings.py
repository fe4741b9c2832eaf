"""Embeddings, kept in SQLite for good, and the outbox: the keys that an embedding, or its removal, is owed for.

A key is the hash of an embedded text. Draining decides what is owed by whether a chunk still holds that text,
so a key may be queued any number of times, and done again after a crash.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from vaultrag.domain import Vectors
from vaultrag.errors import IndexDamaged, StoreError
from vaultrag.store.database import Database

Key = TypeVar("Key", str, int)

FINGERPRINT = "embedder_fingerprint"
VERSION = "embeddings_version"
STORED = "<f4"  # numpy is imported late: `vaultrag status` counts without it
KEYS_PER_QUERY = 500  # below the 999 variables that the oldest SQLite in use allows


@dataclass(frozen=True, slots=True)
class Owed:
    """One row of the outbox."""

    id: int
    key: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of the outbox and what each is owed.

    `texts` have no embedding yet, `ready` have one, `dropped` are held by no chunk any more.
    """

    owed: tuple[Owed, ...]
    texts: Mapping[str, str]
    ready: tuple[str, ...]
    dropped: tuple[str, ...]


def queue(database: Database, keys: Iterable[str]) -> None:
    """Put keys into the outbox. A key already there gets a new row, so that a drain under way does not settle it."""
    now = time.time()
    database.run_many(
        "INSERT OR REPLACE INTO outbox (key, queued_at) VALUES (?, ?)", ((key, now) for key in dict.fromkeys(keys))
    )


def torn_keys(database: Database) -> list[str]:
    """Return the keys of embeddings that are not what was written, by their checksums."""
    return database.column("SELECT text_hash FROM embeddings WHERE checksum <> crc32(vector) ORDER BY id")


def owed_count(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM outbox"))


def claim_fingerprint(database: Database, fingerprint: str) -> None:
    """Make this embedder the index's own: when it is another than before, every text is queued again."""
    if database.meta(FINGERPRINT) == fingerprint:
        return
    with database.atomic():
        queue(database, database.column("SELECT text_hash FROM chunks GROUP BY text_hash ORDER BY min(id)"))
        database.set_meta(FINGERPRINT, fingerprint)


def next_batch(database: Database, fingerprint: str, after: int, size: int) -> Batch | None:
    """Return the next rows of the outbox behind row id `after`; None at its end."""
    with database.snapshot():
        rows = database.rows("SELECT id, key FROM outbox WHERE id > ? ORDER BY id LIMIT ?", (after, size))
        if not rows:
            return None
        keys = [key for _, key in rows]
        held = _texts(database, keys)
        done = set(embedded_keys(database, fingerprint, keys))
    return Batch(
        owed=tuple(Owed(*row) for row in rows),
        texts={key: held[key] for key in keys if key in held and key not in done},
        ready=tuple(key for key in keys if key in held and key in done),
        dropped=tuple(key for key in keys if key not in held),
    )


def cut(batch: Batch, size: int) -> list[Batch]:
    """Cut a batch into portions of at most `size` texts of like length; what needs no embedder goes first."""
    rows = {row.key: row for row in batch.owed}
    by_length = sorted(batch.texts, key=lambda key: len(batch.texts[key]))
    portions = [
        Batch(tuple(rows[key] for key in keys), {key: batch.texts[key] for key in keys}, (), ())
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
        database.run_many(
            "DELETE FROM embeddings WHERE text_hash = ?1 AND NOT EXISTS (SELECT 1 FROM chunks WHERE text_hash = ?1)",
            ((key,) for key in batch.dropped),
        )
        if keys or batch.dropped:
            _advance_version(database)


def settle(database: Database, owed: Sequence[Owed]) -> None:
    """Take rows out of the outbox; a key queued again since has another row, which stays."""
    with database.atomic():
        database.run_many("DELETE FROM outbox WHERE id = ?", ((row.id,) for row in owed))


def forget_other_embedders(database: Database, fingerprint: str) -> None:
    """Delete the embeddings of earlier embedders, once this one's are complete."""
    if database.value("SELECT 1 FROM embeddings WHERE fingerprint <> ? LIMIT 1", (fingerprint,)):
        with database.atomic():
            database.run("DELETE FROM embeddings WHERE fingerprint <> ?", (fingerprint,))


def embedding_version(database: Database) -> int:
    """Return a number that grows with every change of the embeddings."""
    return int(database.meta(VERSION) or 0)


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
        found.update((key, np.frombuffer(blob, STORED)) for key, blob in rows)
    return found


def all_embeddings(database: Database, fingerprint: str, size: int) -> Iterator[tuple[list[str], Vectors]]:
    """Yield every embedding in portions of `size`: keys and a matrix."""
    last = 0
    while rows := database.rows(
        "SELECT id, text_hash, vector FROM embeddings WHERE fingerprint = ? AND id > ? ORDER BY id LIMIT ?",
        (fingerprint, last, size),
    ):
        last = rows[-1][0]
        yield [row[1] for row in rows], matrix([row[2] for row in rows])


def matrix(blobs: Sequence[bytes]) -> Vectors:
    """Put stored vectors one below the other."""
    import numpy as np

    if len({len(blob) for blob in blobs}) > 1:
        raise IndexDamaged("Stored embeddings have different lengths.", "Run `vaultrag check`.")
    return np.frombuffer(b"".join(blobs), STORED).reshape(len(blobs), -1)


def parts(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Cut keys into portions that fit into one query."""
    for start in range(0, len(keys), KEYS_PER_QUERY):
        yield keys[start : start + KEYS_PER_QUERY]


def marks(keys: Sequence[object]) -> str:
    """Return one `?` for each key."""
    return ",".join("?" * len(keys))


AMONG = "IN (SELECT value FROM json_each(?))"
"""Is one of a list of any length, which `as_list` makes the one parameter."""


def as_list(values: Collection[int] | Collection[str]) -> str:
    """Return values as the parameter of `AMONG`."""
    return json.dumps(list(values))


def _texts(database: Database, keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts(keys):
        rows = database.rows(
            f"SELECT text_hash, min(embedded) FROM chunks WHERE text_hash IN ({marks(part)}) GROUP BY text_hash", part
        )
        found.update((key, text) for key, text in rows)
    return found


def _advance_version(database: Database) -> None:
    database.set_meta(VERSION, str(embedding_version(database) + 1))
