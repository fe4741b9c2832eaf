from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from offload_page import MEASURED, WITHIN, Measured, ratio

from vaultrag.runtime.gguf.quantisation import Scheme
from vaultrag.runtime.gguf.shapes import facts_of_shape, load_shapes
from vaultrag.runtime.hardware.profiles import Card, Hardware, load_machines
from vaultrag.runtime.offload.forecast import forecast
from vaultrag.runtime.offload.placement import Placement

MACHINES = load_machines(Path("no such folder"))
ON_CARD = Placement(16384, 8, 8, -1, micro_batch=512)
DENSE = facts_of_shape(load_shapes()["qwen3-32b"], Scheme.Q4_K_M)
MIXTURE = facts_of_shape(load_shapes()["qwen3-30b-a3b"], Scheme.Q4_K_M)


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: f"{row.model} on {row.hardware.name}")
def test_forecasts_are_near_measured_runs_or_the_miss_is_explained(row: Measured) -> None:
    assert 1 / WITHIN <= ratio(row) <= WITHIN or row.miss


def test_most_measured_runs_are_hit() -> None:
    hits = [row for row in MEASURED if 1 / WITHIN <= ratio(row) <= WITHIN]
    assert len(hits) >= 0.85 * len(MEASURED)


def test_a_token_never_costs_less_than_the_bandwidth_allows() -> None:
    for shape in load_shapes().values():
        facts = facts_of_shape(shape, shape.quantisation)
        for machine in MACHINES.values():
            placement = replace(ON_CARD, gpu_layers=-1 if machine.cards else 0)
            fastest = max([machine.ram_bandwidth, *(card.bandwidth for card in machine.cards)]) * 1e9
            read = facts.output + sum(layer.dense + layer.experts * facts.expert_share for layer in facts.layers)
            assert forecast(facts, placement, machine).decode <= fastest / read


def test_a_longer_context_is_slower_and_a_quantised_cache_less_so() -> None:
    machine = MACHINES["4090-desktop"]
    short, long = (forecast(DENSE, ON_CARD, machine, depth).decode for depth in (512, 16384))
    eight_bits = forecast(DENSE, replace(ON_CARD, key_type="q8_0", value_type="q8_0"), machine, 16384).decode
    assert long < eight_bits < short


def test_experts_in_ram_bind_by_the_ram_and_are_read_in_large_batches() -> None:
    machine = MACHINES["4090-desktop"]
    shared = replace(ON_CARD, expert_cpu_layers=tuple(range(48)))
    here, there = forecast(MIXTURE, ON_CARD, machine), forecast(MIXTURE, shared, machine)
    assert there.binding == "the bandwidth of the RAM"
    assert there.decode < here.decode
    assert forecast(MIXTURE, replace(shared, micro_batch=2048), machine).prefill > 2 * there.prefill


def test_what_is_read_from_the_drive_binds() -> None:
    machine = Hardware("m", "", 8, 16, 50, (), disk=2)
    slow = forecast(DENSE, replace(ON_CARD, gpu_layers=0), machine, from_disk=DENSE.weights // 2)
    assert slow.binding == "the drive"
    assert slow.decode < 0.3


def test_few_cores_bind_before_the_bandwidth() -> None:
    placement = replace(ON_CARD, gpu_layers=0)
    few = forecast(DENSE, placement, Hardware("m", "", 1, 64, 100))
    many = forecast(DENSE, placement, Hardware("m", "", 32, 64, 100))
    assert few.binding == "the cores"
    assert many.binding == "the bandwidth of the RAM"
    assert few.decode < many.decode


def test_a_faster_card_is_faster() -> None:
    slow = Hardware("m", "", 8, 64, 50, (Card("a", 48, 500, 50),))
    fast = replace(slow, cards=(Card("b", 48, 1000, 100),))
    before, after = forecast(DENSE, ON_CARD, slow), forecast(DENSE, ON_CARD, fast)
    assert after.decode > 1.8 * before.decode
    assert after.prefill == pytest.approx(2 * before.prefill)
