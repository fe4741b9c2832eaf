"""Who may read a home: its user alone, whatever the mode of the folder where it lies, and whoever made that folder."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

OTHERS = 0o077  # what the group and everybody else may do: nothing
FILES = ("index.sqlite3", "journal.jsonl", "lock", "server.json", "server.log", "server.start.log", "token")
FOLDERS = ("analysed", "chroma", "damaged", "nights", "states")


def keep_private(home: Path) -> None:
    """Take from others what an earlier version, a copy or a restored backup left open to them.

    Only what is ours by name is touched: a home may be a folder that holds other things. Nothing is said of what
    cannot be changed, as on a file system without modes; `check --deep` names it.
    """
    if os.name != "posix":
        return
    for path in _ours(home):
        with contextlib.suppress(OSError):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) & OTHERS:
                path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def private_opener(path: str, flags: int) -> int:
    """Open a file, for `open(opener=)`, that only this user may read if it is made now."""
    return os.open(path, flags, 0o600)


def _ours(home: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for path in home.iterdir():
            if path.name.startswith(FILES):
                yield path
    for name in FOLDERS:
        if (home / name).is_symlink():
            continue
        yield home / name
        for folder, folders, names in os.walk(home / name):
            yield from (Path(folder, inner) for inner in (*folders, *names))
