"""The models on this machine: where they lie, whether they are whole, how to get them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from vaultrag.domain import Finding
from vaultrag.errors import ModelNotFound
from vaultrag.runtime.gguf.header import split_paths
from vaultrag.runtime.models import install
from vaultrag.runtime.models.catalogue import ModelEntry, ModelKind
from vaultrag.runtime.models.fetch import Progress, Word
from vaultrag.runtime.models.manifest import Manifest, ManifestFile, read_manifest, sha256_of

VECTORS_VERSION = 1  # raise it when embed_child.py makes other vectors from the same files
EDGE_BYTES = 1 << 20  # of a local file only both ends are hashed: it may have 100 GB
FINGERPRINT_LENGTH = 16  # hexadecimal digits


def model_path(entry: ModelEntry, models_dir: Path) -> Path:
    """Return where the model lies or will lie: a GGUF file, or a sentence-transformers folder."""
    if entry.local_path is not None:
        return entry.local_path
    folder = models_dir / entry.name
    return folder / entry.gguf_name if entry.kind is ModelKind.CHAT else folder


def model_files(path: Path) -> Iterator[Path]:
    """Yield the files of a model that is here: all parts of a GGUF, or all that its folder holds."""
    yield from split_paths(path) if path.is_file() else (file for file in path.rglob("*") if file.is_file())


def is_present(entry: ModelEntry, models_dir: Path) -> bool:
    """Say whether the model can be used: files and sizes are looked at, contents are not."""
    return _missing(entry, models_dir) == ""


def require_model(entry: ModelEntry, models_dir: Path) -> Path:
    """Return the model's path. Raises ModelNotFound with the remedy when it is not here or not whole."""
    if problem := _missing(entry, models_dir):
        remedy = f"Run: vaultrag models pull {entry.name}"
        if entry.local_path is not None:
            remedy = "Put it back, or name another model in the settings (roles.answer, roles.embed)."
        raise ModelNotFound(problem, remedy)
    return model_path(entry, models_dir)


def pull(entry: ModelEntry, models_dir: Path, progress: Progress, word: Word | None = None) -> Path:
    """Fetch a model unless it is here, and return its path. `word` is shared by the pulls of one command.

    Raises DownloadFailed or DiskFull; what was fetched so far is kept and continued by the next pull.
    """
    if entry.local_path is None and not is_present(entry, models_dir):
        install.install(entry, models_dir, progress, lambda: is_present(entry, models_dir), word or Word())
    return require_model(entry, models_dir)


def verify(entry: ModelEntry, models_dir: Path) -> list[Finding]:
    """Read every byte of the model and compare it with the checksums. An empty list means: whole."""
    if problem := _missing(entry, models_dir):
        return [Finding("model-present", "error", problem, f"Run: vaultrag models pull {entry.name}")]
    if entry.local_path is not None:
        return []  # nobody wrote down what the file should be
    folder = models_dir / entry.name
    remedy = f"Delete the folder {folder}, then run: vaultrag models pull {entry.name}"
    damaged = [file.name for file in _manifest(folder).files if not _same(folder / file.name, file)]
    return [
        Finding("model-checksum", "error", f"{name} of the model {entry.name} is not what was installed.", remedy)
        for name in damaged
    ]


def fingerprint(entry: ModelEntry, path: Path) -> str:
    """Return a short hash of what decides the model's output. It never reads more than the ends of a file.

    `path` is the model's path as `require_model` returns it.
    """
    digest = hashlib.sha256(f"{entry.kind} {VECTORS_VERSION}".encode())
    manifest = read_manifest(path if path.is_dir() else path.parent)
    if manifest is not None and entry.local_path is None:
        parts = [f"{file.name} {file.sha256}" for file in manifest.files if not _is_prose(file.name)]
    else:
        parts = [_sketch(file, path) for file in _local_files(path)]
    digest.update("\n".join(parts).encode())
    return digest.hexdigest()[:FINGERPRINT_LENGTH]


def _missing(entry: ModelEntry, models_dir: Path) -> str:
    """Return a sentence about what is missing, or nothing."""
    if entry.local_path is not None:
        return _missing_local(entry, entry.local_path)
    folder = models_dir / entry.name
    manifest = read_manifest(folder)
    if manifest is None:
        return f"The model {entry.name} is not on this machine."
    if manifest.origin not in entry.origins:
        return f"The model {entry.name} on this machine is not the one that the catalogue now names."
    for file in manifest.files:
        path = folder / file.name
        size = path.stat().st_size if path.is_file() else 0
        if size != file.bytes:
            return f"The model {entry.name} is damaged: {file.name} has {size:,} of {file.bytes:,} bytes."
    return ""


def _missing_local(entry: ModelEntry, path: Path) -> str:
    for part in split_paths(path) if entry.kind is ModelKind.CHAT else ():
        if not os.path.isfile(part):  # Path.is_file raises in a closed folder
            return f"There is no model file {part}."
    if entry.kind is ModelKind.EMBED and not os.path.isfile(path / "modules.json"):
        return f"{path} is not a sentence-transformers folder: it holds no modules.json."
    if entry.kind is ModelKind.RERANK and not os.path.isfile(path / "config.json"):
        return f"{path} is not the folder of a reranking model: it holds no config.json."
    if entry.kind is ModelKind.JUDGE and not os.path.isfile(path) and not os.path.isfile(path / "config.json"):
        return f"{path} is neither a judge's file nor the folder of one, which holds a config.json."
    return ""


def _manifest(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    assert manifest is not None, "is_present was asked before"
    return manifest


def _same(path: Path, file: ManifestFile) -> bool:
    try:
        return sha256_of(path) == file.sha256
    except OSError:
        return False


def _local_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield from split_paths(path)
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.name.startswith(".") and not _is_prose(file.name):
            yield file


def _is_prose(name: str) -> bool:
    return name.lower().endswith((".md", ".txt")) and "vocab" not in name and "merges" not in name


def _sketch(file: Path, root: Path) -> str:
    stat = file.stat()
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        digest.update(stream.read(EDGE_BYTES))
        stream.seek(max(0, stat.st_size - EDGE_BYTES))
        digest.update(stream.read(EDGE_BYTES))
    name = file.relative_to(root).as_posix() if root in file.parents else file.name
    return f"{name} {stat.st_size} {stat.st_mtime_ns} {digest.hexdigest()}"
