"""The files of a home: who may read them, and what interrupted work left behind."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from vaultrag.config import CONFIG_NAME, LOG_NAME, START_LOG_NAME
from vaultrag.domain import Finding, counted
from vaultrag.store.endpoint import ENDPOINT_NAME
from vaultrag.store.errors import translated
from vaultrag.store.integrity.check import REPAIR, examples
from vaultrag.store.privacy import OTHERS
from vaultrag.store.vectors.chroma import GENERATION, POINTER

CHROMA = "chroma"
TELLING_NOTHING = (CONFIG_NAME, "lock", ENDPOINT_NAME, LOG_NAME, START_LOG_NAME)
SET_ASIDE = "damaged"
"""The folder of the files that a repair replaced; they are kept until a repair finds nothing to do."""


def check_home(home: Path) -> Iterator[Finding]:
    """Yield what is wrong with the files themselves, whatever is in them."""
    open_to_others = readable_by_others(home)
    if open_to_others:
        names = examples([path.relative_to(home).as_posix() for path in open_to_others])
        detail = f"Others may read {counted(len(open_to_others), 'file')} of the index: {names}."
        yield Finding("files-private", "warning", detail, REPAIR)
    left = leftovers(home)
    if left:
        names = examples([path.relative_to(home).as_posix() for path in left])
        yield Finding("no-leftovers", "info", f"Interrupted work left {names}.", REPAIR)
    kept = home / SET_ASIDE
    if kept.is_dir():
        detail = f"What was damaged lies in {kept}; the next `vaultrag repair` that finds nothing to do removes it."
        yield Finding("set-aside", "info", detail, "")


def readable_by_others(home: Path) -> list[Path]:
    """Return the files about notes that somebody else may read or write; none where the home itself is closed."""
    if os.name != "posix" or not stat.S_IMODE(home.stat().st_mode) & OTHERS:
        return []
    telling = (path for path in _files(home) if not path.name.startswith(TELLING_NOTHING))
    folders = [path for path in (home / CHROMA, home / SET_ASIDE) if path.is_dir()]
    return [path for path in (*folders, *telling) if stat.S_IMODE(path.lstat().st_mode) & OTHERS]


def leftovers(home: Path) -> list[Path]:
    """Return what a killed process left: unfinished files, and generations of Chroma that nothing points to."""
    chroma = home / CHROMA
    parts = [path for path in _files(home) if path.suffix.startswith((".part", ".new"))]
    try:
        current = (chroma / POINTER).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return parts  # which one is current cannot be told
    return parts + [path for path in chroma.iterdir() if GENERATION.fullmatch(path.name) and path.name != current]


def make_private(paths: list[Path]) -> None:
    """Take these files from everybody but their owner."""
    for path in paths:
        with translated(path):
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)


def remove(paths: list[Path]) -> None:
    """Remove files and folders; one that is gone already is no error."""
    for path in paths:
        with translated(path):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _files(home: Path) -> list[Path]:
    """Return the plain files of the home and of its folders, but not inside a generation of Chroma: that is closed."""
    found = []
    for folder, folders, names in os.walk(home):
        folders[:] = [name for name in folders if not GENERATION.fullmatch(name)]
        found += [path for name in sorted(names) if (path := Path(folder, name)).is_file() and not path.is_symlink()]
    return found
