"""Files looked at by their names, for when only some may have changed: no folder is listed for them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path


class NamedFile:
    """One place of the vault, with the part of `os.DirEntry` that a walk needs. Raises OSError when it is not there."""

    def __init__(self, root: Path, fs_path: str) -> None:
        self.name = fs_path.rpartition("/")[2]
        self.path = os.path.join(root, fs_path)
        self._own = os.lstat(self.path)

    def is_symlink(self) -> bool:
        return stat.S_ISLNK(self._own.st_mode)

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return stat.S_ISDIR(self._mode(follow_symlinks))

    def is_file(self) -> bool:
        return stat.S_ISREG(self._mode(True))

    def stat(self) -> os.stat_result:
        return os.stat(self.path) if self.is_symlink() else self._own

    def _mode(self, follow_symlinks: bool) -> int:
        try:
            return self.stat().st_mode if follow_symlinks else self._own.st_mode
        except FileNotFoundError:
            return 0  # a link that leads nowhere


def lies_in_real_folders(root: Path, fs_path: str) -> bool:
    """Tell whether no folder above a place is hidden, or a link."""
    folder = fs_path.rpartition("/")[0]
    if any(part.startswith(".") for part in folder.split("/")):
        return False
    whole = os.path.realpath(root)
    return os.path.realpath(os.path.join(whole, folder)) == os.path.join(whole, *folder.split("/")).rstrip("/")


def spelled_on_disk(root: Path, places: Iterable[str]) -> list[str]:
    """Return the places, sorted; of those that differ in case alone and are one file, only what its folder lists.

    Where the file system takes `a.md` for `A.md`, both names of a renamed note would be found.
    """
    by_folded: dict[str, list[str]] = {}
    for place in sorted(set(places)):
        by_folded.setdefault(place.casefold(), []).append(place)
    return sorted(place for same in by_folded.values() for place in (_listed(root, same) if len(same) > 1 else same))


def _listed(root: Path, places: list[str]) -> list[str]:
    try:
        inodes = {os.lstat(root / place).st_ino for place in places}
        if len(inodes) == len(places):
            return places
        names = {place: os.listdir((root / place).parent) for place in places}
    except OSError:
        return places  # at least one is not there, so they are not one file
    return [place for place in places if place.rpartition("/")[2] in names[place]]
