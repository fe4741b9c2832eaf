"""One SQLite file: connections, statements and transactions. `opening.py` opens one, and creates or migrates it.

Each thread has its own connection, opened when it first asks and closed with the thread: the server answers searches
in several threads, and WAL lets them read while one writes.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from vaultrag.errors import StoreError
from vaultrag.store.errors import damaged, translated

Value: TypeAlias = "str | int | float | bytes | None"
Row: TypeAlias = tuple[Any, ...]
Decoded = TypeVar("Decoded")

BUSY_SECONDS = 10.0  # a writer's transaction is one note or one batch: far below this even on a slow disk
CHECKPOINT_PAGES = 4000  # 16 MB of log: a first index syncs a quarter as often as by SQLite's default
CACHE_KIB = 16_384  # the keyword index of some 10,000 notes stays in memory


class Access(StrEnum):
    """RESCUE reads what a file still yields whose schema is damaged in part."""

    READ = "read"
    WRITE = "write"
    RESCUE = "rescue"


class Database:
    """An open index. Rows are plain tuples; every write belongs inside `atomic()`."""

    def __init__(self, path: Path, access: Access) -> None:
        self.path = path
        self.access = access
        self._local = threading.local()
        self._opened: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._guard = threading.Lock()

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return all rows of a query."""
        with translated(self.path):
            found: list[Row] = self._held().connection.execute(sql, parameters).fetchall()
            return found

    def decoded(self, rows: Iterable[Row], decode: Callable[[Row], Decoded]) -> list[Decoded]:
        """Make values of rows. Raises IndexDamaged for what no row of ours can hold."""
        try:
            return [decode(row) for row in rows]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise damaged(self.path, "a row of it is not what was written") from error

    def meta_number(self, key: str) -> int:
        """Return a number that is kept under a key, 0 where there is none. Raises IndexDamaged."""
        return sum(self.decoded([(self.meta(key) or 0,)], lambda row: int(row[0])))

    def readable_rows(self, sql: str) -> list[Row]:
        """Return the rows of a query up to the first that cannot be read, of a damaged file."""
        found: list[Row] = []
        with contextlib.suppress(StoreError), translated(self.path):
            found.extend(self._held().connection.execute(sql))  # what came before an error stays in the list
        return found

    def checkpoint(self) -> bool:
        """Bring everything from the log into the file itself; return whether nobody's reading kept some of it."""
        busy, _, _ = self.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        return not busy

    def value(self, sql: str, parameters: Sequence[Value] = ()) -> Any:
        """Return the first column of the first row; None when there is no row."""
        found = self.rows(sql, parameters)
        return found[0][0] if found else None

    def column(self, sql: str, parameters: Sequence[Value] = ()) -> list[Any]:
        """Return the first column of every row."""
        return [row[0] for row in self.rows(sql, parameters)]

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one writing statement; return the row id of the last row inserted."""
        with translated(self.path):
            return self._held().connection.execute(sql, parameters).lastrowid or 0

    def run_many(self, sql: str, parameters: Iterable[Sequence[Value]]) -> None:
        """Run one writing statement for each row of parameters."""
        with translated(self.path):
            self._held().connection.executemany(sql, parameters)

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """Everything inside is written, or nothing. Nests: an inner block can fail and be caught on its own."""
        held = self._held()
        name = f"level{held.depth}"
        self.run("BEGIN IMMEDIATE" if held.depth == 0 else f"SAVEPOINT {name}")
        held.depth += 1
        try:
            yield
        except BaseException:
            held.depth -= 1
            self._undo(held, name)
            raise
        held.depth -= 1
        if held.depth:
            self.run(f"RELEASE {name}")
            return
        try:
            self.run("COMMIT")
        except StoreError:
            self._undo(held, name)
            raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Every read inside sees the same state, whatever others write meanwhile."""
        held = self._held()
        if held.depth:
            yield
            return
        self.run("BEGIN")
        held.depth += 1
        try:
            yield
        finally:
            held.depth -= 1
            self._undo(held, "level0")

    def meta(self, key: str) -> str | None:
        found: str | None = self.value("SELECT value FROM meta WHERE key = ?", (key,))
        return found

    def set_meta(self, key: str, value: str) -> None:
        self.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def clear_meta(self, key: str) -> None:
        self.run("DELETE FROM meta WHERE key = ?", (key,))

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for held in list(self._opened):
                held.close()
            self._opened.clear()
        self._local = threading.local()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _held(self) -> _Held:
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            with translated(self.path):
                held = _Held(_connect(self.path, self.access))
            self._local.held = held
            with self._guard:
                self._opened.add(held)
        return held

    def _undo(self, held: _Held, name: str) -> None:
        if not held.connection.in_transaction:
            return  # SQLite has rolled back by itself, as it does when the disk is full
        with contextlib.suppress(sqlite3.Error):
            if held.depth:
                held.connection.execute(f"ROLLBACK TO {name}")
                held.connection.execute(f"RELEASE {name}")
            else:
                held.connection.execute("ROLLBACK")


class _Held:
    """A thread's connection and how deep its transactions are nested."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.depth = 0

    def close(self) -> None:
        self.connection.close()

    def __del__(self) -> None:
        self.connection.close()  # the thread has ended


def _connect(path: Path, access: Access) -> sqlite3.Connection:
    # isolation_level None: transactions begin and end only where `atomic` says so.
    uri = f"{path.absolute().as_uri()}?mode={'rw' if access is Access.WRITE else 'ro'}{_unchanging(path, access)}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if access is Access.WRITE:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            connection.execute("PRAGMA secure_delete = ON")  # as most builds of SQLite have it anyway
        if access is Access.RESCUE:
            _overlook_damage(connection)
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.create_function("crc32", 1, _crc32, deterministic=True)
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    return connection


def _overlook_damage(connection: sqlite3.Connection) -> None:
    """Have SQLite load those tables whose definition is whole: so it does while the schema counts as writable."""
    connection.execute("PRAGMA writable_schema = ON")
    with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # the first statement fails all the same


def _crc32(value: Value) -> int:
    """Return a checksum of a blob; what is none, in a damaged file, has a checksum that no blob has."""
    return zlib.crc32(value) if isinstance(value, bytes) else -1


def _unchanging(path: Path, access: Access) -> str:
    """Let SQLite read a file without a log in a folder where it may write nothing, not even its shared memory."""
    log = path.with_name(f"{path.name}-wal")
    if access is Access.WRITE or os.access(path.parent, os.W_OK) or (log.exists() and log.stat().st_size):
        return ""
    return "&immutable=1"
