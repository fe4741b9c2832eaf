"""From a file of the vault to a parsed note and its chunks."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from vaultrag.domain import BlockKind, Chunk, CountTokens, FileStat, Note
from vaultrag.errors import VaultError
from vaultrag.text.terms import index_terms
from vaultrag.text.times.moment_format import PeriodicNotes
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.context import Transclude, no_embeds
from vaultrag.vault.features import with_features
from vaultrag.vault.files import read_note
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import content_hash, parse_note
from vaultrag.vault.parsing.subpaths import resolve_subpath

PARSER_VERSION = "7"  # raise it whenever the same text would give other chunks, links or stems
MANY = 500  # notes: below that, starting workers costs more than it saves
MOST_WORKERS = 4  # each holds the tokenizer, 150 MB for e5; with more the owner's writing is what takes the time
BATCH = 32  # notes: what a worker is sent at a time, about 64 kB
COLLECTED_AFTER = 50_000  # objects: notes hold few cycles, and looking for them costs a worker 5 % of its time
BATCHES_AHEAD = 4  # for each worker: enough that none waits, little enough that memory stays flat


@dataclass(frozen=True, slots=True)
class Recipe:
    """How notes become chunks. A note written by another recipe is read again.

    `tokenizer` names what `count_tokens` counts by; `periodic` is how the app names notes after their days.
    """

    count_tokens: CountTokens
    tokenizer: str
    target: int
    limit: int
    periodic: tuple[PeriodicNotes, ...] = ()

    @property
    def name(self) -> str:
        usual = f"{PARSER_VERSION}/{self.tokenizer}/{self.target}/{self.limit}"
        formats = json.dumps([(kind.folder, kind.format) for kind in self.periodic])
        return f"{usual}/{content_hash(formats)[:8]}" if self.periodic else usual


@dataclass(frozen=True, slots=True)
class ReadNote:
    """A note as its file says it now, its chunks, and for indexing the stems of each, one space apart."""

    note: Note
    chunks: tuple[Chunk, ...]
    stems: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UnreadableNote:
    """A note that could not be read, and what to do about it."""

    message: str
    remedy: str


def read_and_cut(
    vault: Path, stat: FileStat, max_bytes: int, recipe: Recipe, transclude: Transclude = no_embeds
) -> ReadNote:
    """Read, parse and cut one note. Raises VaultError when the file cannot be read."""
    note = parse_note(stat.path, read_note(vault, stat, max_bytes), recipe.periodic)
    chunks = chunk_note(note, recipe.count_tokens, recipe.target, recipe.limit, transclude)
    return ReadNote(note, tuple(with_features(note, chunks)))


def shown_by_embed(vault: Path, stat: FileStat, max_bytes: int, anchor: str) -> str:
    """Return the Markdown that an embed of a note, or of a part of it, shows; empty where that is not there."""
    try:
        note = parse_note(stat.path, read_note(vault, stat, max_bytes))
    except VaultError:
        return ""
    if not anchor:
        body = [block for block in note.blocks if block.kind is not BlockKind.PROPERTIES]
        return note.text[body[0].start :] if body else ""
    span = resolve_subpath(note, anchor)
    if span is None:
        return ""
    start, end = Lines(note.text).offsets(span)
    return note.text[start:end]


def read_and_stem(vault: Path, stat: FileStat, max_bytes: int, recipe: Recipe) -> ReadNote:
    """Read, parse, cut and stem one note: all that indexing needs to know of it. Raises VaultError."""
    read = read_and_cut(vault, stat, max_bytes, recipe)
    return replace(read, stems=tuple(" ".join(index_terms(chunk.embedded)) for chunk in read.chunks))


@dataclass(frozen=True, slots=True)
class NoteReader:
    """How notes are read: one of the two functions above, and what it takes besides the file."""

    read: Callable[[Path, FileStat, int, Recipe], ReadNote]
    vault: Path
    max_bytes: int
    recipe: Recipe

    def run(self, stats: Iterable[FileStat]) -> Generator[ReadNote | UnreadableNote, None, None]:
        """Read notes one after the other, in this process."""
        for stat in stats:
            try:
                yield self.read(self.vault, stat, self.max_bytes, self.recipe)
            except VaultError as error:
                yield UnreadableNote(error.message, error.remedy)


def read_all(reader: NoteReader, stats: Sequence[FileStat]) -> Generator[ReadNote | UnreadableNote, None, None]:
    """Read notes in their order; many of them with worker processes, where there are cores for it."""
    cores = min(usable_cores(), MOST_WORKERS + 1)
    if len(stats) < MANY or cores < 2 or not _can_be_sent(reader):
        return reader.run(stats)
    return read_on_cores(reader, stats, cores)


def read_on_cores(
    reader: NoteReader, stats: Sequence[FileStat], cores: int
) -> Generator[ReadNote | UnreadableNote, None, None]:
    """Read notes in this process and in a worker for each further core; a few batches are held at a time.

    This process reads what no worker has begun while it would have to wait, and what a dead worker leaves.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of our threads as they stand
    pool = ProcessPoolExecutor(cores - 1, context, _prepare, (reader,))
    ahead: deque[_Batch] = deque()
    try:
        for start in range(0, len(stats), BATCH):
            ahead.append(_Batch(reader, pool, stats[start : start + BATCH]))
            if len(ahead) > cores * BATCHES_AHEAD:
                yield from _read_first(ahead)
        while ahead:
            yield from _read_first(ahead)
    finally:
        pool.shutdown(cancel_futures=True)


class _Batch:
    """Some notes that a worker was asked to read."""

    def __init__(self, reader: NoteReader, pool: ProcessPoolExecutor, stats: Sequence[FileStat]) -> None:
        self.reader = reader
        self.stats = stats
        self._found: list[ReadNote | UnreadableNote] | None = None
        self._asked = _submit(pool, stats)

    @property
    def is_read(self) -> bool:
        return self._found is not None or (self._asked is not None and self._asked.done())

    def take_back(self) -> bool:
        """Read it here, unless it is read or a worker has begun; return whether that was done."""
        if self.is_read or (self._asked is not None and not self._asked.cancel()):
            return False
        self._found = list(self.reader.run(self.stats))
        return True

    def result(self) -> list[ReadNote | UnreadableNote]:
        if self._found is not None:
            return self._found
        try:
            return self._asked.result() if self._asked else list(self.reader.run(self.stats))
        except BrokenProcessPool:
            return list(self.reader.run(self.stats))


def _read_first(ahead: deque[_Batch]) -> list[ReadNote | UnreadableNote]:
    """Take the first batch off the line; while a worker still reads it, read others here."""
    while not ahead[0].is_read and any(batch.take_back() for batch in ahead):
        pass
    return ahead.popleft().result()


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _can_be_sent(reader: NoteReader) -> bool:
    """Tell whether workers can be told what to do: a token counter made in place cannot be sent."""
    try:
        pickle.dumps(reader)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _submit(pool: ProcessPoolExecutor, batch: Sequence[FileStat]) -> Future[list[ReadNote | UnreadableNote]] | None:
    try:
        return pool.submit(_work, batch)
    except BrokenProcessPool:
        return None


_reader: NoteReader | None = None  # of this worker process, set once by `_prepare`


def _prepare(reader: NoteReader) -> None:
    global _reader  # noqa: PLW0603  # a worker of a process pool has no other place
    _reader = reader
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for good."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(stats: Sequence[FileStat]) -> list[ReadNote | UnreadableNote]:
    assert _reader is not None
    return list(_reader.run(stats))
