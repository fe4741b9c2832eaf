"""What a container or a service may use: the limits of Linux's control groups, in both their versions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
NO_LIMIT = 1 << 60  # version 1 writes the largest number of pages where there is none
FILE_CACHE = ("active_file", "inactive_file")  # counted as used, but given up before anything is refused


@dataclass(frozen=True, slots=True)
class Limits:
    """CPUs and bytes of memory that are granted, and the bytes left of those; None where there is no limit."""

    cpus: float | None = None
    memory: int | None = None
    memory_free: int | None = None


def read_limits(mount: Path = MOUNT, own_groups: Path = OWN_GROUPS) -> Limits:
    """Return the tightest limits of this process' groups and of all groups around them."""
    cpus = [cpus for folder in _folders(mount, own_groups, "cpu") if (cpus := _cpus(folder)) is not None]
    memory = [memory for folder in _folders(mount, own_groups, "memory") if (memory := _memory(folder)) is not None]
    return Limits(
        min(cpus, default=None),
        min((granted for granted, _ in memory), default=None),
        min((left for _, left in memory), default=None),
    )


def _folders(mount: Path, own_groups: Path, controller: str) -> Iterator[Path]:
    """Yield the folders that limit this process. Inside a container only the outermost may be visible."""
    for line in _text(own_groups).splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers and controller not in controllers.split(","):
            continue
        root = mount / controller if controllers else mount
        inner = root / path.lstrip("/")
        yield root
        if ".." not in inner.parts:
            yield from (folder for folder in (inner, *inner.parents) if root in folder.parents)


def _cpus(folder: Path) -> float | None:
    granted, period = (*_text(folder / "cpu.max").split(), "", "")[:2]
    if not granted:
        granted, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    with contextlib.suppress(ValueError, ZeroDivisionError):
        cpus = float(granted) / float(period)
        return cpus if cpus > 0 else None
    return None


def _memory(folder: Path) -> tuple[int, int] | None:
    """Return the bytes that are granted, and those that are left."""
    limits = [_number(folder / name) for name in ("memory.max", "memory.high", "memory.limit_in_bytes")]
    granted = min((limit for limit in limits if limit is not None and limit < NO_LIMIT), default=None)
    if granted is None:
        return None
    used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
    return granted, max(0, min(granted, granted - used + _file_cache(folder)))


def _file_cache(folder: Path) -> int:
    told = dict(line.split(" ", 1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
    with contextlib.suppress(ValueError):
        # version 1 sums up the groups within under other names; there `active_file` is only the group's own
        return sum(int(told.get(f"total_{name}", told.get(name, "0"))) for name in FILE_CACHE)
    return 0


def _number(path: Path) -> int | None:
    with contextlib.suppress(ValueError):
        return int(_text(path))
    return None  # no such file, or `max`


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
