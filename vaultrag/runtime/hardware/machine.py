"""What this machine can compute with: cores and memory, and what the installed llama-cpp-python can use of it.

Nothing native is imported here: the backend is asked in a child process.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from vaultrag.child import Child, ChildDied, ChildFailed
from vaultrag.errors import ModelError
from vaultrag.runtime.hardware.cgroup import Limits, read_limits
from vaultrag.runtime.hardware.cores import count_cores

PROBE_SECONDS = 120.0  # importing llama_cpp takes 0.3 s; a first start of a GPU's driver can take a minute
AUTO, NONE, ALL = -2, 0, -1  # meanings of `runtime.gpu_layers`; a positive number is taken as it is


class DeviceKind(StrEnum):
    CPU = "cpu"
    GPU = "gpu"
    INTEGRATED = "integrated"
    ACCELERATOR = "accelerator"

    @classmethod
    def of(cls, number: int) -> DeviceKind:
        """Translate ggml's `ggml_backend_dev_type`."""
        kinds = (cls.CPU, cls.GPU, cls.INTEGRATED)
        return kinds[number] if number < len(kinds) else cls.ACCELERATOR


@dataclass(frozen=True, slots=True)
class Machine:
    """Cores are the physical ones that this process may use. Memory in bytes; 0 where the system does not say."""

    cores: int
    ram_total: int
    ram_free: int
    platform: str


@dataclass(frozen=True, slots=True)
class Device:
    """A place where llama.cpp can compute; memory in bytes."""

    name: str
    description: str
    kind: DeviceKind
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """The installed llama-cpp-python: version, what it was built with, and the devices it sees."""

    version: str
    gpu_offload: bool
    features: str
    devices: tuple[Device, ...]


def describe_machine() -> Machine:
    """Describe what this process may use: a container's or a service's limits count as the machine's own."""
    return machine_within(read_limits())


def machine_within(limits: Limits) -> Machine:
    """Describe the machine as these limits leave it."""
    total, free = _ram_total(), _ram_free()
    if limits.memory is not None:
        total = min(total or limits.memory, limits.memory)
    if limits.memory_free is not None:
        free = max(1, min(free or limits.memory_free, limits.memory_free))  # 0 would say that nobody knows
    return Machine(_cores_within(limits), total, free, f"{platform.system()} {platform.machine()}")


def probe_backend() -> BackendInfo:
    """Ask a child what the installed llama-cpp-python can do. Raises ModelError when it cannot be loaded."""
    child = Child("the llama.cpp probe", "vaultrag.runtime.llama.worker")
    try:
        return backend_info(child.call("backend", {}, PROBE_SECONDS).body)
    except (ChildDied, ChildFailed) as error:
        log = error.stderr.strip().splitlines() if isinstance(error, ChildDied) else []
        raise ModelError(
            f"llama-cpp-python cannot be used: {log[-1] if log else error}.",
            "Run `scripts/quickstart` again; it builds llama-cpp-python for this machine.",
        ) from error
    finally:
        child.close()


def backend_info(body: dict[str, Any]) -> BackendInfo:
    """Rebuild a BackendInfo from a frame's body."""
    devices = tuple(Device(**{**device, "kind": DeviceKind(device["kind"])}) for device in body["devices"])
    return BackendInfo(body["version"], body["gpu_offload"], body["features"], devices)


def physical_cores() -> int:
    """Return the fast physical cores that this process may use: its affinity and a container's quota count."""
    return _cores_within(read_limits())


def _cores_within(limits: Limits) -> int:
    if sys.platform == "linux":
        cores = count_cores(os.sched_getaffinity(0))
    else:
        cores = _sysctl("hw.perflevel0.physicalcpu") or _sysctl("hw.physicalcpu") or os.cpu_count() or 1
    return max(1, min(cores, math.ceil(limits.cpus)) if limits.cpus is not None else cores)


def _ram_total() -> int:
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _sysctl("hw.memsize")


def _ram_free() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(["vm_stat"], capture_output=True, check=True, timeout=5).stdout
        return available_on_macos(told.decode("utf-8", "replace"))
    return 0


def available_on_macos(vm_stat: str) -> int:
    """Return the bytes that `vm_stat` calls free, and those that only keep files at hand: of the first few are left."""
    size = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = re.findall(r"^Pages (?:free|inactive|speculative):\s+(\d+)", vm_stat, re.MULTILINE)
    return int(size[1]) * sum(map(int, pages)) if size else 0


def _sysctl(name: str) -> int:
    """Ask macOS; 0 elsewhere."""
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        return int(subprocess.run(["sysctl", "-n", name], capture_output=True, check=True, timeout=5).stdout)
    return 0
