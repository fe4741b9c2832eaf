"""What a model has read, kept on disk: the same passages need no second reading, also after a restart.

A state holds note text in clear. The folder is private like the index, and is dropped whole on `forget`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from vaultrag.runtime.llama.slot import Slot, common_prefix

SUFFIX = ".state"
HEAD = struct.Struct("<III")  # magic, version and number of tokens of llama.cpp's file
MOST_TOKENS = 1_000_000  # a head that says more is damaged
READ_BYTES = 1 << 20


class PromptCache:
    """The states of one model under one way of running it. `key` names both; `most_bytes` bounds the whole folder."""

    def __init__(self, folder: Path, key: str, most_bytes: int) -> None:
        self._root = folder
        self._folder = folder / hashlib.sha256(key.encode()).hexdigest()[:16]
        self._most_bytes = most_bytes

    def fetch(self, slot: Slot, ids: Sequence[int]) -> None:
        """Put the state that shares most with these ids into the slot, where it shares more than the slot's own."""
        best, shared = None, slot.reusable(ids)
        for path in self._paths(self._folder):
            kept = _tokens(path)
            common = common_prefix(kept, ids[:-1]) // slot.batch * slot.batch
            if common > shared and (slot.has_past or common == len(kept)):
                best, shared = path, common
        if best is not None and not self._load(slot, best):
            with contextlib.suppress(OSError):
                best.unlink()

    def keep(self, slot: Slot) -> None:
        """Write the slot's state, unless it is there or too large. What cannot be written is left."""
        size = slot.snapshot_bytes()
        if not slot.ids or size * 2 > self._most_bytes:
            return
        name = hashlib.sha256(struct.pack(f"<{len(slot.ids)}i", *slot.ids)).hexdigest()[:32]
        if any(path.name.startswith(name) for path in self._paths(self._folder)):
            return
        draft = self._folder / f"{name}.part"
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(size)
            os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
            written = slot.save(os.fsencode(draft))
            if written and draft.stat().st_size == written:  # its end may have found no room
                os.replace(draft, self._folder / f"{name}-{_checksum(draft):08x}{SUFFIX}")
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)

    def _load(self, slot: Slot, path: Path) -> bool:
        try:
            if f"{_checksum(path):08x}" != path.stem.rpartition("-")[2]:
                return False  # a damaged state would load, and make the model talk nonsense
            os.utime(path)
        except OSError:
            return False
        return slot.load(os.fsencode(path), len(_tokens(path)))

    def _make_room(self, size: int) -> None:
        """Remove the states that were not used for longest."""
        found = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in self._root.rglob(f"*{SUFFIX}"))
        excess = sum(taken for _, taken, _ in found) + size - self._most_bytes
        for _, taken, path in found:
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= taken

    def _paths(self, folder: Path) -> list[Path]:
        return sorted(folder.glob(f"*{SUFFIX}"))


def _tokens(path: Path) -> list[int]:
    """Return the tokens of a state; none when the file is gone or damaged."""
    try:
        with path.open("rb") as file:
            _, _, count = HEAD.unpack(file.read(HEAD.size))
            data = file.read(4 * count) if count <= MOST_TOKENS else b""
            return list(struct.unpack(f"<{count}i", data))
    except (OSError, struct.error):
        return []


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            checksum = zlib.crc32(data, checksum)
    return checksum
