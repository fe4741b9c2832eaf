"""An allowance of processor time for native code, which a spoilt file may send round in circles.

Time on the wall would not do: a large model on a slow disk loads for minutes. Whoever uses the allowance up is ended
by the system, and its parent says so.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

HEADER_SECONDS = 4.0  # to read a header and its vocabulary: 150,000 tokens take 0.2 s
TOKEN_SECONDS = 3.0  # to lay out the context and evaluate one token, whatever the size
TOKEN_SECONDS_PER_GIB = 30.0  # and for each GiB of weights: all threads together take 1 s on a slow machine
ENDED_BY = -26  # the exit code of a process that has used up its allowance: SIGVTALRM; Windows has none


@contextlib.contextmanager
def allowed(seconds: float) -> Iterator[None]:
    """End this process when the block takes more processor time, of all threads but without the system's."""
    grant(seconds)
    try:
        yield
    finally:
        withdraw()


def first_token_seconds(size: int) -> float:
    """Return what a model with so many bytes of weights may take from its file to its first token."""
    return TOKEN_SECONDS + TOKEN_SECONDS_PER_GIB * size / (1 << 30)


def grant(seconds: float) -> None:
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def withdraw() -> None:
    """Count no longer."""
    grant(0)
