"""Nearest neighbours of the index: Chroma while it is healthy and free, else exact search over the same embeddings."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence, Set

import numpy as np

from vaultrag.domain import Vectors
from vaultrag.store import embeddings
from vaultrag.store.chroma import KEYS_PER_REQUEST, ChromaIndex, ChromaUnavailable
from vaultrag.store.database import Access, Database, translated
from vaultrag.store.exact import ExactIndex

REBUILD_OWED = "chroma_rebuild_owed"
FREE_SECONDS = 0.1  # a search waits so long for Chroma while it takes in a batch, then answers exactly


class VectorIndex:
    """Where the embeddings of one embedder are searched.

    Only the owner of the index may pass `chroma`: Chroma allows one process. Without it every search is exact.
    """

    def __init__(self, database: Database, fingerprint: str, chroma: ChromaIndex | None = None) -> None:
        self.database = database
        self.fingerprint = fingerprint
        self.chroma = chroma
        self.exact = ExactIndex(database, fingerprint)
        self._healthy = False
        self._reason = ""
        self._lock = threading.RLock()

    def open(self) -> VectorIndex:
        """Probe Chroma; whatever is wrong with it becomes a warning and a rebuild that is owed."""
        if self.chroma is None or self.rebuild_owed:
            self._reason = self.database.meta(REBUILD_OWED) or ""
            return self
        with self._lock:
            try:
                self._compare_counts(self.chroma.open())
                self._healthy = True
            except ChromaUnavailable as error:
                self._fall_back(str(error))
        return self

    @property
    def healthy(self) -> bool:
        """Whether Chroma answers."""
        return self._healthy

    @property
    def rebuild_owed(self) -> bool:
        return self.database.meta(REBUILD_OWED) is not None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user; none while Chroma answers, and none before it was first built."""
        if not self._reason:
            return ()
        return (
            f"The vector index cannot be used: {self._reason}. An exact search answers instead;"
            " `vaultrag index` rebuilds it.",
        )

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first."""
        found = self._search_chroma(query, k)
        return self.exact.search(query, k) if found is None else found

    def search_among(self, query: Vectors, keys: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs of these keys, best first. Always exact: Chroma would find too few of a small part."""
        return self.exact.search_among(query, keys, k)

    def vectors_for(self, keys: Sequence[str]) -> dict[str, Vectors]:
        """Return the embeddings of these keys, as far as they are there."""
        return embeddings.vectors_for(self.database, self.fingerprint, keys)

    def follow(self, batch: embeddings.Batch) -> None:
        """Bring Chroma up to a batch whose embeddings are stored; if that fails, a rebuild is owed from here on."""
        if not self._healthy or self.chroma is None:
            self.owe_rebuild(self._reason)
            return
        vectors = self.vectors_for([*batch.texts, *batch.ready])
        with self._lock:
            try:
                if vectors:
                    self.chroma.add(list(vectors), np.stack(list(vectors.values())))
                if batch.dropped:
                    self.chroma.delete(batch.dropped)
            except ChromaUnavailable as error:
                self._fall_back(str(error))

    def rebuild(self, progress: Callable[[int, int], None]) -> None:
        """Build Chroma anew from the embeddings. When it fails, the exact search goes on answering."""
        if self.chroma is None:
            return
        total = embeddings.embedding_count(self.database, self.fingerprint)
        portions = embeddings.all_embeddings(self.database, self.fingerprint, KEYS_PER_REQUEST)
        with self._lock:
            self._healthy = False
            self.owe_rebuild(self._reason)
            try:
                with translated(self.chroma.root):
                    self.chroma.rebuild(portions, lambda done: progress(done, total))
                self._compare_counts(self.chroma.open())
            except ChromaUnavailable as error:
                self._fall_back(str(error))
                return
            self.database.clear_meta(REBUILD_OWED)
            self._healthy, self._reason = True, ""

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep searches and changes away from Chroma; meanwhile searches are exact."""
        with self._lock:
            yield

    def close(self) -> None:
        """End Chroma's process."""
        if self.chroma is not None:
            with self._lock:
                self.chroma.close()

    def _search_chroma(self, query: Vectors, k: int) -> list[tuple[str, float]] | None:
        if not self._healthy or self.chroma is None or not self._lock.acquire(timeout=FREE_SECONDS):
            return None
        try:
            return self.chroma.search(query, k)
        except ChromaUnavailable as error:
            self._fall_back(str(error))
            return None
        finally:
            self._lock.release()

    def _compare_counts(self, count: int) -> None:
        """A key of the outbox may be in one and not in the other; any further difference is a loss."""
        expected = embeddings.embedding_count(self.database, self.fingerprint)
        if abs(count - expected) > embeddings.owed_count(self.database):
            raise ChromaUnavailable(f"it holds {count} of {expected} embeddings")

    def _fall_back(self, reason: str) -> None:
        self._healthy = False
        empty = not embeddings.embedding_count(self.database, self.fingerprint)
        self._reason = "" if empty else reason
        self.owe_rebuild(self._reason)

    def owe_rebuild(self, reason: str) -> None:
        if self.database.access is Access.WRITE and not self.rebuild_owed:
            self.database.set_meta(REBUILD_OWED, reason)
