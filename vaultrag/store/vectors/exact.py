"""Exact nearest neighbours: every embedding of the index in one matrix. 17 ms for 100,000 of 384 dimensions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaultrag.domain import Vectors
from vaultrag.errors import IndexDamaged
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.notes.lookups import languages_of

PORTION = 4096  # rows read at a time: 6 MB beside the matrix
SPARE = 1.125  # room for so many times the rows there are, so that a new one seldom copies the others
HOLES = 0.25  # rows that are gone, as a share of all; above it the matrix is written anew
WIDER = 4  # times as many rows are looked at when too few of the best were wanted ones
FEW = 0.05  # below this share of the rows, picking them out costs less than comparing with all


class ExactIndex:
    """Compares the query with every embedding. Loaded at the first search, then kept up row by row."""

    def __init__(self, database: Database, fingerprint: str) -> None:
        self.database = database
        self.fingerprint = fingerprint
        self._matrix = _Matrix()
        self._version = -1
        self._lock = threading.Lock()

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first; equal cosines in the order of keys."""
        matrix, count = self._current()
        return _best(matrix.compare(query, count), matrix.keys, k)

    def search_among(self, query: Vectors, keys: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs of these keys, best first; none of them is missed."""
        matrix, count = self._current()
        if len(keys) > FEW * count:
            return _best(matrix.compare(query, count), matrix.keys, k, keys)
        rows = np.fromiter((row for key in keys if (row := matrix.row_of.get(key, count)) < count), np.int64)
        if not len(rows):
            return []
        rows.sort()
        return _best(matrix.rows[rows] @ _column(query), _Picked(matrix.keys, rows), k)

    def search_written_in(self, query: Vectors, languages: Set[str], k: int) -> list[tuple[str, float]]:
        """Return up to k pairs whose texts are in these languages, best first; none of them is missed."""
        matrix, count = self._current()
        rows = matrix.rows_in(languages, count)
        if not len(rows):
            return []
        cosines = matrix.compare(query, count)[rows] if len(rows) > FEW * count else matrix.rows[rows] @ _column(query)
        return _best(cosines, _Picked(matrix.keys, rows), k)

    def forget(self, keys: Iterable[str]) -> None:
        """Learn that these embeddings are gone, which otherwise takes a look at every row."""
        with self._lock:
            for key in keys:
                self._matrix.drop(key)

    def _current(self) -> tuple[_Matrix, int]:
        """Return the matrix at the embeddings' newest state, and how many rows of it may be read."""
        known = self._version
        if embeddings.embedding_version(self.database) <= known:  # less: this thread's snapshot is an older one
            matrix = self._matrix
            return matrix, matrix.count
        with self._lock, self.database.snapshot():
            version = embeddings.embedding_version(self.database)
            if version > self._version:
                self._refresh()
                self._version = version
            return self._matrix, self._matrix.count

    def _refresh(self) -> None:
        """Read the rows that are new, row ids only grow, then look for those that are gone if any are."""
        total = embeddings.embedding_count(self.database, self.fingerprint)
        self._read_new(total)
        if self._matrix.living != total:
            self._matrix.keep(embeddings.all_ids(self.database, self.fingerprint))
        if self._matrix.living != total:  # one was forgotten that is still there
            self._matrix = _Matrix()
            self._read_new(total)
        if self._matrix.living < (1 - HOLES) * self._matrix.count:
            self._matrix = self._matrix.compacted()

    def _read_new(self, total: int) -> None:
        while portion := embeddings.portion_after(self.database, self.fingerprint, self._matrix.last_id, PORTION):
            self._matrix = self._matrix.with_room(len(portion.ids), portion.vectors.shape[1], total)
            self._matrix.append(portion, languages_of(self.database, portion.keys))


@dataclass(frozen=True, slots=True)
class _Picked:
    """The keys of some rows."""

    keys: Sequence[str]
    rows: NDArray[np.int64]

    def __getitem__(self, place: int) -> str:
        return self.keys[int(self.rows[place])]


class _Matrix:
    """Vectors one below the other, with room for more. Row i belongs to `keys[i]`, "" where it is gone.

    Rows below `count` never move and never become another key's, so that a search reads them without a lock.
    """

    def __init__(self, room: int = 0, dimension: int = 0) -> None:
        self.rows = np.empty((room, dimension), np.float32)
        self.ids = np.empty(room, np.int64)
        self.languages = np.empty(room, np.int8)  # by their place in `known`
        self.known: list[str] = [""]
        self.keys: list[str] = []
        self.row_of: dict[str, int] = {}
        self.count = 0

    @property
    def living(self) -> int:
        return len(self.row_of)

    @property
    def last_id(self) -> int:
        return int(self.ids[self.count - 1]) if self.count else 0

    def compare(self, query: Vectors, count: int) -> Vectors:
        """Return the cosine of each of the first `count` rows."""
        cosines: Vectors = self.rows[:count] @ _column(query) if count else np.empty(0, np.float32)
        return cosines

    def with_room(self, new: int, dimension: int, expected: int) -> _Matrix:
        """Return a matrix that has room for so many new rows: this one, or a larger copy."""
        if self.count and dimension != self.rows.shape[1]:
            raise IndexDamaged("Stored embeddings have different lengths.", "Run `vaultrag check`.")
        if self.count + new <= len(self.rows):
            return self
        larger = _Matrix(int(max(expected, self.count + new) * SPARE) + 1, dimension)
        if self.count:
            larger._take(self, np.arange(self.count, dtype=np.int64))
        return larger

    def rows_in(self, languages: Set[str], count: int) -> NDArray[np.int64]:
        """Return those of the first `count` rows whose texts are in these languages."""
        codes = [code for code, language in enumerate(self.known) if language in languages]
        return np.flatnonzero(np.isin(self.languages[:count], codes))

    def append(self, portion: embeddings.Portion, languages: Mapping[str, str]) -> None:
        for key in portion.keys:
            self.drop(key)  # it went and came back
        end = self.count + len(portion.ids)
        self.rows[self.count : end] = portion.vectors
        self.ids[self.count : end] = portion.ids
        self.languages[self.count : end] = [self._code(languages.get(key, "")) for key in portion.keys]
        self.keys.extend(portion.keys)
        self.row_of.update(zip(portion.keys, range(self.count, end), strict=True))
        self.count = end

    def drop(self, key: str) -> None:
        row = self.row_of.pop(key, None)
        if row is not None:
            self.keys[row] = ""

    def keep(self, ids: Sequence[int]) -> None:
        """Drop every row whose id is not among these."""
        gone = np.isin(self.ids[: self.count], np.asarray(ids, np.int64), invert=True)
        for row in np.flatnonzero(gone):
            self.drop(self.keys[row])

    def compacted(self) -> _Matrix:
        """Return a copy without the rows that are gone."""
        smaller = _Matrix(int(self.living * SPARE) + 1, self.rows.shape[1])
        smaller._take(self, np.asarray(sorted(self.row_of.values()), np.int64))
        return smaller

    def _code(self, language: str) -> int:
        if language not in self.known:
            self.known.append(language)
        return self.known.index(language)

    def _take(self, other: _Matrix, rows: NDArray[np.int64]) -> None:
        self.count = len(rows)
        self.rows[: self.count] = other.rows[rows]
        self.ids[: self.count] = other.ids[rows]
        self.languages[: self.count], self.known = other.languages[rows], list(other.known)
        self.keys = [other.keys[row] for row in rows]
        self.row_of = {key: row for row, key in enumerate(self.keys) if key}


def _column(query: Vectors) -> Vectors:
    flat: Vectors = query.reshape(-1).astype(np.float32, copy=False)
    return flat


def _best(
    cosines: Vectors, keys: Sequence[str] | _Picked, k: int, among: Set[str] | None = None
) -> list[tuple[str, float]]:
    """Return the k best of the rows that still have a key, one of `among` if that is given."""
    wanted = k
    while True:
        rows = range(len(cosines)) if wanted >= len(cosines) else _at_least(cosines, wanted)
        pairs = [(key, float(cosines[row])) for row in rows if (key := keys[row]) and (among is None or key in among)]
        if len(pairs) >= k or wanted >= len(cosines):
            return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[: max(k, 0)]
        wanted *= WIDER


def _at_least(cosines: Vectors, wanted: int) -> NDArray[np.int64]:
    """Return the rows of the so many largest, and of all that are equal to the last of them."""
    return np.flatnonzero(cosines >= np.partition(cosines, -wanted)[-wanted])
