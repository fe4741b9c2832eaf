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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vaultrag.child import Child, ChildDied, ChildFailed, Frame
from vaultrag.domain import Vectors

WORKER = "vaultrag.store.vectors.chroma_worker"
POINTER = "current"
STAMP = "stamp.json"
GENERATION = re.compile(r"gen-(\d{1,9})")
OPEN_SECONDS = 120.0  # imports 1.5 s of modules, from a cold disk many times that
SEARCH_SECONDS = 20.0  # a first query reads the whole graph: 1 s for 100,000 vectors
WRITE_SECONDS = 300.0
KEYS_PER_REQUEST = 2000  # Chroma refuses more than 5,461
BLOAT_BYTES_PER_KEY = 4096  # the link list needs some 200; torn files have grown to terabytes
BLOAT_FLOOR = 64 * 1024 * 1024
BYTES_PER_NUMBER = 14  # of a vector on disk: 473 MB for 100,000 of 384 numbers, in SQLite's file and in the graph's
BYTES_PER_KEY = 512
FREE_FLOOR = 64 * 1024 * 1024  # left to the rest of the machine
SQLITE_TEMPORARY = "etilqs_"  # what a killed process leaves where the system does not remove it
MISSING = "its folder is missing"


class ChromaUnavailable(Exception):
    """Chroma cannot answer. The text is half a sentence that tells why."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a generation was built by and for; another version or embedder makes it useless."""

    chromadb: str
    fingerprint: str
    dimension: int


class Collection:
    """One generation's folder and the process that holds it. Any failure raises ChromaUnavailable."""

    def __init__(self, folder: Path, dimension: int, worker: str = WORKER) -> None:
        self.folder = folder
        self.dimension = dimension
        self._child = Child("the vector index", worker, _temporary_in(folder.parent))

    def create(self) -> None:
        self.folder.mkdir(mode=0o700)
        self._call("open", OPEN_SECONDS, {"create": True})

    def open(self) -> int:
        """Open, count and query, which is what a damaged folder fails at; return how many keys it holds."""
        count = int(self._call("open", OPEN_SECONDS, {})["count"])
        self.refuse_bloat(count)
        return count

    def refuse_bloat(self, count: int) -> None:
        """Raise ChromaUnavailable when files are far larger than so many keys need."""
        if _link_list_bytes(self.folder) > BLOAT_FLOOR + BLOAT_BYTES_PER_KEY * count:
            raise ChromaUnavailable("its files have grown out of all proportion")

    def pages(self) -> Iterator[list[str]]:
        """Yield all keys, page by page."""
        offset = 0
        while page := self._call("keys", WRITE_SECONDS, _page(offset))["keys"]:
            offset += len(page)
            yield page

    def stored(self) -> Iterator[tuple[list[str], Vectors]]:
        """Yield all keys with their vectors, page by page."""
        offset = 0
        while (page := self._reply("vectors", WRITE_SECONDS, _page(offset))).body["keys"]:
            keys = page.body["keys"]
            offset += len(keys)
            yield keys, np.frombuffer(page.payload, "<f4").reshape(len(keys), -1)

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first."""
        found = self._call("search", SEARCH_SECONDS, {"k": k}, _bytes(query))
        pairs = [(key, 1.0 - distance) for key, distance in zip(found["keys"], found["distances"], strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def add(self, keys: Sequence[str], vectors: Vectors) -> None:
        """Add keys; one that is already there stays as it is."""
        for start in range(0, len(keys), KEYS_PER_REQUEST):
            end = start + KEYS_PER_REQUEST
            self._call("add", WRITE_SECONDS, {"keys": list(keys[start:end])}, _bytes(vectors[start:end]))

    def delete(self, keys: Sequence[str]) -> None:
        """Delete keys; one that is not there is no error."""
        for start in range(0, len(keys), KEYS_PER_REQUEST):
            self._call("delete", WRITE_SECONDS, {"keys": list(keys[start : start + KEYS_PER_REQUEST])})

    def close(self) -> None:
        self._child.close()

    @property
    def pid(self) -> int | None:
        """The process that holds Chroma, while it runs."""
        return self._child.pid

    def _call(self, method: str, seconds: float, body: Mapping[str, Any], payload: bytes = b"") -> dict[str, Any]:
        return self._reply(method, seconds, body, payload).body

    def _reply(self, method: str, seconds: float, body: Mapping[str, Any], payload: bytes = b"") -> Frame:
        if not self.folder.is_dir():
            raise ChromaUnavailable(MISSING)
        request = {"folder": str(self.folder), "dimension": self.dimension, **body}
        try:
            return self._child.call(method, request, seconds, payload)
        except ChildDied as error:
            raise ChromaUnavailable(error.cause) from error
        except ChildFailed as error:
            raise ChromaUnavailable(f"Chroma reported {error.kind}") from error


class ChromaIndex:
    """The generations in `root`, one of which is current. Nothing here is worth repairing: a new one is built."""

    def __init__(self, root: Path, fingerprint: str, dimension: int) -> None:
        self.root = root
        self.stamp = Stamp(_installed_version(), fingerprint, dimension)
        self._held: Collection | None = None

    def open(self) -> int:
        """Probe the current generation and hold it from now on; return how many keys it has."""
        self.close()
        generation = self.current()
        if _read_stamp(generation) != self.stamp:
            raise ChromaUnavailable("it was built by another version or for another embedder")
        held = self._held = Collection(generation, self.stamp.dimension)
        return held.open()

    def current(self) -> Path:
        """Return the folder of the current generation."""
        try:
            name = (self.root / POINTER).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ChromaUnavailable(MISSING) from error
        generation = self.root / name
        if not GENERATION.fullmatch(name) or not generation.is_dir():
            raise ChromaUnavailable(MISSING)
        return generation

    def pages(self) -> Iterator[list[str]]:
        """Yield all keys, page by page."""
        return self._opened().pages()

    def stored(self) -> Iterator[tuple[list[str], Vectors]]:
        """Yield all keys with their vectors, page by page."""
        return self._opened().stored()

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k pairs (embedding key, cosine), best first."""
        return self._opened().search(query, k)

    def add(self, keys: Sequence[str], vectors: Vectors) -> None:
        """Add keys; one that is already there stays as it is."""
        self._opened().add(keys, vectors)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete keys; one that is not there is no error."""
        self._opened().delete(keys)

    def beside(self, fingerprint: str, dimension: int) -> ChromaIndex:
        """Return the same place for another embedder's generations."""
        return ChromaIndex(self.root, fingerprint, dimension)

    def begin(self, expected: int) -> Collection:
        """Create an empty generation beside the current one, for about `expected` keys."""
        if not self.root.is_dir():
            self.root.unlink(missing_ok=True)  # a file, or a link to nowhere, under the name that is ours
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.remove_others()
        needed = expected * (BYTES_PER_KEY + BYTES_PER_NUMBER * self.stamp.dimension)
        if shutil.disk_usage(self.root).free < needed + FREE_FLOOR:
            raise ChromaUnavailable(f"its disk lacks the {needed + FREE_FLOOR >> 20} MB that building it takes")
        built = Collection(self.root / f"gen-{self._highest() + 1}", self.stamp.dimension)
        built.create()
        return built

    def prove(self, built: Collection) -> int:
        """Write a finished generation to the disk and open it in a new process; return how many keys that finds."""
        built.close()
        _write_durably(built.folder / STAMP, json.dumps(asdict(self.stamp)))
        _sync_tree(built.folder)
        return built.open()

    def publish(self, proven: Collection) -> None:
        """Make a generation current by one rename. The one before stays until `remove_others`."""
        _write_durably(self.root / POINTER, proven.folder.name)
        self.close()
        self._held = proven

    def remove_others(self) -> None:
        """Remove every generation but the current one: earlier ones, and what an interrupted build left."""
        with contextlib.suppress(OSError):
            name = (self.root / POINTER).read_text(encoding="ascii", errors="replace").strip()
            for path in self.root.iterdir():
                if GENERATION.fullmatch(path.name) and path.name != name:
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name.startswith(SQLITE_TEMPORARY):
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    @property
    def pid(self) -> int | None:
        """The process that holds Chroma, while it runs."""
        return self._held.pid if self._held is not None else None

    def _opened(self) -> Collection:
        if self._held is None:
            raise ChromaUnavailable("it is not open")
        return self._held

    def _highest(self) -> int:
        numbers = [int(found[1]) for path in self.root.iterdir() if (found := GENERATION.fullmatch(path.name))]
        return max(numbers, default=0)


def _temporary_in(folder: Path) -> dict[str, str]:
    """Return what keeps temporary files, SQLite's among them, out of the folder that all users share."""
    return dict.fromkeys(("SQLITE_TMPDIR", "TMPDIR", "TMP", "TEMP"), str(folder))


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


def _page(offset: int) -> dict[str, int]:
    return {"limit": KEYS_PER_REQUEST, "offset": offset}


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
