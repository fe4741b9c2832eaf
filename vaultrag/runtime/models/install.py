"""Installing a model: fetch, verify, convert, and only then move it to its final name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vaultrag.errors import DiskFull, DownloadFailed, is_disk_full
from vaultrag.runtime.models.catalogue import ModelEntry
from vaultrag.runtime.models.fetch import Errand, Progress, Word
from vaultrag.runtime.models.manifest import write_manifest

PARTIAL_NAME = ".partial"
LOCK_POLL_SECONDS = 1.0


def install(entry: ModelEntry, models_dir: Path, progress: Progress, present: Callable[[], bool], word: Word) -> None:
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
            fetched = Errand(entry, models_dir, partial, progress, word).run()
            progress(0, entry.bytes, "verifying")
            write_manifest(fetched.folder, fetched.source.origin, fetched.sums)
            _move_into_place(fetched.folder, models_dir / entry.name, partial / "replaced")
            shutil.rmtree(partial, ignore_errors=True)


def _move_into_place(ready: Path, final: Path, replaced: Path) -> None:
    """Give the finished folder its final name. A folder that is there is damaged or outdated, and goes."""
    if final.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        os.replace(final, replaced)
    os.replace(ready, final)


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
