from __future__ import annotations

import os

import pytest

from vaultrag.runtime.machine import DeviceKind, available_on_macos, describe_machine, physical_cores, probe_backend


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


def test_memory_that_macos_lends_to_files_is_free() -> None:
    told = (
        "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
        "Pages free:                               13456.\n"
        "Pages active:                            1143022.\n"
        "Pages inactive:                          1134233.\n"
        "Pages speculative:                          8243.\n"
        "Pages wired down:                         233113.\n"
        "Pages stored in compressor:               500000.\n"
    )
    assert available_on_macos(told) == 16384 * (13456 + 1134233 + 8243)
    assert available_on_macos("vm_stat: not found") == 0


def test_backend_is_asked_in_a_process_of_its_own() -> None:
    info = probe_backend()
    assert info.version
    assert any(device.kind is DeviceKind.CPU for device in info.devices)
