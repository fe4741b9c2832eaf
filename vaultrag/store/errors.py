"""The one seam where errors of SQLite and of the file system become ours."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from vaultrag.errors import DiskFull, IndexDamaged, IndexLocked, StoreError, is_disk_full

BESIDE = ("-wal", "-shm")  # the names of SQLite's own files end so
SHARED_BYTES = 65_536  # of shared memory beside the log, for a log of usual size


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into ours."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise translate(error, path) from error
    except UnicodeDecodeError as error:  # in SQLite's own sentence about a damaged schema
        raise damaged(path, "text in it is no UTF-8") from error
    except OSError as error:
        raise _translate_os(error, path) from error


def translate(error: sqlite3.Error | sqlite3.Warning, path: Path) -> StoreError:
    """Return our error for one of SQLite's; every one has a counterpart."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the low byte is the primary code
    if not code and str(error).startswith("Could not decode"):
        return damaged(path, "text in it is no UTF-8")  # SQLite's own sentence would quote the note
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return _disk_full(path)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexLocked(
            f"Another process is writing to the index {path}.", "Wait until it is done, then run the command again."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT) or str(error).startswith(
        "no such "
    ):
        return damaged(path, str(error))
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        if folder := next((place for place in _places(path) if place.is_dir()), None):
            return _in_the_way(folder)
        return StoreError(
            f"The index {path} cannot be read or written ({error}).",
            "See that the disk is sound and that this user may write to the folder.",
        )
    return StoreError(f"The index {path} refused an operation ({error}).", "Run `vaultrag check`, and report this.")


def damaged(path: Path, detail: str) -> IndexDamaged:
    return IndexDamaged(
        f"The index {path} is damaged ({detail}).", "Run `vaultrag repair`: the notes themselves are untouched."
    )


def _translate_os(error: OSError, path: Path) -> StoreError:
    if is_disk_full(error):
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
