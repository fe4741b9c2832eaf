"""From the outbox to the vectors: what is owed an embedding gets one, then its place in Chroma.

Every step can be killed and run again: what remains to do is a row of the outbox.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from vaultrag.domain import Embedder, Progress, Vectors
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.vectors import VectorIndex

WINDOW = 512  # rows of the outbox sorted by length at a time: an embedder pads each batch to its longest text
FIRST_BATCH = 32
BATCH_SECONDS = 2.0  # a batch grows until it takes this long: progress is shown, and a crash loses, about that much


def never() -> bool:
    """Nobody asks the draining to stop."""
    return False


def drain_outbox(
    database: Database,
    embedder: Embedder,
    vectors: VectorIndex,
    progress: Progress,
    *,
    stop: Callable[[], bool] = never,
) -> int:
    """Give every key in the outbox what it is owed; return how many texts were embedded.

    The embedder works on the next batch while the last one is stored. Killed anywhere, another call goes on, and so
    it does after `stop`, which is asked between batches. Raises ModelError from the embedder; what was finished by
    then stays.
    """
    embeddings.claim_fingerprint(database, embedder.fingerprint)
    embedded = 0
    with _embedding_thread() as worker:
        line = _Pipeline(database, embedder, worker)
        ahead = line.begin()
        while ahead is not None:
            finished = ahead.result()
            ahead = None if stop() else line.begin()
            _store(database, vectors, finished)
            embedded += len(finished.batch.texts)
            line.stored += len(finished.batch.owed)
            progress("embeddings", line.stored, line.stored + embeddings.owed_count(database))
    if stop():
        return embedded
    if embeddings.owed_count(database) == 0:
        embeddings.forget_other_embedders(database, embedder.fingerprint)
    if vectors.rebuild_owed:
        rebuild_chroma(vectors, progress)
    return embedded


@contextlib.contextmanager
def _embedding_thread() -> Iterator[ThreadPoolExecutor]:
    """One thread; when the block fails or is interrupted, its batch is not waited for: closing the embedder ends it."""
    worker = ThreadPoolExecutor(1, thread_name_prefix="embed")
    try:
        yield worker
    finally:
        worker.shutdown(wait=False, cancel_futures=True)


def rebuild_chroma(vectors: VectorIndex, progress: Progress) -> None:
    """Build a new generation of the vector index from the embeddings in SQLite."""
    vectors.rebuild(lambda done, total: progress("vector index", done, total))


@dataclass(frozen=True, slots=True)
class _Embedded:
    """A batch and the vectors of its texts."""

    batch: embeddings.Batch
    vectors: Vectors


@dataclass(slots=True)
class _Pipeline:
    """Feeds the embedder batch after batch."""

    database: Database
    embedder: Embedder
    worker: ThreadPoolExecutor
    last_id: int = 0
    size: int = FIRST_BATCH
    stored: int = 0
    waiting: deque[embeddings.Batch] = field(default_factory=deque)

    def begin(self) -> Future[_Embedded] | None:
        """Take the next rows of the outbox and start embedding them."""
        if not self.waiting:
            window = embeddings.next_batch(self.database, self.embedder.fingerprint, self.last_id, WINDOW)
            if window is None:
                return None
            self.last_id = window.owed[-1].id
            self.waiting.extend(embeddings.cut(window, self.size))
        return self.worker.submit(self._embed, self.waiting.popleft())

    def _embed(self, batch: embeddings.Batch) -> _Embedded:
        if not batch.texts:
            return _Embedded(batch, np.empty((0, self.embedder.dimension), np.float32))
        began = time.monotonic()
        vectors = self.embedder.embed_passages(list(batch.texts.values()))
        if time.monotonic() - began < BATCH_SECONDS / 2:
            self.size = min(self.size * 2, WINDOW)
        return _Embedded(batch, vectors)


def _store(database: Database, vectors: VectorIndex, finished: _Embedded) -> None:
    """Each step may be the last before a crash: the outbox rows go only when everything stands."""
    embeddings.store_batch(database, vectors.fingerprint, finished.batch, finished.vectors)
    vectors.follow(finished.batch)
    embeddings.settle(database, finished.batch.owed)
