from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from vaultrag.domain import Role
from vaultrag.runtime.gguf.facts import ModelFacts
from vaultrag.runtime.gguf.quantisation import Scheme
from vaultrag.runtime.gguf.shapes import facts_of_shape, find_shape, load_shapes
from vaultrag.runtime.hardware.profiles import GIBIBYTE, Card, Hardware, load_machines, with_more
from vaultrag.runtime.offload.footprint import card_of, footprint
from vaultrag.runtime.offload.machine_plan import WantedModel, plan_models
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.offload.plan import NoPlan, Plan, budget_of, place, plan_offload
from vaultrag.runtime.offload.targets import Told, machine_as_told

MACHINES = load_machines(Path("no such folder"))
BARE = Placement(context=4096, threads=4, threads_batch=4)


@cache
def facts(name: str, scheme: Scheme = Scheme.Q4_K_M) -> ModelFacts:
    shape = find_shape(name)
    assert shape is not None
    return facts_of_shape(shape, scheme)


def planned(name: str, machine: str | Hardware, context: int = 16384, scheme: Scheme = Scheme.Q4_K_M) -> Plan | NoPlan:
    hardware = MACHINES[machine] if isinstance(machine, str) else machine
    return plan_offload(facts(name, scheme), hardware, budget_of(hardware), context)


def fitting(name: str, machine: str | Hardware, context: int = 16384, scheme: Scheme = Scheme.Q4_K_M) -> Plan:
    plan = planned(name, machine, context, scheme)
    assert isinstance(plan, Plan)
    return plan


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.name)
@pytest.mark.parametrize("context", [4096, 32768])
def test_no_plan_overfills_a_card_or_the_ram(machine: Hardware, context: int) -> None:
    budget = budget_of(machine)
    for shape in load_shapes().values():
        plan = place(facts(shape.name, shape.quantisation), machine, budget, context)
        if plan is None:
            continue
        taken = [use.total for use in plan.footprint.cards]
        assert all(use <= room for use, room in zip(taken, budget.cards, strict=True)), shape.name
        assert plan.footprint.ram.total + (sum(taken) if machine.unified else 0) <= budget.ram, shape.name
        assert plan.footprint == footprint(plan.facts, plan.placement, len(machine.cards))


@pytest.mark.parametrize("machine", [m for m in MACHINES.values() if m.cards], ids=lambda machine: machine.name)
def test_a_reserve_stays_free_on_every_card(machine: Hardware) -> None:
    for card in machine.cards:
        assert card.budget <= card.memory * GIBIBYTE - GIBIBYTE // 2


def test_layers_lie_where_llama_cpp_puts_them() -> None:
    model = facts("qwen3-8b")
    count = len(model.layers)
    last = replace(BARE, gpu_layers=5)
    assert [card_of(index, model, last, 1) for index in range(count + 1)] == [None] * (count - 4) + [0] * 5
    split = replace(BARE, gpu_layers=-1, tensor_split=(30.0, 7.0))
    places = [card_of(index, model, split, 2) for index in range(count + 1)]
    assert places == [0] * 30 + [1] * 7
    assert card_of(0, model, BARE, 1) is None


def test_every_weight_lies_somewhere() -> None:
    for name in ("qwen3-32b", "qwen3-30b-a3b", "gemma-3-27b-it"):
        model = facts(name)
        for placement in (
            replace(BARE, gpu_layers=-1),
            replace(BARE, gpu_layers=20),
            replace(BARE, gpu_layers=-1, expert_cpu_layers=(0, 1, 2)),
        ):
            taken = footprint(model, placement, 1)
            again = model.output if model.tied else 0  # a tied head lies on the card a second time
            assert taken.cards[0].weights + taken.ram.weights == model.weights + again


def test_a_dense_model_shares_its_layers_with_the_ram() -> None:
    plan = fitting("llama-3.3-70b-instruct", "4090-desktop")
    assert 35 <= plan.placement.gpu_layers <= 45
    assert not plan.placement.expert_cpu_layers
    assert plan.forecast.binding == "the bandwidth of the RAM"


def test_a_mixture_keeps_its_attention_on_the_card_and_experts_in_ram() -> None:
    plan = fitting("qwen3-30b-a3b", "8gb-gpu")
    assert plan.placement.gpu_layers == -1
    assert 20 < len(plan.placement.expert_cpu_layers) < 48
    assert plan.placement.use_mmap is False
    assert plan.forecast.decode > 15


def test_a_card_too_small_for_all_attention_holds_that_of_the_last_layers() -> None:
    plan = fitting("qwen3-235b-a22b", replace(MACHINES["8gb-gpu"], ram=192))
    assert len(plan.placement.expert_cpu_layers) == 94
    assert 40 < plan.placement.gpu_layers < 94


def test_what_fits_one_card_of_several_stays_on_it() -> None:
    assert fitting("qwen3-8b", "3x3090").placement.tensor_split == (1.0, 0.0, 0.0)
    split = fitting("llama-3.3-70b-instruct", "3x3090").placement.tensor_split
    assert sum(split) == 81
    assert min(split) > 20


def test_an_unequal_pair_of_cards_gets_unequal_shares() -> None:
    card = MACHINES["2x3090"].cards[0]
    pair = replace(MACHINES["2x3090"], cards=(card, replace(card, memory=40.0)))
    first, second = fitting("llama-3.3-70b-instruct", pair).placement.tensor_split
    assert first < second


@pytest.mark.parametrize(("sizes", "layers"), [((8.0, 24.0), 52), ((8.0, 8.0, 24.0), 64), ((24.0, 8.0), 52)])
def test_small_cards_beside_a_large_one_do_not_hold_it_back(sizes: tuple[float, ...], layers: int) -> None:
    card = MACHINES["2x3090"].cards[0]
    cards = tuple(replace(card, memory=size) for size in sizes)
    assert fitting("llama-3.3-70b-instruct", replace(MACHINES["2x3090"], cards=cards)).placement.gpu_layers >= layers


def test_sliding_windows_are_kept_short_where_room_is_short() -> None:
    assert fitting("gemma-3-27b-it", "workstation", 32768).placement.swa_full
    assert not fitting("gemma-3-27b-it", "4090-desktop", 32768).placement.swa_full


@pytest.mark.parametrize("context", [16384, 32768])
def test_short_windows_let_a_card_hold_the_whole_model(context: int) -> None:
    """Gemma 3 27B on 24 GB: its windows take a quarter of a cache that is kept for the whole context."""
    plan = fitting("gemma-3-27b-it", "4090-desktop", context)
    assert plan.on_cards
    assert (plan.placement.key_type, plan.placement.swa_full) == ("f16", False)


def test_a_cache_of_blocks_fits_heads_that_are_narrower_than_their_share_of_the_width() -> None:
    assert facts("gemma-3-27b-it").blocks_fit  # heads of 128, where 5376 ÷ 32 would be 168
    plan = fitting("gemma-3-27b-it", "4090-desktop", 131072)
    assert plan.placement.key_type == "q8_0"


def test_a_refusal_names_what_would_fit() -> None:
    refusal = planned("qwen3-235b-a22b", "big-ram-small-gpu")
    assert isinstance(refusal, NoPlan)
    assert refusal.missing > 20 * GIBIBYTE
    assert refusal.smaller is not None
    assert refusal.smaller.facts.quantisation == "Q2_K"
    assert refusal.mapped is not None
    assert refusal.mapped.from_disk > 20 * GIBIBYTE
    assert refusal.mapped.placement.use_mmap
    assert not refusal.mapped.placement.repack
    assert refusal.mapped.forecast.decode < refusal.smaller.forecast.decode


def test_what_whole_layers_leave_free_counts_as_missing() -> None:
    refusal = planned("falcon-180b", "big-ram-small-gpu", 2048)
    assert isinstance(refusal, NoPlan)
    assert refusal.mapped is not None
    assert 0 < refusal.missing == refusal.mapped.from_disk < 2 * GIBIBYTE


def test_a_context_that_is_too_long_is_answered_with_a_shorter_one() -> None:
    refusal = planned("qwen3-8b", "small", 40960)
    assert isinstance(refusal, NoPlan)
    assert refusal.shorter is not None
    assert refusal.shorter.placement.context < 40960


@pytest.mark.parametrize("name", ["qwen3-32b", "qwen3-235b-a22b", "llama-3.3-70b-instruct", "qwen3-30b-a3b"])
@pytest.mark.parametrize("machine", ["4090-desktop", "big-ram-small-gpu", "3x3090"])
def test_more_memory_never_makes_a_model_slower(name: str, machine: str) -> None:
    seconds = []
    for more in (0, 8, 16, 24, 48):
        hardware = with_more(MACHINES[machine], more)
        plan = place(facts(name), hardware, budget_of(hardware), 16384)
        seconds.append(plan.seconds if plan else float("inf"))
    for before, after in pairwise(seconds):
        assert after <= before * 1.11  # a plainer way may cost a tenth


def wanted(name: str, scheme: Scheme, *roles: Role) -> WantedModel:
    return WantedModel(name, roles, facts(name, scheme))


BRAIN = wanted("qwen3-32b", Scheme.Q4_K_M, Role.ANSWER, Role.PLAN)
TOOLS = wanted("devstral-small-2505", Scheme.Q8_0, Role.EXTRACT)
CHECKER = wanted("deepseek-r1-0528-qwen3-8b", Scheme.Q8_0, Role.JUDGE)
KEEPER = wanted("gemma-3-27b-it", Scheme.Q8_0, Role.ANSWER)
LOGIC = wanted("qwen3-32b", Scheme.Q4_K_M, Role.PLAN, Role.JUDGE)
WORD = wanted("deepseek-r1-distill-llama-70b", Scheme.Q4_K_M, Role.FINAL)


@pytest.mark.parametrize(
    "models", [(BRAIN, TOOLS, CHECKER), (KEEPER, LOGIC, TOOLS), (CHECKER, TOOLS, WORD)], ids=["brain", "keeper", "word"]
)
@pytest.mark.parametrize("context", [8192, 32768])
def test_the_combinations_stay_loaded_together_on_96_gb(models: tuple[WantedModel, ...], context: int) -> None:
    result = plan_models(models, MACHINES["workstation"], context)
    assert [placed.is_swapped for placed in result.placed()] == [False, False, False]
    assert all(placed.plan.on_cards for placed in result.placed())
    taken = sum(placed.plan.footprint.cards[0].total for placed in result.placed())
    assert taken == budget_of(MACHINES["workstation"]).cards[0] - result.left.cards[0]
    assert result.left.cards[0] >= 0


def test_what_does_not_fit_beside_the_answering_model_is_swapped_in() -> None:
    result = plan_models((WORD, BRAIN, CHECKER), MACHINES["2x3090"], 8192)
    swapped = {placed.wanted.name: placed.is_swapped for placed in result.placed()}
    assert swapped["deepseek-r1-distill-llama-70b"]
    assert not swapped["qwen3-32b"]
    assert [placed.wanted.name for placed in result.placed()] == [m.name for m in (WORD, BRAIN, CHECKER)]


def test_embedder_and_reranker_have_their_ram() -> None:
    alone = plan_models((BRAIN,), MACHINES["workstation"], 8192)
    beside = plan_models((BRAIN,), MACHINES["workstation"], 8192, others=3 * GIBIBYTE)
    assert alone.left.ram - beside.left.ram == 3 * GIBIBYTE


def test_unified_memory_is_counted_once() -> None:
    plan = fitting("qwen3-32b", "unified-laptop")
    assert plan.on_cards
    assert isinstance(planned("qwen3-235b-a22b", "unified-laptop"), NoPlan)


def test_unified_memory_grows_with_the_machine() -> None:
    laptop = machine_as_told(MACHINES["unified-laptop"], Told(ram=128))
    assert fitting("llama-3.3-70b-instruct", laptop, scheme=Scheme.Q8_0).on_cards
    busy = replace(MACHINES["unified-laptop"], free=20.0)
    assert budget_of(with_more(busy, 8)).ram - budget_of(busy).ram == 8 * GIBIBYTE


def test_a_card_in_use_has_less_room() -> None:
    card = Card("card", 24, 1000, 100)
    assert replace(card, used=10).budget == card.budget - 10 * GIBIBYTE
