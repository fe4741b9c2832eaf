from __future__ import annotations

import os
from pathlib import Path

import pytest

from vaultrag.runtime.hardware.cgroup import Limits, read_limits
from vaultrag.runtime.hardware.cores import count_cores
from vaultrag.runtime.hardware.detect import copied_bytes, measure_bandwidth
from vaultrag.runtime.hardware.machine import (
    DeviceKind,
    available_on_macos,
    describe_machine,
    machine_within,
    physical_cores,
    probe_backend,
)


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


GIB = 1 << 30


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n", encoding="ascii")
    return folder


def test_limits_of_a_container_are_those_of_its_outermost_group(tmp_path: Path) -> None:
    stat = f"anon {3 * GIB}\nactive_file {GIB}\ninactive_file {GIB}\nfile {3 * GIB}"
    files = {
        "memory.max": str(8 * GIB),
        "memory.current": str(6 * GIB),
        "memory.stat": stat,
        "cpu.max": "250000 100000",
    }
    mount = written(tmp_path / "mount", files)
    own = written(tmp_path, {"own": "0::/../../host-path"}) / "own"
    assert read_limits(mount, own) == Limits(2.5, 8 * GIB, 4 * GIB)


def test_limits_of_a_service_are_the_tightest_around_it(tmp_path: Path) -> None:
    files = {
        "user.slice/memory.max": str(4 * GIB),
        "user.slice/memory.current": str(GIB),
        "user.slice/night.service/memory.max": "max",
        "user.slice/night.service/memory.high": str(2 * GIB),
        "user.slice/night.service/memory.current": str(GIB // 2),
        "user.slice/night.service/cpu.max": "max 100000",
        "user.slice/cpu.max": "150000 100000",
        "other.slice/memory.max": "1",
    }
    mount = written(tmp_path / "mount", files)
    own = written(tmp_path, {"own": "0::/user.slice/night.service"}) / "own"
    assert read_limits(mount, own) == Limits(1.5, 2 * GIB, 3 * GIB // 2)


def test_limits_of_the_older_kind_are_read_as_well(tmp_path: Path) -> None:
    files = {
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/docker/ab/memory.limit_in_bytes": str(2 * GIB),
        "memory/docker/ab/memory.usage_in_bytes": str(3 * GIB // 2),
        "memory/docker/ab/memory.stat": f"active_file 0\ntotal_active_file {GIB}\ntotal_inactive_file 0",
        "cpu/cpu.cfs_quota_us": "-1",
        "cpu/cpu.cfs_period_us": "100000",
        "cpu/docker/ab/cpu.cfs_quota_us": "50000",
        "cpu/docker/ab/cpu.cfs_period_us": "100000",
    }
    mount = written(tmp_path / "mount", files)
    own = written(tmp_path, {"own": "9:name=systemd:/x\n4:memory:/docker/ab\n2:cpu,cpuacct:/docker/ab\n0::/"}) / "own"
    assert read_limits(mount, own) == Limits(0.5, 2 * GIB, 3 * GIB // 2)


@pytest.mark.parametrize("text", ["", "max", "-5", "много", "0 0"])
def test_limits_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    files = {"memory.max": "max", "cpu.max": "x", "memory.stat": "anon"}
    mount = written(tmp_path / "mount", files)
    (mount / "cpu.max").write_text(text, encoding="utf-8")
    assert read_limits(mount, tmp_path / "nowhere") == Limits()
    assert read_limits(mount, written(tmp_path, {"own": "0::/"}) / "own") == Limits()


def test_what_a_container_grants_is_the_machine() -> None:
    machine = machine_within(Limits(cpus=0.5, memory=GIB, memory_free=0))
    assert (machine.cores, machine.ram_total, machine.ram_free) == (1, GIB, 1)


def test_threads_of_one_core_count_once_and_slow_cores_not_at_all(tmp_path: Path) -> None:
    pairs = {f"system/cpu/cpu{cpu}/topology/thread_siblings_list": f"{cpu % 2},{cpu % 2 + 2}" for cpu in range(4)}
    assert count_cores(range(4), written(tmp_path / "threads", pairs)) == 2
    capacities = (1024, 1024, 414, 414, 414, 870)
    big_little = {f"system/cpu/cpu{cpu}/cpu_capacity": str(value) for cpu, value in enumerate(capacities)}
    assert count_cores(range(6), written(tmp_path / "arm", big_little)) == 3
    assert count_cores([2, 3], tmp_path / "arm") == 2  # nothing faster is ours
    hybrid = {"cpu_core/cpus": "0-3", "cpu_atom/cpus": "4-11"} | pairs
    assert count_cores(range(12), written(tmp_path / "intel", hybrid)) == 2
    assert count_cores([4, 5], tmp_path / "intel") == 2
    assert count_cores(range(3), tmp_path / "nothing") == 3


def test_measuring_many_cores_takes_no_more_than_a_quarter_of_what_is_free() -> None:
    assert 2 * 64 * copied_bytes(64, 2 * GIB) <= GIB // 2
    assert copied_bytes(4, 64 * GIB) == copied_bytes(4, 0) == 64 << 20
    assert measure_bandwidth(1, 1) > 0
