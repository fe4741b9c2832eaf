"""The vectors of an open index: who embeds questions, where their neighbours are, and how the notes get theirs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vaultrag.domain import Embedder, Progress, Vectors, counted
from vaultrag.errors import ModelError
from vaultrag.indexing.embed import drain_outbox
from vaultrag.runtime.pool import ModelPool
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.vectors import succession
from vaultrag.store.vectors.chroma import ChromaIndex
from vaultrag.store.vectors.index import VectorIndex
from vaultrag.store.vectors.language_centroids import LanguageCentroids

TURN_SECONDS = 1.0  # between looks at how far another thread is with embedding
LEAVE_SECONDS = 5.0  # at the end a batch is waited for so long: it takes two, and one that hangs loses nothing


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A question's vector and where its neighbours are; without a vector it is found by words and links alone."""

    fingerprint: str
    centres: LanguageCentroids
    vector: Vectors | None = None
    nearest: VectorIndex | None = None
    warnings: tuple[str, ...] = ()


class VectorSearch:
    """Embeds questions and notes for one index. Every method may be called from any thread.

    The embedder whose vectors are stored goes on answering, as long as its files are here, until those of the
    configured one are complete. Only the owner of the index may pass where Chroma lies.
    """

    def __init__(self, database: Database, models: ModelPool, chroma_path: Path | None) -> None:
        self._database = database
        self._models = models
        self._chroma_path = chroma_path
        self._vectors: VectorIndex | None = None
        self._centres: LanguageCentroids | None = None
        self._opening = threading.Lock()
        self._embedding = threading.Lock()
        self._stopped = threading.Event()
        self._hushed = threading.Event()

    @property
    def fingerprint(self) -> str:
        """The embedder whose vectors answer; empty before the first one."""
        return succession.answering(self._database)

    def embedder(self) -> tuple[Embedder | None, tuple[str, ...]]:
        """Return the configured embedder, or a warning why there is none."""
        try:
            return self._models.embedder(), ()
        except ModelError as error:
            return None, (f"{error.message} Hits by meaning are missing. {error.remedy}",)

    def without_vector(self) -> QueryVector:
        """Return what a search without vectors needs."""
        return QueryVector(self.fingerprint, self._language_centroids())

    def embed_question(self, question: str) -> QueryVector:
        """Embed a question by the embedder whose vectors answer. What is amiss is a warning."""
        nothing = self.without_vector()
        embedder, warnings = self._answering()
        nearest = self.index()
        if embedder is None or nearest is None or embedder.fingerprint != nothing.fingerprint:
            return QueryVector(nothing.fingerprint, nothing.centres, warnings=warnings)
        try:
            vector = embedder.embed_query(question)
        except ModelError as error:
            failed = f"{error.message} Found by words and links alone."
            return QueryVector(nothing.fingerprint, nothing.centres, warnings=(*warnings, failed))
        warnings = (*warnings, *self._incomplete(), *nearest.warnings)
        return QueryVector(nothing.fingerprint, nothing.centres, vector, nearest, warnings)

    def index(self) -> VectorIndex | None:
        """Return the index over the vectors that answer; opened once, anew when another embedder takes over."""
        fingerprint = self.fingerprint
        if not fingerprint:
            return None
        with self._opening:
            if self._vectors is None or self._vectors.fingerprint != fingerprint:
                if self._vectors is not None:
                    self._vectors.close()
                self._vectors = VectorIndex(self._database, fingerprint, self._chroma(fingerprint)).open()
            return self._vectors

    def embed(self, progress: Progress, stop: Callable[[], bool]) -> int:
        """Embed what is owed, until `stop`; return how many texts that were. Raises ModelError.

        While another thread is at it, its progress is shown; what it leaves is done here.
        """
        embedder = self._models.embedder()
        owed = embeddings.owed_count(self._database)
        while not self._embedding.acquire(timeout=TURN_SECONDS):
            if stop():
                return 0
            progress("embeddings", owed - min(owed, embeddings.owed_count(self._database)), owed)
        try:
            return self._embed(embedder, progress, lambda: self._must_end() or stop())
        finally:
            self._embedding.release()

    def warm(self) -> None:
        """Load the embedder and the vector index, and wait for them."""
        embedder, _ = self._answering()
        if embedder is not None:
            embedder.embed_query("warm")
            self.index()

    def stop(self) -> None:
        """Let embedding end with the batch under way."""
        self._stopped.set()

    @contextlib.contextmanager
    def hushed(self) -> Iterator[None]:
        """Nothing is embedded inside: what is under way ends with its batch, the rest stays owed."""
        self._hushed.set()
        try:
            with self._embedding:
                yield
        finally:
            self._hushed.clear()

    def let_go(self) -> None:
        """End Chroma's process, whose files go; it is opened anew when a search or an embedding needs it."""
        with self._opening:
            if self._vectors is not None:
                self._vectors.close()
            self._vectors = None

    def close(self) -> None:
        """End Chroma's process, once the batch under way is stored."""
        self.stop()
        waited = self._embedding.acquire(timeout=LEAVE_SECONDS)
        if self._vectors is not None:
            self._vectors.close()
        if waited:
            self._embedding.release()

    def _embed(self, embedder: Embedder, progress: Progress, stop: Callable[[], bool]) -> int:
        database, stored = self._database, self.fingerprint
        earlier = self._models.embedder_of(stored) if stored not in ("", embedder.fingerprint) else None
        if succession.chosen(database, embedder.fingerprint, stored if earlier else "") == embedder.fingerprint:
            succession.switch_to(database, embedder.fingerprint)
            earlier = None
        vectors = self.index()
        assert vectors is not None  # one embedder answers by now
        embedded = drain_outbox(database, embedder, vectors, progress, earlier=earlier, stop=stop)
        if self.fingerprint == embedder.fingerprint:
            self._models.let_go_of_earlier()
        return embedded

    def _must_end(self) -> bool:
        return self._stopped.is_set() or self._hushed.is_set()

    def _answering(self) -> tuple[Embedder | None, tuple[str, ...]]:
        stored = self.fingerprint
        configured, warnings = self.embedder()
        if not stored or (configured is not None and configured.fingerprint == stored):
            return configured, warnings
        earlier = self._models.embedder_of(stored)
        if earlier is not None:
            return earlier, ()
        if configured is None:
            return None, warnings
        return None, (
            "The notes were embedded by a model that is no longer here. Hits by meaning are missing until"
            " `vaultrag index` has embedded them by the one in the settings.",
        )

    def _incomplete(self) -> tuple[str, ...]:
        owed = embeddings.owed_count(self._database)
        return (f"Hits by meaning are incomplete: {counted(owed, 'passage')} still to be embedded.",) if owed else ()

    def _language_centroids(self) -> LanguageCentroids:
        fingerprint = self.fingerprint
        if self._centres is None or self._centres.fingerprint != fingerprint:
            self._centres = LanguageCentroids(self._database, fingerprint)
        return self._centres

    def _chroma(self, fingerprint: str) -> ChromaIndex | None:
        if self._chroma_path is None:
            return None
        embedder, _ = self._answering()
        if embedder is None or embedder.fingerprint != fingerprint:
            return None
        return ChromaIndex(self._chroma_path, fingerprint, embedder.dimension)
