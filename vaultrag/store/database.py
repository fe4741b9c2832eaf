"""One SQLite file: connections, transactions, migrations, and the one seam where its errors become ours.

Each thread has its own connection, opened when it first asks and closed with the thread: the server answers searches
in several threads, and WAL lets them read while one writes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from vaultrag.errors import DiskFull, IndexDamaged, IndexLocked, IndexMissing, IndexTooNew, StoreError
from vaultrag.store.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION, Migration, Reparse

Value: TypeAlias = "str | int | float | bytes | None"
Row: TypeAlias = tuple[Any, ...]
Decoded = TypeVar("Decoded")

BUSY_SECONDS = 10.0  # a writer's transaction is one note or one batch: far below this even on a slow disk
CHECKPOINT_PAGES = 4000  # 16 MB of log: a first index syncs a quarter as often as by SQLite's default
CACHE_KIB = 16_384  # the keyword index of some 10,000 notes stays in memory
SCHEMA_KEY = "schema"
BESIDE = ("-wal", "-shm")  # the names of SQLite's own files end so
SHARED_BYTES = 65_536  # of shared memory beside the log, for a log of usual size


class Access(StrEnum):
    """RESCUE reads what a file still yields whose schema is damaged in part."""

    READ = "read"
    WRITE = "write"
    RESCUE = "rescue"


def open_database(path: Path, access: Access = Access.WRITE) -> Database:
    """Open the index; for writing it is created or migrated when need be.

    Raises IndexMissing (only for reading), IndexTooNew, IndexDamaged, IndexLocked, DiskFull or StoreError.
    """
    if access is Access.READ:
        return _open_for_reading(path)
    with translated(path):
        _create_private_file(path)
    database = Database(path, access)
    _refuse_damaged(database)
    _refuse_newer(database)
    _create_or_migrate(database)
    return database


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
            raise _damaged(self.path, "a row of it is not what was written") from error

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


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except UnicodeDecodeError as error:  # in SQLite's own sentence about a damaged schema
        raise _damaged(path, "text in it is no UTF-8") from error
    except OSError as error:
        raise _translate_os(error, path) from error


def translate(error: sqlite3.Error, path: Path) -> StoreError:
    """Return our error for one of SQLite's; every one has a counterpart."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the low byte is the primary code
    if not code and str(error).startswith("Could not decode"):
        return _damaged(path, "text in it is no UTF-8")  # SQLite's own sentence would quote the note
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return _disk_full(path)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexLocked(
            f"Another process is writing to the index {path}.", "Wait until it is done, then run the command again."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT) or str(error).startswith(
        "no such "
    ):
        return _damaged(path, str(error))
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        if folder := next((place for place in _places(path) if place.is_dir()), None):
            return _in_the_way(folder)
        return StoreError(
            f"The index {path} cannot be read or written ({error}).",
            "See that the disk is sound and that this user may write to the folder.",
        )
    return StoreError(f"The index {path} refused an operation ({error}).", "Run `vaultrag check`, and report this.")


def _translate_os(error: OSError, path: Path) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _disk_full(path)
    if isinstance(error, IsADirectoryError) and error.filename:
        return _in_the_way(Path(error.filename))
    return StoreError(
        f"The index {path} cannot be read or written ({error.strerror}).",
        "See that the disk is sound and that this user may write to the folder.",
    )


def _places(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + suffix) for suffix in BESIDE)]


def _in_the_way(folder: Path) -> StoreError:
    return StoreError(
        f"{folder} is a folder, where a file belongs.", "Run `vaultrag repair`: it keeps the folder in another place."
    )


def _is_full(path: Path) -> bool:
    """Tell whether the disk has no room for what SQLite shares between processes: it calls that an I/O error."""
    try:
        return shutil.disk_usage(path.parent).free < SHARED_BYTES
    except OSError:
        return False


def _disk_full(path: Path) -> DiskFull:
    return DiskFull(
        f"There is no space left for {path}.", "Free some space, then run the command again: nothing is lost."
    )


def _damaged(path: Path, detail: str) -> IndexDamaged:
    return IndexDamaged(
        f"The index {path} is damaged ({detail}).", "Run `vaultrag repair`: the notes themselves are untouched."
    )


def _open_for_reading(path: Path) -> Database:
    if not path.is_file() or not path.stat().st_size:
        raise _missing(path)
    database = Database(path, Access.READ)
    _refuse_damaged(database)
    _refuse_newer(database)
    version = _version(database)
    if version == 0:
        database.close()
        raise _missing(path)
    if version < SCHEMA_VERSION:
        database.close()
        raise StoreError(f"The index {path} was written by an older VaultRAG.", "Run `vaultrag index` once.")
    return database


def _missing(path: Path) -> IndexMissing:
    return IndexMissing(f"Nothing has been indexed yet: {path} is not there.", "Run `vaultrag index` first.")


def states_its_schema(database: Database) -> bool:
    """Tell whether the tables, indexes and triggers are those that were created."""
    return database.meta(SCHEMA_KEY) == _statement_of_schema(database)


def _statement_of_schema(database: Database) -> str:
    """Return the version and the digest of everything that was created; SQLite itself has no checksums."""
    rows = database.rows(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 2"
    )
    return f"{_version(database)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"


def _refuse_damaged(database: Database) -> None:
    """Refuse a file whose header names another version than its tables: a flipped bit, not an older program."""
    try:
        if not database.value("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            return
        stated = database.meta(SCHEMA_KEY)
        if stated is not None and stated.split(" ")[0] != str(_version(database)):
            raise _damaged(database.path, "its header is not what was written")
    except StoreError:
        database.close()
        raise


def _refuse_newer(database: Database) -> None:
    version = _version(database)
    if version > SCHEMA_VERSION:
        database.close()
        raise IndexTooNew(
            f"The index {database.path} was written by a newer VaultRAG (schema {version}, known: {SCHEMA_VERSION}).",
            "Update VaultRAG, or name another home: --home DIR.",
        )


def _create_or_migrate(database: Database) -> None:
    if _version(database) == SCHEMA_VERSION:
        return
    with database.atomic():
        version = _version(database)  # another process may have been first
        steps = MIGRATIONS if version else (Migration(SCHEMA_VERSION, SCHEMA, Reparse.KEEP),)
        for step in steps:
            if step.to > version:
                _apply(database, step)
        database.set_meta(SCHEMA_KEY, _statement_of_schema(database))


def _apply(database: Database, step: Migration) -> None:
    for statement in split_statements(step.script):
        database.run(statement)
    if step.reparse is Reparse.ALL:
        database.run("UPDATE notes SET recipe = ''")
    database.run(f"PRAGMA user_version = {step.to:d}")


def split_statements(script: str) -> list[str]:
    """Split an SQL script: `executescript` would commit the transaction that we are in."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    return statements


def _version(database: Database) -> int:
    return int(database.value("PRAGMA user_version"))


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


def _create_private_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its -wal and -shm the same mode
