"""Which of the processors that Linux shows are cores worth computing on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

DEVICES = Path("/sys/devices")
SLOW_SHARE = 0.5  # of the fastest core's capacity: a slower one holds up all others at the end of each matrix


def count_cores(usable: Collection[int], devices: Path = DEVICES) -> int:
    """Return the physical cores among these logical ones, leaving out the slow ones of chips that have two kinds."""
    fast = _fast(usable, devices)
    return len({_siblings(cpu, devices) for cpu in fast})


def _fast(usable: Collection[int], devices: Path) -> Collection[int]:
    """Return those of the fast kind: as Intel's driver lists them, or by the capacity that ARM's tell."""
    if listed := set(_members(_text(devices / "cpu_core/cpus"))) & set(usable):
        return listed
    capacities = {cpu: _capacity(cpu, devices) for cpu in usable}
    least = SLOW_SHARE * max(capacities.values(), default=0)
    return [cpu for cpu, capacity in capacities.items() if capacity >= least]


def _capacity(cpu: int, devices: Path) -> int:
    told = _text(devices / f"system/cpu/cpu{cpu}/cpu_capacity")
    return int(told) if told.isdigit() else 0


def _siblings(cpu: int, devices: Path) -> str:
    """Name the physical core of a logical one."""
    return _text(devices / f"system/cpu/cpu{cpu}/topology/thread_siblings_list") or str(cpu)


def _members(listed: str) -> Iterator[int]:
    """Read the kernel's way to write a set, as `0-3,8`."""
    for part in listed.split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            yield from range(int(first), int(last or first) + 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
