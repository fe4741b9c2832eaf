"""Deaths of commands, as they are drawn and as they are dealt. Linux."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Death:
    """How a command is to die: `at` the n-th call or after so many seconds; `who` counts; `takes` all or one."""

    by: str
    who: str
    takes: str
    calls: int = 0
    seconds: float = 0.0
    torn: bool = False


SPARED = Death(by="nothing", who="nobody", takes="one")


@dataclass(slots=True)
class Kill:
    """One kill and what was found after the recovery. `place` is the call and file it hit, where that is known."""

    number: int
    seed: int
    operation: str
    death: Death
    changes: list[str]
    place: str = ""
    answers: int = 0
    killed: bool = False
    faults: list[str] = field(default_factory=list)


def ended(pid: int, seconds: float) -> bool:
    """Wait so long for a process; return whether it has ended. It stays to be collected."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def descendants(pid: int) -> list[int]:
    """Return the processes that this one started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # the thread has ended
        for child in children:
            found += [child, *descendants(child)]
    return found


def signal_all(pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
