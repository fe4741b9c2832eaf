"""The machine that this runs on, as the planner sees one: devices asked, RAM bandwidth measured once and kept."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from vaultrag.child import Child, ChildDied, ChildFailed
from vaultrag.runtime.hardware.apple import chip_of
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers
from vaultrag.runtime.hardware.machine import BackendInfo, Device, DeviceKind, Machine, describe_machine, probe_backend
from vaultrag.runtime.hardware.measurements import read_figures, write_figures
from vaultrag.runtime.hardware.nvml import NvmlCard
from vaultrag.runtime.hardware.profiles import BUS, GIBIBYTE, UNIFIED_SHARE, Card, Hardware

THIS_MACHINE = "this machine"  # its name as a profile
BANDWIDTH_NAME = "machine.json"
COPIED_BYTES = 64 << 20  # a thread copies this much at a time: far more than a core's share of the cache
LEAST_COPIED = 1 << 20
MEASURED_SECONDS = 0.8
ASKING_SECONDS = 30.0  # a driver that has slept takes seconds
UNKNOWN_BANDWIDTH = 300.0  # GB/s of a card whose driver does not say: a small one
UNKNOWN_TFLOPS = 20.0
INTEGRATED_TFLOPS = 2.0
USUAL_BANDWIDTH = 50.0  # GB/s: two channels of DDR4 or slow DDR5


def describe_this_machine(models_dir: Path) -> Hardware:
    """Return this machine with what is free now. Raises ModelError when llama.cpp cannot be asked."""
    machine, backend = describe_machine(), probe_backend()
    told = ask_nvml() if backend.gpu_offload else []
    hardware = hardware_of(machine, backend, ram_bandwidth(models_dir, machine), told)
    return replace(hardware, repacks=not ExtraBuffers(models_dir).crash)


def hardware_of(machine: Machine, backend: BackendInfo, bandwidth: float, told: Sequence[NvmlCard]) -> Hardware:
    """Return the machine as the planner sees it; the cards only if the installed llama-cpp-python can use them."""
    cards = tuple(_cards(backend, bandwidth, told)) if backend.gpu_offload else ()
    unified = _is_apple(machine) or any(device.kind is DeviceKind.INTEGRATED for device in _used(backend))
    memory = f"{machine.platform}, {machine.cores} cores, {machine.ram_total / GIBIBYTE:.0f} GiB"
    return Hardware(
        name=THIS_MACHINE,
        description=", ".join([memory, *(card.name for card in cards)]),
        cores=machine.cores,
        ram=machine.ram_total / GIBIBYTE,
        ram_bandwidth=bandwidth,
        cards=cards,
        bus=bandwidth if unified else BUS,
        unified=unified and bool(cards),
        free=machine.ram_free / GIBIBYTE,
    )


def known_bandwidth(models_dir: Path, machine: Machine) -> float:
    """Return the RAM's bandwidth as it was measured before, or that of a usual desktop."""
    return read_figures(models_dir / BANDWIDTH_NAME).get(_key(machine), USUAL_BANDWIDTH)


def ram_bandwidth(models_dir: Path, machine: Machine) -> float:
    """Return the RAM's bandwidth in GB/s as all cores reach it, measured once for each machine."""
    path, key = models_dir / BANDWIDTH_NAME, _key(machine)
    known = read_figures(path)
    if key not in known:
        known[key] = round(measure_bandwidth(machine.cores, machine.ram_free), 1)
        write_figures(path, known)
    return known[key]


def measure_bandwidth(cores: int, free: int = 0) -> float:
    """Copy memory on all cores for a moment; return GB/s, each copied byte counted as one read and one written.

    Many cores copy less each, so that a quarter of the `free` bytes is enough (0: nobody knows).
    Each core's own time counts, not the clock on the wall: what else runs must not make the RAM look slow.
    """
    import numpy as np

    speeds = [0.0] * cores
    size = copied_bytes(cores, free)
    deadline = time.perf_counter() + MEASURED_SECONDS

    def copy(worker: int) -> None:
        source, target = np.ones(size // 8), np.ones(size // 8)
        copied, began = 0, time.thread_time()
        while not copied or time.perf_counter() < deadline:
            np.copyto(target, source)
            copied += 2 * size
        speeds[worker] = copied / max(1e-6, time.thread_time() - began) / 1e9

    threads = [threading.Thread(target=copy, args=(worker,)) for worker in range(cores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(speeds)


def copied_bytes(cores: int, free: int) -> int:
    """Return what one thread may copy at a time; source and target lie in memory, of all threads at once."""
    return min(COPIED_BYTES, max(LEAST_COPIED, free // 4 // (2 * cores))) if free else COPIED_BYTES


def ask_nvml() -> list[NvmlCard]:
    """Return what NVIDIA's driver tells in a child process; nothing where there is none."""
    child = Child("the card probe", "vaultrag.runtime.offload.memory_worker")
    try:
        return [NvmlCard(**card) for card in child.call("cards", {}, ASKING_SECONDS).body["cards"]]
    except (ChildDied, ChildFailed):
        return []
    finally:
        child.close()


def _used(backend: BackendInfo) -> list[Device]:
    """Return the devices that llama.cpp lays layers on: an integrated one only where there is no other."""
    cards = [device for device in backend.devices if device.total]
    graphics = [device for device in cards if device.kind is DeviceKind.GPU]
    return graphics or [device for device in cards if device.kind is DeviceKind.INTEGRATED][:1]


def _cards(backend: BackendInfo, bandwidth: float, told: Sequence[NvmlCard]) -> Iterable[Card]:
    for device in _used(backend):
        free, total = device.free / GIBIBYTE, device.total / GIBIBYTE
        if chip := chip_of(device.description):
            yield Card(device.description, total, chip.bandwidth, chip.tflops, total - free)
        elif device.kind is DeviceKind.INTEGRATED:
            memory = total * UNIFIED_SHARE
            yield Card(device.description, memory, bandwidth, INTEGRATED_TFLOPS, max(0.0, memory - free))
        else:
            card = next((card for card in told if card.name == device.description), None)
            speed = (card.bandwidth if card else 0.0) or UNKNOWN_BANDWIDTH
            yield Card(device.description, total, speed, (card.tflops if card else 0.0) or UNKNOWN_TFLOPS, total - free)


def _key(machine: Machine) -> str:
    return f"{platform.node()}, {machine.cores} cores, {machine.ram_total} bytes"


def _is_apple(machine: Machine) -> bool:
    return machine.platform == "Darwin arm64"
