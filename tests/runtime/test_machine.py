from __future__ import annotations

import os

import pytest

from vaultrag.runtime.machine import (
    BackendInfo,
    Device,
    DeviceKind,
    GpuLayers,
    choose_gpu_layers,
    describe_machine,
    physical_cores,
    probe_backend,
)

GB = 10**9


def backend(*devices: Device, gpu_offload: bool = True) -> BackendInfo:
    cpu = Device("CPU", "a processor", DeviceKind.CPU, 60 * GB, 64 * GB)
    return BackendInfo("0.3", gpu_offload, "", (cpu, *devices))


def gpu(free: int, kind: DeviceKind = DeviceKind.GPU) -> Device:
    return Device("G", "a card", kind, free, 24 * GB)


@pytest.mark.parametrize(
    ("wanted", "machine", "count", "reason"),
    [
        (-2, backend(gpu_offload=False), 0, "built without GPU support"),
        (-1, backend(gpu_offload=False), 0, "built without GPU support"),
        (-2, backend(), 0, "no GPU was found"),
        (-2, backend(gpu(12 * GB)), -1, "it fits"),
        (-2, backend(gpu(11 * GB)), -1, "it fits"),
        (-2, backend(gpu(11 * GB - 1)), 0, "too large: 11.0 GB with a tenth to spare"),
        (-2, backend(gpu(6 * GB), gpu(6 * GB)), -1, "it fits"),
        (-2, backend(gpu(12 * GB, DeviceKind.INTEGRATED)), -1, "it fits"),
        (-2, backend(gpu(2 * GB), gpu(30 * GB, DeviceKind.INTEGRATED)), 0, "too large"),
        (0, backend(gpu(24 * GB)), 0, "settings"),
        (7, backend(gpu(1 * GB)), 7, "settings"),
        (-1, backend(gpu(1 * GB)), -1, "settings"),
    ],
)
def test_layers_go_to_the_gpu_all_or_none(wanted: int, machine: BackendInfo, count: int, reason: str) -> None:
    chosen = choose_gpu_layers(wanted, 10 * GB, machine)
    assert isinstance(chosen, GpuLayers)
    assert chosen.count == count
    assert reason in chosen.reason


def test_this_machine_is_described() -> None:
    machine = describe_machine()
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert machine.ram_total > 2**28
    assert 0 <= machine.ram_free <= machine.ram_total
    assert machine.platform


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_cores_forbidden_to_this_process_do_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert physical_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_backend_is_asked_in_a_process_of_its_own() -> None:
    info = probe_backend()
    assert info.version
    assert any(device.kind is DeviceKind.CPU for device in info.devices)
