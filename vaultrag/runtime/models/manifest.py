"""The manifest in a model's folder: which files were installed, and their checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class ManifestFile:
    name: str
    bytes: int
    sha256: str

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was installed. `origin` says from where; another origin in the catalogue means another model."""

    origin: str
    files: tuple[ManifestFile, ...]

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@cache
def _form() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)


def write_manifest(folder: Path, origin: str, known: Mapping[str, str]) -> Manifest:
    """Write down every file in the folder with its SHA-256; those in `known` (by name) are taken as they are."""
    manifest = Manifest(origin, tuple(_files(folder, known)))
    (folder / MANIFEST_NAME).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> Manifest | None:
    """Return the folder's manifest; None when it is missing or unreadable, which both mean: not installed."""
    try:
        return _form().validate_json((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def is_as_checked(path: Path) -> bool:
    """Whether a model's file has not changed since its SHA-256 was written down, by its size and time."""
    manifest = read_manifest(path.parent)
    try:
        stat, written = path.stat(), (path.parent / MANIFEST_NAME).stat().st_mtime_ns
    except OSError:
        return False
    known = {file.name: file.bytes for file in manifest.files} if manifest else {}
    return known.get(path.name) == stat.st_size and stat.st_mtime_ns <= written


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path, known: Mapping[str, str]) -> Iterator[ManifestFile]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST_NAME:
            yield ManifestFile(name, path.stat().st_size, known.get(name) or sha256_of(path))
