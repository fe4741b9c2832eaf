"""Real disks of any size, to be filled to the last byte."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of its own at `place`; what stands in the way of others is `ballast`."""

    place: Path

    @property
    def ballast(self) -> Path:
        return self.place / "ballast"

    def resize(self, size: str) -> Path:
        """Mount it, or make it larger or smaller; return where it is."""
        options = f"size={size},mode=700" + (",remount" if os.path.ismount(self.place) else "")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.place)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("nothing can be mounted here")
        return self.place

    def fill(self, leaving: int = 0) -> None:
        """Leave so many bytes free, in whole blocks."""
        with self.ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(BLOCK)):
                continue
        os.truncate(self.ballast, max(0, self.ballast.stat().st_size - leaving))

    def free(self) -> None:
        self.ballast.unlink()


@contextlib.contextmanager
def mounted(place: Path) -> Iterator[Disk]:
    """A disk that is let go of when the block ends."""
    place.mkdir(parents=True)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", place], check=False, capture_output=True)
