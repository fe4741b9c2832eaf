"""From the outbox to the vectors: what is owed an embedding gets one, then its place in Chroma.

Every step can be killed and run again: what remains to do is a row of the outbox, or an embedding that is missing.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np

from vaultrag.domain import Embedder, Progress, Vectors, unwatched
from vaultrag.errors import ModelError
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.embeddings import Batch
from vaultrag.store.vectors import succession
from vaultrag.store.vectors.index import VectorIndex

WINDOW = 512  # texts sorted by length at a time: an embedder pads each batch to its longest text
FIRST_BATCH = 32
BATCH_SECONDS = 2.0  # a batch grows until it takes this long: progress is shown, and a crash loses, about that much
HARMLESS = "проба probe"  # an embedder that fails at this fails at everything


def never() -> bool:
    """Nobody asks the draining to stop."""
    return False


def drain_outbox(
    database: Database,
    embedder: Embedder,
    vectors: VectorIndex,
    progress: Progress,
    *,
    earlier: Embedder | None = None,
    stop: Callable[[], bool] = never,
) -> int:
    """Give every key in the outbox what it is owed; return how many texts were embedded.

    `vectors` are those that answer. Where they are of `earlier`, an embedder of before, those of `embedder` are built
    beside them and take over when none is missing. An embedder works on its next batch while the last one is stored.
    Killed anywhere, another call goes on, and so it does after `stop`, which is asked between batches. A text that an
    embedder fails at is set aside; raises ModelError when it fails at every text. What was finished by then stays.
    """
    if earlier is None or vectors.fingerprint == embedder.fingerprint:
        succession.switch_to(database, embedder.fingerprint)
        return sum(_Answering(database, embedder, vectors, progress, stop).run())
    succession.begin(database, embedder.fingerprint)
    return sum(_Succession(database, embedder, earlier, vectors, progress, stop).run())


def rebuild_chroma(vectors: VectorIndex, progress: Progress) -> None:
    """Build a new generation of the vector index from the embeddings in SQLite."""
    vectors.rebuild(partial(progress, "vector index"))


@dataclass(slots=True)
class _Answering:
    """Keeps up the vectors that answer, and `successor`, as far as it has grown."""

    database: Database
    embedder: Embedder
    vectors: VectorIndex
    progress: Progress
    stop: Callable[[], bool]
    successor: VectorIndex | None = None

    def run(self) -> Iterator[int]:
        """Work off the outbox, then build Chroma if that is owed, in steps between which the outbox goes first."""
        grows = True
        while grows and not self.stop():
            yield from self.drain()
            grows = self.vectors.must_grow and self.vectors.grow(partial(self.progress, "vector index"))
        if not embeddings.owed_count(self.database):
            embeddings.forget_other_embedders(self.database, self.embedder.fingerprint)

    def drain(self) -> Iterator[int]:
        """Work off the outbox; yield how many texts each batch had."""
        outbox = _Outbox(self.database, self.embedder.fingerprint)
        stored = 0
        for finished in _Feed(self.database, self.embedder, outbox, self.stop).run():
            self._store(finished)
            outbox.taken.difference_update(row.id for row in finished.batch.owed)
            stored += len(finished.batch.owed)
            self.progress("embeddings", stored, stored + embeddings.owed_count(self.database))
            yield len(finished.batch.texts)

    def _store(self, finished: _Embedded) -> None:
        """Each step may be the last before a crash: the outbox rows go only when everything stands."""
        embeddings.store_batch(self.database, self.embedder.fingerprint, finished.batch, finished.vectors)
        self.vectors.follow(finished.batch)
        if self.successor is not None:
            self.successor.follow(finished.batch)
        embeddings.settle(self.database, finished.batch.owed)


@dataclass(slots=True)
class _Succession:
    """Builds an embedder's vectors beside those of `earlier`, which are kept up meanwhile, and lets them take over."""

    database: Database
    embedder: Embedder
    earlier: Embedder
    vectors: VectorIndex
    progress: Progress
    stop: Callable[[], bool]
    kept_up: bool = True

    def run(self) -> Iterator[int]:
        """Embed what is missing, build its Chroma, switch; the outbox goes first between all steps."""
        successor = self.vectors.successor(self.embedder.fingerprint, self.embedder.dimension)
        while not self.stop():
            yield from self._keep_up(successor)
            yield from self._embed_missing(successor)
            if self.stop() or (not successor.healthy and successor.grow(partial(self.progress, "vector index"))):
                continue
            if succession.take_over(self.database, self.embedder.fingerprint):
                successor.follow_takeover()
                yield from _Answering(self.database, self.embedder, successor, self.progress, self.stop).run()
                successor.close()
                return

    def _keep_up(self, successor: VectorIndex) -> Iterator[int]:
        """Embed what changed by the embedder that answers; where that fails, its vectors stay without the changes."""
        if not self.kept_up:
            return
        try:
            yield from _Answering(self.database, self.earlier, self.vectors, unwatched, self.stop, successor).drain()
        except ModelError:
            self.kept_up = False

    def _embed_missing(self, successor: VectorIndex) -> Iterator[int]:
        missing = _Missing(self.database, deque(succession.missing_keys(self.database, self.embedder.fingerprint)))
        state = succession.succession(self.database)
        done, total = (state.done, state.total) if state else (0, 0)
        for finished in _Feed(self.database, self.embedder, missing, self.stop).run():
            embeddings.store_batch(self.database, self.embedder.fingerprint, finished.batch, finished.vectors)
            successor.follow(finished.batch)
            done += len(finished.batch.texts)
            self.progress("embeddings", done, max(done, total))
            yield len(finished.batch.texts)
            yield from self._keep_up(successor)


@dataclass(frozen=True, slots=True)
class _Embedded:
    """A batch and the vectors of its texts."""

    batch: Batch
    vectors: Vectors


class _Source(Protocol):
    """Where a feed's texts come from."""

    def urgent(self) -> Batch | None:
        """Return what must go before everything that waits."""
        ...

    def next(self) -> Batch | None:
        """Return what comes next; None at the end."""
        ...


@dataclass(slots=True)
class _Outbox:
    """The rows of the outbox; `taken` are under way. What changes while it is worked off goes first."""

    database: Database
    fingerprint: str
    taken: set[int] = field(default_factory=set)

    def urgent(self) -> Batch | None:
        return self._take(embeddings.fresh_batch(self.database, self.fingerprint, self.taken, WINDOW))

    def next(self) -> Batch | None:
        return self._take(embeddings.ranked_batch(self.database, self.fingerprint, self.taken, WINDOW))

    def _take(self, batch: Batch | None) -> Batch | None:
        if batch is not None:
            self.taken.update(row.id for row in batch.owed)
        return batch


@dataclass(slots=True)
class _Missing:
    """The texts that a successor lacks."""

    database: Database
    keys: deque[str]

    def urgent(self) -> Batch | None:
        return None

    def next(self) -> Batch | None:
        while self.keys:
            window = [self.keys.popleft() for _ in range(min(WINDOW, len(self.keys)))]
            texts = embeddings.texts_of(self.database, window)
            if texts:
                return Batch((), texts, (), ())
        return None


@dataclass(slots=True)
class _Feed:
    """Feeds an embedder batch after batch, one ahead of what is being stored."""

    database: Database
    embedder: Embedder
    source: _Source
    stop: Callable[[], bool]
    size: int = FIRST_BATCH
    waiting: deque[Batch] = field(default_factory=deque)

    def run(self) -> Iterator[_Embedded]:
        """Yield each batch with its vectors, until the source has no more or it is told to stop."""
        with _embedding_thread() as worker:
            ahead = self._begin(worker)
            while ahead is not None:
                batch, future = ahead
                try:
                    finished = _Embedded(batch, future.result())
                except ModelError as error:
                    finished = self._without_failing(batch, error)
                ahead = None if self.stop() else self._begin(worker)
                if finished.batch.owed or finished.batch.texts:
                    yield finished

    def _begin(self, worker: ThreadPoolExecutor) -> tuple[Batch, Future[Vectors]] | None:
        """Take the next batch and start embedding it."""
        if (urgent := self.source.urgent()) is not None:
            self.waiting.extendleft(reversed(embeddings.cut(urgent, self.size)))
        elif not self.waiting and (window := self.source.next()) is not None:
            self.waiting.extend(embeddings.cut(window, self.size))
        if not self.waiting:
            return None
        batch = self.waiting.popleft()
        return batch, worker.submit(self._embed, batch)

    def _embed(self, batch: Batch) -> Vectors:
        if not batch.texts:
            return self._none()
        began = time.monotonic()
        vectors = self.embedder.embed_passages(list(batch.texts.values()))
        if time.monotonic() - began < BATCH_SECONDS / 2:
            self.size = min(self.size * 2, WINDOW)
        return vectors

    def _without_failing(self, batch: Batch, error: ModelError) -> _Embedded:
        """Look for the text that the embedder fails at: halves go back to the front, a single one is set aside.

        Raises the error when the embedder fails at a harmless text, too, or everything is to stop.
        """
        if self.stop():
            raise error
        self.embedder.embed_passages([HARMLESS])
        keys = list(batch.texts)
        if len(keys) == 1:
            embeddings.set_aside(self.database, self.embedder.fingerprint, keys[0])
            return _Embedded(Batch(batch.owed, {}, tuple(keys), ()), self._none())
        self.waiting.extendleft(reversed(embeddings.cut(batch, (len(keys) + 1) // 2)))
        return _Embedded(Batch((), {}, (), ()), self._none())

    def _none(self) -> Vectors:
        return np.empty((0, self.embedder.dimension), np.float32)


@contextlib.contextmanager
def _embedding_thread() -> Iterator[ThreadPoolExecutor]:
    """One thread; when the block fails or is interrupted, its batch is not waited for: closing the embedder ends it."""
    worker = ThreadPoolExecutor(1, thread_name_prefix="embed")
    try:
        yield worker
    finally:
        worker.shutdown(wait=False, cancel_futures=True)
