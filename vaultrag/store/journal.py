"""The journal: what cannot be rebuilt, a checksummed line for each change, on the disk before the change counts.

A line is `{"v":1,"sum":"…","op":{"kind":…,"key":…,"at":…,"body":…}}`. `sum` is taken over the version and the bytes of
`op`; `body` null says that the record is deleted. A line without its end was never acknowledged and is dropped.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vaultrag.domain import encodable
from vaultrag.errors import IndexTooNew
from vaultrag.store.errors import translated

VERSION = 1
LATEST = 2**63 - 1  # what a column of SQLite holds
SUM_LENGTH = 16  # hexadecimal digits, 64 bits: against accidents, not against people
_LINE = re.compile(rb'\{"v":(\d{1,4}),"sum":"([0-9a-f]{16})","op":(\{.*\})\}')


@dataclass(frozen=True)
class Entry:
    """A record as it was at one time. `at` is in microseconds and grows with every change of the record.

    `body` is a JSON object as `as_body` writes it; None deletes the record.
    """

    kind: str
    key: str
    at: int
    body: str | None

    @cached_property
    def operation(self) -> bytes:
        """Return the part of the line that the checksum is taken over."""
        head = json.dumps({"kind": self.kind, "key": self.key, "at": self.at}, ensure_ascii=False)
        return f'{head[:-1]}, "body": {self.body or "null"}}}'.encode()

    @cached_property
    def checksum(self) -> str:
        return _checksum(VERSION, self.operation)

    @property
    def rank(self) -> tuple[int, str]:
        """Of two changes of one record the higher one counts, in whatever order they are met."""
        return self.at, self.checksum


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal holds. `damaged` are the numbers of lines that are not what was written, from 1."""

    entries: tuple[Entry, ...]
    damaged: tuple[int, ...]
    size: int


def as_body(values: Mapping[str, Any]) -> str:
    """Return an object as the one JSON text that stands for it; half a surrogate pair becomes `?`."""
    return encodable(json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


class Journal:
    """One journal file. Whoever writes holds the write lock of the index, so that no two do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self) -> int:
        with translated(self.path):
            try:
                return self.path.stat().st_size
            except FileNotFoundError:
                return 0

    def read(self) -> Reading:
        """Return every entry in order; damaged lines are skipped and named. Raises IndexTooNew and StoreError."""
        with translated(self.path):
            try:
                content = self.path.read_bytes()
            except FileNotFoundError:
                content = b""
        return parse_lines(content, str(self.path))

    def append(self, entries: Iterable[Entry]) -> int:
        """Write entries at the end; they are on the disk when this returns. Returns the new size."""
        lines = as_lines(entries)
        with translated(self.path):
            descriptor, is_new = _open(self.path)
            try:
                start = _sound_end(descriptor)
                try:
                    _write(descriptor, start, lines)
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, start)  # nothing of it was acknowledged
                    raise
            finally:
                os.close(descriptor)
            if is_new:
                _sync_folder(self.path.parent)
            return start + len(lines)

    def drop_last(self, entry: Entry) -> bool:
        """Cut off this entry, which nobody counts, where it is the last one; return whether it was."""
        with translated(self.path):
            lines, content = as_lines([entry]), self.path.read_bytes()
            if not content.endswith(lines):
                return False
            os.truncate(self.path, len(content) - len(lines))
            return True

    def rewrite(self, entries: Iterable[Entry]) -> int:
        """Replace the journal by these entries, at once. Returns the new size."""
        lines = as_lines(entries)
        new = self.path.with_name(f"{self.path.name}.new")
        with translated(self.path):
            new.unlink(missing_ok=True)
            descriptor, _ = _open(new)
            try:
                _write(descriptor, 0, lines)
                os.fsync(descriptor)
            except OSError:
                new.unlink(missing_ok=True)
                raise
            finally:
                os.close(descriptor)
            os.replace(new, self.path)
            _sync_folder(self.path.parent)
        return len(lines)


def as_lines(entries: Iterable[Entry]) -> bytes:
    """Return entries as the lines of a journal."""
    return b"".join(
        b'{"v":%d,"sum":"%s","op":%s}\n' % (VERSION, entry.checksum.encode(), entry.operation) for entry in entries
    )


def parse_lines(content: bytes, source: str) -> Reading:
    """Read the lines of a journal. Raises IndexTooNew for a sound line of a newer version."""
    entries: list[Entry] = []
    damaged: list[int] = []
    *lines, torn = content.split(b"\n")
    for number, line in enumerate([*lines, torn] if parse_line(torn, source) else lines, start=1):
        entry = parse_line(line, source)
        if entry is not None:
            entries.append(entry)
        elif line:
            damaged.append(number)
    return Reading(tuple(entries), tuple(damaged), len(content))


def parse_line(line: bytes, source: str) -> Entry | None:
    """Read one line; None where it is not what was written. Raises IndexTooNew."""
    found = _LINE.fullmatch(line)
    if not found or _checksum(int(found[1]), found[3]) != found[2].decode():
        return None
    if int(found[1]) > VERSION:
        raise IndexTooNew(f"{source} was written by a newer VaultRAG.", "Update VaultRAG.")
    return _entry(found[3])


def _entry(operation: bytes) -> Entry | None:
    """Read what a line says; None for what we never write, as a stranger's file may hold it."""
    try:
        values = json.loads(operation)
        kind, key, at, body = values["kind"], values["key"], values["at"], values["body"]
        entry = Entry(kind, key, at, None if body is None else as_body(body))
        sound = isinstance(kind, str) and isinstance(key, str) and type(at) is int and 0 <= at <= LATEST
        return entry if sound and isinstance(body, dict | None) and entry.checksum else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _checksum(version: int, operation: bytes) -> str:
    return hashlib.sha256(b"%d " % version + operation).hexdigest()[:SUM_LENGTH]


def _open(path: Path) -> tuple[int, bool]:
    is_new = not path.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600), is_new


def _sound_end(descriptor: int) -> int:
    """Cut off a last line that was never finished; return where the next one begins."""
    size = os.fstat(descriptor).st_size
    if not size or _read(descriptor, size - 1, 1) == b"\n":
        return size
    content = _read(descriptor, 0, size)
    start = content.rfind(b"\n") + 1
    if parse_line(content[start:], "The journal"):
        _write(descriptor, size, b"\n")  # whole but for its end: a reader counts it already
        return size + 1
    os.ftruncate(descriptor, start)
    return start


def _read(descriptor: int, start: int, length: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, length)


def _write(descriptor: int, start: int, lines: bytes) -> None:
    os.lseek(descriptor, start, os.SEEK_SET)
    while lines:
        lines = lines[os.write(descriptor, lines) :]


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def latest(entries: Sequence[Entry]) -> dict[tuple[str, str], Entry]:
    """Return what each record is in the end."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        standing = found.get((entry.kind, entry.key))
        if standing is None or entry.rank > standing.rank:
            found[entry.kind, entry.key] = entry
    return found
