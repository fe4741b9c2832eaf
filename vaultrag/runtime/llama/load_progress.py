"""Loads a model in a thread of its own, and tells how far it is: nobody shall wait for minutes in silence.

llama.cpp tells its share between two tensors, but a file is mapped in one piece, without a word. So what the process
has read of the drive counts too, and the memory that it came to hold: a load that stands still gets neither.
"""

from __future__ import annotations

import concurrent.futures
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

if sys.platform != "win32":
    import resource

Report: TypeAlias = Callable[[float], None]
Loaded = TypeVar("Loaded")

LOOKED_SECONDS = 0.25
BLOCK = 512  # bytes that `ru_inblock` counts as one
RESIDENT_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes that `ru_maxrss` counts as one
LITTLE = 1 << 20  # bytes: the watching itself takes some memory now and then
ALMOST = 0.99  # of a file that is read but not yet laid out


def watched(load: Callable[[Report], Loaded], size: int) -> Generator[float, None, Loaded]:
    """Yield the share that is done of a load of `size` bytes whenever it gets on; return what was loaded."""
    signs = _Signs(size)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        loading = threads.submit(load, signs.report)
        while not concurrent.futures.wait([loading], LOOKED_SECONDS).done:
            if signs.gets_on():
                yield signs.share
        return loading.result()


@dataclass(slots=True)
class _Signs:
    """Signs of a load's life since the last look."""

    size: int
    share: float = 0.0
    _reported: float = 0.0
    _last: tuple[float, int, int] = (0.0, 0, 0)
    _first_block: int = field(default_factory=lambda: _usage()[0])

    def report(self, share: float) -> None:
        self._reported = share

    def gets_on(self) -> bool:
        blocks, held = _usage()
        reported, blocks_before, held_before = self._last
        if (self._reported, blocks) == (reported, blocks_before) and held - held_before < LITTLE:
            return False
        self._last = (self._reported, blocks, held)
        read = (blocks - self._first_block) * BLOCK / max(1, self.size)
        self.share = max(self.share, min(1.0, self._reported), min(ALMOST, read))
        return True


def _usage() -> tuple[int, int]:
    """Return blocks read from drives and the most bytes held in memory; on Windows llama.cpp's share must do."""
    if sys.platform == "win32":
        return 0, 0
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_inblock, usage.ru_maxrss * RESIDENT_UNIT
