"""Waiting for what another process does, without a sleep that is too short or too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 30.0  # far more than anything waited for takes: a fault ends the test instead of hanging it
LOOK_SECONDS = 0.01


def wait_until(holds: Callable[[], bool]) -> None:
    """Return once something holds. Raises AssertionError when it does not in time."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while not holds():
        assert time.monotonic() < deadline
        pause.wait(LOOK_SECONDS)
