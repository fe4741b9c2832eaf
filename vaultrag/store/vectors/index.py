"""Nearest neighbours of the index: by Chroma where they are many and it is healthy and free, else exact."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np

from vaultrag.domain import Vectors
from vaultrag.store import embeddings
from vaultrag.store.database import Access, Database
from vaultrag.store.errors import translated
from vaultrag.store.lists import parts
from vaultrag.store.vectors.chroma import KEYS_PER_REQUEST, ChromaIndex, ChromaUnavailable, Collection
from vaultrag.store.vectors.exact import ExactIndex

REBUILD_OWED = "chroma_rebuild_owed"
EXACT_UP_TO = 20_000  # embeddings: so many are compared in less time than a request to Chroma takes, and none is missed
FREE_SECONDS = 0.1  # a search waits so long for Chroma while it takes in a batch, then answers exactly
REST_SECONDS = 600.0  # between two tries to build Chroma: what one failed at, a full disk or memory, seldom passes soon


@dataclass(slots=True)
class _Build:
    """A generation under way: how many embeddings it has taken in, and the row id of the last."""

    collection: Collection
    taken: int = 0
    last_id: int = 0


class VectorIndex:
    """Where the embeddings of one embedder are searched.

    Only the owner of the index may pass `chroma`: Chroma allows one process. Without it every search is exact, and
    so are those among up to `exact_up_to` embeddings.
    """

    def __init__(
        self,
        database: Database,
        fingerprint: str,
        chroma: ChromaIndex | None = None,
        *,
        exact_up_to: int = EXACT_UP_TO,
    ) -> None:
        self.database = database
        self.fingerprint = fingerprint
        self.chroma = chroma
        self.exact = ExactIndex(database, fingerprint)
        self._exact_up_to = exact_up_to
        self._counted = (-1, 0)  # how many embeddings there were, at which version of them
        self._healthy = False
        self._reason = ""
        self._lock = threading.RLock()
        self._building: _Build | None = None
        self._rest_until = 0.0
        self._closed = False
        self._successor: VectorIndex | None = None

    def open(self) -> VectorIndex:
        """Probe Chroma; whatever is wrong with it becomes a warning and a rebuild that is owed."""
        if self.chroma is None or self.rebuild_owed:
            self._reason = self.database.meta(REBUILD_OWED) or ""
            return self
        with self._lock:
            try:
                self._compare_counts(self.chroma.open())
                self.chroma.remove_others()  # what a kill left
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
    def must_grow(self) -> bool:
        """Whether Chroma is to be built anew."""
        return self.chroma is not None and (not self._healthy or self.rebuild_owed)

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
        found = self._search_chroma(query, k) if self._healthy and self._are_many() else None
        return self.exact.search(query, k) if found is None else found

    def search_among(self, query: Vectors, keys: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs of these keys, best first. Always exact: Chroma would find too few of a small part."""
        return self.exact.search_among(query, keys, k)

    def search_written_in(self, query: Vectors, languages: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs whose texts are in these languages, best first. Always exact, for the same reason."""
        return self.exact.search_written_in(query, languages, k)

    def vectors_for(self, keys: Sequence[str]) -> dict[str, Vectors]:
        """Return the embeddings of these keys, as far as they are there."""
        return embeddings.vectors_for(self.database, self.fingerprint, keys)

    def follow(self, batch: embeddings.Batch) -> None:
        """Bring Chroma up to a batch whose embeddings are stored; if that fails, a rebuild is owed from here on."""
        self.exact.forget(batch.dropped)
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
        self._rest_until = 0.0
        while self.grow(progress):
            continue

    def grow(self, progress: Callable[[int, int], None]) -> bool:
        """Take one step of building Chroma anew; return whether more remain.

        The new generation lies beside the current one and takes over with the last step; no search waits for it.
        Embeddings stored meanwhile are taken in, too. After a failure nothing is tried for a while.
        """
        if self.chroma is None or self._closed or time.monotonic() < self._rest_until:
            return False
        build = self._building
        try:
            with translated(self.chroma.root):
                if build is None:
                    self._begin(self.chroma)
                elif not self._add_portion(build, progress):
                    self._take_over(self.chroma, build.collection)
                    return False
        except ChromaUnavailable as error:
            self._abandon(str(error))
            return False
        return True

    def successor(self, fingerprint: str, dimension: int) -> VectorIndex:
        """Return the index over another embedder's vectors, which grow beside these; the same one each time."""
        if self._successor is None or self._successor.fingerprint != fingerprint:
            if self._successor is not None:
                self._successor.close()
            chroma = self.chroma.beside(fingerprint, dimension) if self.chroma is not None else None
            self._successor = VectorIndex(self.database, fingerprint, chroma, exact_up_to=self._exact_up_to)
        return self._successor

    def follow_takeover(self) -> None:
        """Follow that these embeddings answer from now on: what Chroma held of earlier ones goes."""
        if self._healthy and self.chroma is not None:
            self.database.clear_meta(REBUILD_OWED)
            self.chroma.remove_others()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep searches and changes away from Chroma; meanwhile searches are exact."""
        with self._lock:
            yield

    def close(self) -> None:
        """End Chroma's process, and with it a generation under way."""
        self._closed = True
        if self._successor is not None:
            self._successor.close()
        self._drop_build()
        if self.chroma is not None:
            with self._lock:
                self.chroma.close()

    def owe_rebuild(self, reason: str) -> None:
        """Note that Chroma must be built anew, as long as these are the embeddings that answer."""
        answering = self.database.meta(embeddings.FINGERPRINT) in (None, self.fingerprint)
        if self.database.access is Access.WRITE and answering and not self.rebuild_owed:
            self.database.set_meta(REBUILD_OWED, reason)

    def _begin(self, chroma: ChromaIndex) -> None:
        self.owe_rebuild(self._reason)
        self._building = _Build(chroma.begin(embeddings.embedding_count(self.database, self.fingerprint)))

    def _add_portion(self, build: _Build, progress: Callable[[int, int], None]) -> bool:
        portion = embeddings.portion_after(self.database, self.fingerprint, build.last_id, KEYS_PER_REQUEST)
        if portion is None:
            return False
        build.collection.add(portion.keys, portion.vectors)
        build.last_id = portion.ids[-1]
        build.taken += len(portion.ids)
        build.collection.refuse_bloat(build.taken)
        progress(build.taken, max(build.taken, embeddings.embedding_count(self.database, self.fingerprint)))
        return True

    def _take_over(self, chroma: ChromaIndex, building: Collection) -> None:
        """Level the generation with the embeddings as they are now, prove it in a new process, make it current."""
        held = {key for page in building.pages() for key in page}
        wanted = set(embeddings.all_keys(self.database, self.fingerprint))
        lacking = sorted(wanted - held)
        for keys in parts(lacking):
            vectors = self.vectors_for(keys)
            building.add(list(vectors), np.stack(list(vectors.values())))
        building.delete(sorted(held - wanted))
        with self._lock:
            self._compare_counts(chroma.prove(building))
            chroma.publish(building)
            self._building = None
            self.database.clear_meta(REBUILD_OWED)
            self._healthy, self._reason = True, ""
        if self.database.meta(embeddings.FINGERPRINT) in (None, self.fingerprint):
            chroma.remove_others()

    def _abandon(self, reason: str) -> None:
        self._rest_until = time.monotonic() + REST_SECONDS
        self._drop_build()
        self._fall_back(reason)

    def _drop_build(self) -> None:
        build, self._building = self._building, None
        if build is not None:
            build.collection.close()

    def _search_chroma(self, query: Vectors, k: int) -> list[tuple[str, float]] | None:
        if self.chroma is None or not self._lock.acquire(timeout=FREE_SECONDS):
            return None
        try:
            return self.chroma.search(query, k)
        except ChromaUnavailable as error:
            self._fall_back(str(error))
            return None
        finally:
            self._lock.release()

    def _are_many(self) -> bool:
        version, count = embeddings.embedding_version(self.database), self._counted[1]
        if version != self._counted[0]:
            count = embeddings.embedding_count(self.database, self.fingerprint)
            self._counted = (version, count)
        return count > self._exact_up_to

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
