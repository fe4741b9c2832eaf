"""Chroma as seen from outside its process: generations of folders, a pointer to the current one, requests to the child.

A generation is only added to and deleted from. A new one is built beside it and becomes current by one rename.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vaultrag.child import Child, ChildDied, ChildFailed, Frame
from vaultrag.domain import Vectors

POINTER = "current"
STAMP = "stamp.json"
GENERATION = re.compile(r"gen-(\d{1,9})")
OPEN_SECONDS = 120.0  # imports 1.5 s of modules, from a cold disk many times that
SEARCH_SECONDS = 20.0  # a first query reads the whole graph: 1 s for 100,000 vectors
WRITE_SECONDS = 300.0
KEYS_PER_REQUEST = 2000  # Chroma refuses more than 5,461
BLOAT_BYTES_PER_KEY = 4096  # the link list needs some 200; torn files have grown to terabytes
BLOAT_FLOOR = 64 * 1024 * 1024


class ChromaUnavailable(Exception):
    """Chroma cannot answer. The text is half a sentence that tells why."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a generation was built by and for; another version or embedder makes it useless."""

    chromadb: str
    fingerprint: str
    dimension: int


class ChromaIndex:
    """The current generation in `root`. Any failure raises ChromaUnavailable; nothing here is worth repairing."""

    def __init__(self, root: Path, fingerprint: str, dimension: int) -> None:
        self.root = root
        self.stamp = Stamp(_installed_version(), fingerprint, dimension)
        self._child = Child("the vector index", "vaultrag.store.chroma_child")

    def open(self) -> int:
        """Probe the current generation in the child; return how many keys it holds."""
        generation = self.current()
        if _read_stamp(generation) != self.stamp:
            raise ChromaUnavailable("it was built by another version or for another embedder")
        count = int(self._call("open", generation, OPEN_SECONDS)["count"])
        if _link_list_bytes(generation) > BLOAT_FLOOR + BLOAT_BYTES_PER_KEY * count:
            raise ChromaUnavailable("its files have grown out of all proportion")
        return count

    def current(self) -> Path:
        """Return the folder of the current generation."""
        try:
            name = (self.root / POINTER).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ChromaUnavailable("its folder is missing") from error
        generation = self.root / name
        if not GENERATION.fullmatch(name) or not generation.is_dir():
            raise ChromaUnavailable("its folder is missing")
        return generation

    def count(self) -> int:
        return int(self._call("count", self.current(), SEARCH_SECONDS)["count"])

    def pages(self) -> Iterator[list[str]]:
        """Yield all keys, page by page."""
        offset = 0
        generation = self.current()
        while True:
            page = self._call("keys", generation, WRITE_SECONDS, limit=KEYS_PER_REQUEST, offset=offset)["keys"]
            if not page:
                return
            offset += len(page)
            yield page

    def stored(self) -> Iterator[tuple[list[str], Vectors]]:
        """Yield all keys with their vectors, page by page."""
        offset = 0
        generation = self.current()
        while True:
            page = self._reply("vectors", generation, WRITE_SECONDS, limit=KEYS_PER_REQUEST, offset=offset)
            keys = page.body["keys"]
            if not keys:
                return
            offset += len(keys)
            yield keys, np.frombuffer(page.payload, "<f4").reshape(len(keys), -1)

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first."""
        found = self._call("search", self.current(), SEARCH_SECONDS, _bytes(query), k=k)
        pairs = [(key, 1.0 - distance) for key, distance in zip(found["keys"], found["distances"], strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def add(self, keys: Sequence[str], vectors: Vectors) -> None:
        """Add keys; one that is already there stays as it is."""
        self._add(self.current(), keys, vectors)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete keys; one that is not there is no error."""
        generation = self.current()
        for start in range(0, len(keys), KEYS_PER_REQUEST):
            self._call("delete", generation, WRITE_SECONDS, keys=list(keys[start : start + KEYS_PER_REQUEST]))

    def rebuild(self, portions: Iterable[tuple[Sequence[str], Vectors]], done: Callable[[int], None]) -> None:
        """Build a new generation, switch to it by one rename, and remove every other one."""
        self._child.close()  # the old generation may have damaged it
        if not self.root.is_dir():
            self.root.unlink(missing_ok=True)  # a file, or a link to nowhere, under the name that is ours
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        generation = self.root / f"gen-{self._highest() + 1}"
        generation.mkdir(mode=0o700)
        self._call("open", generation, OPEN_SECONDS, create=True)
        total = 0
        for keys, vectors in portions:
            self._add(generation, keys, vectors)
            total += len(keys)
            done(total)
        _write_durably(generation / STAMP, json.dumps(asdict(self.stamp)))
        _sync_tree(generation)
        _write_durably(self.root / POINTER, generation.name)
        self._remove_all_but(generation)

    def close(self) -> None:
        self._child.close()

    @property
    def pid(self) -> int | None:
        """The process that holds Chroma, while it runs."""
        return self._child.pid

    def _add(self, generation: Path, keys: Sequence[str], vectors: Vectors) -> None:
        for start in range(0, len(keys), KEYS_PER_REQUEST):
            end = start + KEYS_PER_REQUEST
            self._call("add", generation, WRITE_SECONDS, _bytes(vectors[start:end]), keys=list(keys[start:end]))

    def _call(self, method: str, folder: Path, seconds: float, payload: bytes = b"", **body: Any) -> dict[str, Any]:
        return self._reply(method, folder, seconds, payload, **body).body

    def _reply(self, method: str, folder: Path, seconds: float, payload: bytes = b"", **body: Any) -> Frame:
        request = {"folder": str(folder), "dimension": self.stamp.dimension, **body}
        try:
            return self._child.call(method, request, seconds, payload)
        except ChildDied as error:
            raise ChromaUnavailable(error.cause) from error
        except ChildFailed as error:
            raise ChromaUnavailable(f"Chroma reported {error.kind}") from error

    def _highest(self) -> int:
        numbers = [int(found[1]) for path in self.root.iterdir() if (found := GENERATION.fullmatch(path.name))]
        return max(numbers, default=0)

    def _remove_all_but(self, generation: Path) -> None:
        for path in self.root.iterdir():
            if GENERATION.fullmatch(path.name) and path != generation:
                shutil.rmtree(path, ignore_errors=True)


def _installed_version() -> str:
    try:
        return importlib.metadata.version("chromadb")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _read_stamp(generation: Path) -> Stamp | None:
    try:
        return Stamp(**json.loads((generation / STAMP).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _link_list_bytes(generation: Path) -> int:
    return sum(path.stat().st_size for path in generation.glob("*/link_lists.bin"))


def _bytes(vectors: Vectors) -> bytes:
    return np.ascontiguousarray(vectors, dtype="<f4").tobytes()


def _write_durably(path: Path, text: str) -> None:
    """Replace a small file so that after a power cut it is the old one or the new one."""
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    _sync(path.parent)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows opens no folders
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
