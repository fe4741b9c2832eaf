"""A damaged index file is set aside, and what of it cannot be had elsewhere, or only slowly, is taken over.

The new file is built beside the old one and takes its place by one rename; the old one is kept in `damaged/`.
Killed anywhere, doing it again ends the same.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vaultrag.domain import Progress
from vaultrag.errors import IndexDamaged, StoreError
from vaultrag.store.database import Access, Database, Row
from vaultrag.store.errors import BESIDE, translated
from vaultrag.store.integrity.check import check_file
from vaultrag.store.integrity.check_home import SET_ASIDE
from vaultrag.store.integrity.check_vectors import is_vector
from vaultrag.store.journal import Entry
from vaultrag.store.notes.note_rows import is_day
from vaultrag.store.opening import open_database
from vaultrag.store.pairs.judgements import JUDGEMENT, is_judgement, write_rows
from vaultrag.store.schema import FIRST_SEEN

NEW_SUFFIX = ".new"
ROWS = 500  # read at a time; a portion that cannot be read is halved until one row is lost
MOST_ROWS = 100_000_000  # where even the number of rows cannot be read


def file_fault(path: Path) -> str:
    """Return what is wrong with an index file as a whole, as a sentence; empty for a sound or a missing one.

    Raises IndexTooNew, and StoreError where the file cannot be read at all.
    """
    if not path.is_file() or not path.stat().st_size:
        return ""
    try:
        with open_database(path) as database:
            return next((finding.detail for finding in check_file(database)), "")
    except IndexDamaged as error:
        return error.message


def replace_file(path: Path, progress: Progress) -> tuple[Path, int]:
    """Build a new index file with embeddings and judgements that the old one still yields, in the old one's place.

    Returns where the old one lies now, and how many embeddings were taken over. Notes and records are the caller's.
    """
    kept = _set_aside(path)
    new = path.with_name(path.name + NEW_SUFFIX)
    _remove(new)
    try:
        with open_database(new) as database:
            saved = _take_embeddings(database, kept / path.name, progress)
            write_rows(database, readable_judgements(kept / path.name))
            database.checkpoint()
    except StoreError:
        _remove(new)
        raise
    with translated(path):
        for suffix in BESIDE:  # they belong to the old file, and lie beside it in the other folder
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        os.replace(new, path)
    return kept, saved


def clear_the_way(home: Path, paths: Iterable[Path]) -> list[Path]:
    """Set those folders aside that stand where a file of the home belongs; return where they lie now."""
    cleared = []
    for path in paths:
        if path.is_dir():
            with translated(path):
                cleared.append(_move_aside(home, path))
    return cleared


def _move_aside(home: Path, folder: Path) -> Path:
    for number in itertools.count(1):
        target = home / SET_ASIDE / f"folder-{number}" / folder.name
        if not target.parent.exists():
            break
    target.parent.mkdir(mode=0o700, parents=True)
    os.replace(folder, target)
    return target


def set_aside_files(home: Path, name: str) -> list[Path]:
    """Return the index files that were set aside, the latest first."""
    return sorted((home / SET_ASIDE).glob(f"*/{name}"), reverse=True)


def readable_records(path: Path) -> list[Entry]:
    """Return the records that a damaged file still yields, each as it was written."""
    rows: dict[tuple[object, ...], Row] = {}
    for order in ("kind, key", "kind DESC, key DESC"):  # from both ends, up to the damage
        for row in _until_damaged(path, f"SELECT kind, key, at, body, checksum FROM records ORDER BY {order}"):
            rows[row[:2]] = row
    return [entry for row in rows.values() if (entry := _entry(row)) is not None]


def readable_judgements(path: Path) -> list[Row]:
    """Return what judges made of pairs of claims, as far as a damaged file yields it: that costs hours to make anew."""
    rows: dict[tuple[object, ...], Row] = {}
    for order in ("one, other, judge", "one DESC, other DESC, judge DESC"):
        for row in _until_damaged(path, f"SELECT {', '.join(JUDGEMENT)} FROM judgements ORDER BY {order}"):
            rows[row[:3]] = row
    return [row for row in rows.values() if is_judgement(row)]


def first_days(path: Path) -> dict[str, str]:
    """Return by path the day that notes without a date were first seen, as far as a damaged file yields it."""
    query = f"SELECT path, date FROM notes WHERE date_source = '{FIRST_SEEN}' ORDER BY id"
    today = time.strftime("%Y-%m-%d")
    rows = [*_until_damaged(path, query), *_until_damaged(path, f"{query} DESC")]
    return {note: day for note, day in rows if isinstance(note, str) and is_day(day) and day <= today}


def _set_aside(path: Path) -> Path:
    """Put the file and its log into a folder of their own, where the names here still lead to them."""
    stamp = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(path.stat().st_mtime))  # the same for the same file
    folder = path.parent / SET_ASIDE / stamp
    with translated(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for suffix in ("", "-wal"):
            source, target = path.with_name(path.name + suffix), folder / (path.name + suffix)
            if source.exists() and not target.exists():
                _link_or_copy(source, target)
    return folder


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        part = target.with_name(target.name + ".part")
        shutil.copy2(source, part)
        os.replace(part, target)


def _remove(path: Path) -> None:
    with translated(path):
        for suffix in ("", *BESIDE):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _take_embeddings(database: Database, damaged: Path, progress: Progress) -> int:
    saved = 0
    for rows, done, total in _embedding_rows(damaged):
        sound = [row for row in rows if isinstance(row[0], str) and isinstance(row[1], str) and is_vector(row[2])]
        with database.atomic():
            database.run_many(
                "INSERT OR IGNORE INTO embeddings (text_hash, fingerprint, vector, checksum) VALUES (?, ?, ?, ?)",
                sound,
            )
        saved += len(sound)
        progress("salvage", done, total)
    return saved


def _embedding_rows(damaged: Path) -> Iterator[tuple[list[Row], int, int]]:
    """Yield portions of the embeddings whose checksums are right, how far that is, and how far it goes."""
    with contextlib.closing(Database(damaged, Access.RESCUE)) as database:
        last = _highest_id(database)
        for first in range(1, last + 1, ROWS):
            yield list(_readable(database, first, min(first + ROWS - 1, last))), first, last


def _highest_id(database: Database) -> int:
    for query in ("SELECT max(id) FROM embeddings", "SELECT seq FROM sqlite_sequence WHERE name = 'embeddings'"):
        with contextlib.suppress(StoreError):
            found = database.value(query)
            if isinstance(found, int) and 0 < found < MOST_ROWS:
                return found
    return 0


def _readable(database: Database, first: int, last: int) -> Iterator[Row]:
    try:
        yield from database.rows(
            "SELECT text_hash, fingerprint, vector, checksum FROM embeddings"
            " WHERE id BETWEEN ? AND ? AND checksum = crc32(vector)",
            (first, last),
        )
    except StoreError:
        if first < last:
            middle = (first + last) // 2
            yield from _readable(database, first, middle)
            yield from _readable(database, middle + 1, last)


def _until_damaged(path: Path, query: str) -> Iterable[Row]:
    """Return the rows of a query up to the first that cannot be read."""
    with contextlib.closing(Database(path, Access.RESCUE)) as database:
        return database.readable_rows(query)


def _entry(row: Sequence[object]) -> Entry | None:
    kind, key, at, body, checksum = row
    if not (isinstance(kind, str) and isinstance(key, str) and isinstance(at, int) and isinstance(body, str | None)):
        return None
    entry = Entry(kind, key, at, body)
    return entry if entry.checksum == checksum else None
