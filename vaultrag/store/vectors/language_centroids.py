"""The mean embedding of each language: what a vector says about its language rather than about its subject."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from vaultrag.domain import Vectors
from vaultrag.store.database import Database
from vaultrag.store.embeddings import embedding_version, matrix

SAMPLE = 2000  # chunks of a language: the mean's error is then a fiftieth of the vectors' spread
FEWEST = 20  # below this a mean says more about those few chunks than about their language


@dataclass(slots=True)
class LanguageCentroids:
    """Means over the stored embeddings of one embedder, computed again when the embeddings changed."""

    database: Database
    fingerprint: str
    _version: int = -1
    _means: dict[str, Vectors] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, language: str) -> Vectors | None:
        """Return the mean embedding of a language's chunks; None where there are too few."""
        with self._lock:
            version = embedding_version(self.database)
            if version != self._version:
                self._means, self._version = {}, version
            if language not in self._means:
                vectors = self._sample(language)
                self._means[language] = vectors.mean(axis=0) if len(vectors) >= FEWEST else np.empty(0, np.float32)
            mean = self._means[language]
            return mean if len(mean) else None

    def _sample(self, language: str) -> Vectors:
        blobs = self.database.column(
            "SELECT embeddings.vector FROM chunks"
            " JOIN embeddings ON embeddings.text_hash = chunks.text_hash AND embeddings.fingerprint = ?"
            " WHERE chunks.language = ? ORDER BY chunks.chunk_id LIMIT ?",
            (self.fingerprint, language, SAMPLE),
        )
        return matrix(blobs) if blobs else np.empty((0, 0), np.float32)
