from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vaultrag.errors import DoesNotFit
from vaultrag.runtime.gguf.quantisation import Scheme
from vaultrag.runtime.gguf.shapes import facts_of_shape, load_shapes
from vaultrag.runtime.hardware.detect import (
    UNKNOWN_BANDWIDTH,
    USUAL_BANDWIDTH,
    hardware_of,
    known_bandwidth,
    ram_bandwidth,
)
from vaultrag.runtime.hardware.machine import AUTO, BackendInfo, Device, DeviceKind, Machine
from vaultrag.runtime.hardware.nvml import NvmlCard, nvml_cards
from vaultrag.runtime.hardware.profiles import GIBIBYTE, Hardware
from vaultrag.runtime.offload.choose import Decision, Wish, decide
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.offload.plan import CARD_BATCH, CPU_BATCH, Budget, budget_of, place

SMALL = facts_of_shape(load_shapes()["qwen3-8b"], Scheme.Q4_K_M)
LARGE = facts_of_shape(load_shapes()["llama-3.3-70b-instruct"], Scheme.Q4_K_M)
MACHINE = Machine(8, 64 * GIBIBYTE, 60 * GIBIBYTE, "Linux x86_64")
CPU = Device("CPU", "a processor", DeviceKind.CPU, 60 * GIBIBYTE, 64 * GIBIBYTE)
KNOWN = [NvmlCard("A card", 24 * GIBIBYTE, 23 * GIBIBYTE, 936.0, 71.0)]


def card(free: float, kind: DeviceKind = DeviceKind.GPU, name: str = "A card") -> Device:
    return Device("CUDA0", name, kind, int(free * GIBIBYTE), 24 * GIBIBYTE)


def seen(*devices: Device, gpu_offload: bool = True, machine: Machine = MACHINE) -> Hardware:
    return hardware_of(machine, BackendInfo("0.3", gpu_offload, "", (CPU, *devices)), 60.0, KNOWN)


def wish(gpu_layers: int = AUTO, given: Placement | None = None) -> Wish:
    return Wish(8192, 8, gpu_layers, given)


def test_a_model_that_fits_goes_whole_to_the_gpu() -> None:
    decision = decide(SMALL, wish(), seen(card(23)))
    placement = decision.placement
    assert (placement.gpu_layers, placement.context, placement.threads) == (-1, 8192, 8)
    assert "planned" in decision.reason


def test_a_model_that_is_too_large_shares_its_layers() -> None:
    placement = decide(LARGE, wish(), seen(card(23))).placement
    assert 30 < placement.gpu_layers < 50


def test_what_others_took_of_a_card_is_not_planned_with() -> None:
    crowded = decide(SMALL, wish(), seen(card(4))).placement
    assert 0 < crowded.gpu_layers < 36


def test_settings_are_obeyed() -> None:
    assert decide(LARGE, wish(7), seen(card(1))).placement.gpu_layers == 7
    assert decide(LARGE, wish(-1), seen(card(1))).placement.gpu_layers == -1
    assert decide(LARGE, wish(-1), seen(card(1))).placement.micro_batch == CARD_BATCH


def test_without_a_gpu_it_stays_on_the_cpu() -> None:
    decision = decide(SMALL, wish(), seen())
    placement = decision.placement
    assert (placement.gpu_layers, placement.micro_batch) == (0, CPU_BATCH)
    assert "no GPU" in decision.reason
    assert seen(card(23), gpu_offload=False).cards == ()


def test_a_measured_placement_is_taken_as_long_as_it_has_room() -> None:
    given = Placement(8192, 8, 8, gpu_layers=-1, micro_batch=256, batch=256)
    assert decide(SMALL, wish(given=given), seen(card(23))) == Decision(given, "as planned")
    assert decide(SMALL, wish(given=given), seen(card(3))).placement != given
    crowded = replace(wish(given=given), room=Budget((3 * GIBIBYTE,), 60 * GIBIBYTE))
    assert decide(SMALL, crowded, seen(card(23))).placement != given


def test_what_has_no_room_is_read_from_the_drive_and_the_user_is_told_what_would_fit() -> None:
    decision = decide(LARGE, wish(), replace(seen(card(1)), free=30.0, ram=32.0))
    assert decision.placement.gpu_layers == 0
    assert decision.placement.use_mmap
    assert not decision.placement.repack
    assert "nothing of it fits" in decision.reason
    assert "from the drive for every token" in decision.warning
    assert "The nearest that fits: its quantisation Q" in decision.warning


def test_a_model_whose_cache_has_no_room_is_refused() -> None:
    with pytest.raises(DoesNotFit, match="cache and working memory for 8,192 tokens do not fit"):
        decide(LARGE, wish(), replace(seen(card(1)), free=2.0, ram=8.0))


@pytest.mark.parametrize(("free", "mapped", "repacked"), [(20.0, True, True), (9.0, False, True), (4.0, True, False)])
def test_copies_of_weights_never_push_a_model_out_of_the_ram(free: float, mapped: bool, repacked: bool) -> None:
    placement = decide(SMALL, wish(), replace(seen(), free=free)).placement
    assert (placement.use_mmap, placement.repack) == (mapped, repacked)


@pytest.mark.parametrize("free", [20.0, 9.0, 4.0])
def test_where_extra_buffers_are_not_wanted_nothing_is_copied(free: float) -> None:
    here, without = replace(seen(), free=free), replace(wish(), repack=False)
    given = Placement(8192, 8, 8)
    assert not decide(SMALL, without, here).placement.repack
    assert not decide(SMALL, replace(without, given=given), here).placement.repack
    plan = place(SMALL, replace(seen(), repacks=False), budget_of(seen()), 8192)
    assert plan is not None
    assert not plan.placement.repack
    copied = place(SMALL, seen(), budget_of(seen()), 8192)
    assert copied is not None
    assert copied.footprint.ram.weights - plan.footprint.ram.weights == SMALL.repacked > 0


def test_a_card_has_the_bandwidth_that_its_driver_tells() -> None:
    assert seen(card(23)).cards[0].bandwidth == 936.0
    assert seen(card(23, name="An unknown card")).cards[0].bandwidth == UNKNOWN_BANDWIDTH
    assert seen(card(23)).cards[0].used == pytest.approx(1.0)


def test_unified_memory_is_noticed() -> None:
    shared = seen(card(20, DeviceKind.INTEGRATED))
    assert shared.unified
    assert shared.cards[0].bandwidth == shared.ram_bandwidth


def test_an_integrated_gpu_beside_a_card_is_left_alone_as_llama_cpp_does() -> None:
    both = seen(card(20, DeviceKind.INTEGRATED), card(23))
    assert both.cards == seen(card(23)).cards
    assert not both.unified


def test_an_apple_chip_has_the_bandwidth_of_its_kind() -> None:
    mac = seen(card(20, name="Apple M2 Max"), machine=replace(MACHINE, platform="Darwin arm64"))
    assert mac.unified
    assert mac.cards[0].bandwidth == 400
    assert mac.cards[0].tflops < 20
    assert seen(card(20, name="Apple M99")).cards[0].bandwidth == UNKNOWN_BANDWIDTH


def test_without_a_driver_there_are_no_cards() -> None:
    assert all(card.total > 0 for card in nvml_cards())


def test_bandwidth_is_measured_once_and_kept(tmp_path: Path) -> None:
    machine = replace(MACHINE, cores=1)
    first = ram_bandwidth(tmp_path, machine)
    assert first > 0.1
    assert ram_bandwidth(tmp_path, machine) == first == known_bandwidth(tmp_path, machine)
    assert known_bandwidth(tmp_path, MACHINE) == USUAL_BANDWIDTH
