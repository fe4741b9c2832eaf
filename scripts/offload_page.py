"""docs/offload.md: plans for the models and machines that VaultRAG was made for, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vaultrag.config import Settings
from vaultrag.runtime.gguf.facts import ModelFacts
from vaultrag.runtime.gguf.quantisation import Scheme
from vaultrag.runtime.gguf.shapes import facts_of_shape, find_shape, load_shapes
from vaultrag.runtime.hardware.profiles import GIBIBYTE, Card, Hardware, load_machines
from vaultrag.runtime.models.combinations import load_combinations
from vaultrag.runtime.offload.footprint import footprint
from vaultrag.runtime.offload.forecast import forecast
from vaultrag.runtime.offload.kv_cache import cache_bytes, settled
from vaultrag.runtime.offload.machine_plan import Placed, plan_models
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.offload.plan import NoPlan, Plan, budget_of, plan_offload
from vaultrag.runtime.offload.targets import models_of_settings

NOWHERE = Path("no such folder")  # only what is shipped is planned for
WITHIN = 1.5  # a forecast this far from a measured run, up or down, is a hit
CONTEXT = 16_384


@dataclass(frozen=True, slots=True)
class Measured:
    """A run that somebody measured, with the hardware it names. `least` to `most` tokens a second."""

    model: str
    scheme: Scheme
    hardware: Hardware
    least: float
    most: float
    read: float = 0.0
    experts_in_ram: int = 0
    miss: str = ""


def _computer(name: str, *cards: Card, ram: float = 128, bandwidth: float = 60, cores: int = 16) -> Hardware:
    return Hardware(name, "", cores, ram, bandwidth, cards)


def _unified(name: str, memory: float, wired: float, bandwidth: float, tflops: float) -> Hardware:
    card = Card(name, wired, bandwidth, tflops)
    return Hardware(name, "", 24, memory, bandwidth, (card,), bus=bandwidth, unified=True)


RTX_3090 = Card("RTX 3090", 24, 936, 71)
RTX_4090 = Card("RTX 4090", 24, 1008, 165)
MEASURED: Sequence[Measured] = (
    Measured("llama-2-70b", Scheme.Q4_0, _computer("RTX A6000, 768 GB/s", Card("A6000", 48, 768, 77)), 15.2, 15.2),
    Measured("llama-2-70b", Scheme.Q4_0, _computer("RTX 6000 Ada, 960 GB/s", Card("Ada", 48, 960, 182)), 17.0, 17.0),
    Measured(
        "llama-2-70b",
        Scheme.Q4_0,
        _computer("H100 PCIe, 2,039 GB/s", Card("H100", 80, 2039, 756)),
        25.9,
        25.9,
        miss="the run reached 47 % of the bandwidth, where the other cards reach 65 to 75 %",
    ),
    Measured("llama-2-70b", Scheme.Q4_0, _unified("M2 Ultra, 800 GB/s", 192, 144, 800, 27), 14.4, 14.4),
    Measured("llama-3.3-70b-instruct", Scheme.Q4_K_M, _computer("2 × RTX 3090", RTX_3090, RTX_3090), 16.6, 16.6, 357),
    Measured("llama-3.3-70b-instruct", Scheme.Q4_K_M, _computer("2 × RTX 4090", RTX_4090, RTX_4090), 19.2, 19.2, 839),
    Measured(
        "llama-3.3-70b-instruct",
        Scheme.Q4_K_M,
        _computer("Ryzen 7900X, RTX 4090", RTX_4090, ram=64, bandwidth=83, cores=12),
        3.1,
        3.1,
    ),
    Measured(
        "llama-3.3-70b-instruct",
        Scheme.Q4_K_M,
        _computer("RTX 4090, 35 to 40 layers on it (notes)", RTX_4090, ram=64, bandwidth=60),
        1.5,
        2.0,
    ),
    Measured(
        "qwen3-235b-a22b",
        Scheme.Q4_K_M,
        _computer("3 × RTX 3090, 128 GB (notes)", RTX_3090, RTX_3090, RTX_3090, bandwidth=70),
        5.0,
        10.0,
    ),
    Measured(
        "qwen3-30b-a3b",
        Scheme.Q4_K_M,
        _computer("RTX 2080 8 GB, DDR4 102 GB/s", Card("RTX 2080", 8, 448, 40), ram=64, bandwidth=102),
        36.7,
        36.7,
        experts_in_ram=36,
    ),
    Measured(
        "qwen3.5-35b-a3b",
        Scheme.Q4_K_M,
        _computer("RTX 5080, DDR5-4800", Card("RTX 5080", 16, 960, 112), ram=64, bandwidth=77),
        51.0,
        70.0,
        experts_in_ram=40,
    ),
    Measured("falcon-180b", Scheme.Q2_K, _computer("RTX 3090, rest in RAM (notes)", RTX_3090, bandwidth=50), 0.5, 1.0),
    Measured("deepseek-r1-671b", Scheme.Q4_K_M, _unified("M3 Ultra, 819 GB/s", 512, 440, 819, 28), 19.9, 19.9),
    Measured(
        "deepseek-r1-671b",
        Scheme.Q4_K_M,
        _computer("AmpereOne, eight channels of DDR5", ram=512, bandwidth=333, cores=192),
        4.2,
        4.2,
        miss="192 ARM cores: neither their kernels nor the sharing out of experts scale as bandwidth does",
    ),
    Measured("llama-2-7b", Scheme.Q4_0, _computer("i5-6500, DDR3 20 GB/s", ram=16, bandwidth=20, cores=4), 3.9, 3.9),
    Measured(
        "qwen2.5-coder-1.5b-instruct",
        Scheme.Q4_K_M,
        _computer("two EPYC cores", ram=24, bandwidth=39, cores=2),
        15.0,
        17.0,
        39,
    ),
    Measured(
        "qwen2.5-coder-0.5b-instruct",
        Scheme.Q4_K_M,
        _computer("two EPYC cores", ram=24, bandwidth=39, cores=2),
        22.0,
        22.0,
        89,
        miss="rows of 896 weights fill no blocks of 256: the file is Q5_0 and Q8_0, whose kernels are slower",
    ),
)

CASES: Sequence[tuple[str, Scheme, str]] = (
    ("qwen3-235b-a22b", Scheme.Q4_K_M, "workstation"),
    ("qwen3-coder-480b-a35b", Scheme.Q4_K_M, "workstation"),
    ("qwen3-235b-a22b", Scheme.Q4_K_M, "big-ram-small-gpu"),
    ("qwen3-235b-a22b", Scheme.Q4_K_M, "3x3090"),
    ("llama-3.3-70b-instruct", Scheme.Q4_K_M, "4090-desktop"),
    ("qwen3-30b-a3b", Scheme.Q4_K_M, "8gb-gpu"),
    ("llama-3.3-70b-instruct", Scheme.Q4_K_M, "unified-laptop"),
    ("qwen3-coder-480b-a35b", Scheme.Q4_K_M, "cpu-server"),
)


def ratio(row: Measured) -> float:
    """Return the forecast over the nearest end of what was measured: 1 is a hit, and what lies between is 1."""
    predicted = predict(row).forecast.decode
    return predicted / min(max(predicted, row.least), row.most)


def predict(row: Measured) -> Plan:
    """Return the plan of a measured run; with its own placement where the run names it."""
    facts = _facts(row.model, row.scheme)
    if not row.experts_in_ram:
        plan = plan_offload(facts, row.hardware, budget_of(row.hardware), 4096)
        assert isinstance(plan, Plan), row
        return plan
    placement = Placement(4096, 16, 16, -1, expert_cpu_layers=tuple(range(row.experts_in_ram)), micro_batch=512)
    taken = footprint(facts, placement, len(row.hardware.cards))
    return Plan(facts, placement, taken, forecast(facts, placement, row.hardware))


def page() -> str:
    """Return docs/offload.md."""
    lines = [_INTRODUCTION, "## Models", "", *_models(), "", "## The three combinations on the workstation", ""]
    lines += [*_combinations(), "", "## Single models, and what binds them", "", *_cases()]
    lines += ["", "## A laptop without a GPU", "", *_laptop(), "", "## Forecasts beside measured runs", "", *_rows()]
    return "\n".join([*lines, "", _END])


def _models() -> Iterator[str]:
    cache = "GiB of cache for 16k tokens, or all that it was trained for (f16, q8_0)"
    yield f"| model | parameters | active | quantisation | GiB | GB | {cache} |"
    yield "|---|--:|--:|---|--:|--:|---|"
    for shape in load_shapes().values():
        facts = facts_of_shape(shape, shape.quantisation)
        caches = (_cache(facts, name) / GIBIBYTE for name in ("f16", "q8_0"))
        yield (
            f"| {shape.name} | {facts.parameters / 1e9:.1f}B | {facts.active_parameters / 1e9:.1f}B |"
            f" {facts.quantisation} | {facts.size / GIBIBYTE:.1f} | {facts.size / 1e9:.1f} |"
            f" {', '.join(f'{size:.1f}' for size in caches)} |"
        )


def _cache(facts: ModelFacts, name: str) -> int:
    plain = Placement(CONTEXT, 1, 1, key_type=name, value_type=name, batch=512, micro_batch=512, swa_full=False)
    placement = settled(facts, plain)
    return sum(cache_bytes(facts, layer, placement) for layer in facts.layers)


def _combinations() -> Iterator[str]:
    machine = load_machines(NOWHERE)["workstation"]
    yield "| combination | context | model | roles | GiB on the card | tokens/s written | read | stays |"
    yield "|---|--:|---|---|--:|--:|--:|---|"
    for combination in load_combinations(NOWHERE).values():
        for context in (16_384, 32_768):
            settings = Settings()
            chosen = settings.models.model_copy(update={"combination": combination.name})
            named = models_of_settings(settings.model_copy(update={"models": chosen}), NOWHERE)
            planned = plan_models(named.wanted, machine, context, named.others)
            for placed in planned.placed():
                yield f"| {combination.name} | {context:,} | {_placed(placed)} |"
            yield f"| | | *left on the card* | | {planned.left.cards[0] / GIBIBYTE:.1f} | | | |"


def _placed(placed: Placed) -> str:
    plan = placed.plan
    stays = f"swapped, {placed.swap_seconds:.0f} s" if placed.is_swapped else "yes"
    roles = ", ".join(role.value for role in placed.wanted.roles)
    taken = plan.footprint.cards[0].total / GIBIBYTE
    name = f"{placed.wanted.name} {plan.facts.quantisation}"
    return f"{name} | {roles} | {taken:.1f} | {plan.forecast.decode:.0f} | {plan.forecast.prefill:,.0f} | {stays}"


def _cases() -> Iterator[str]:
    yield from _HEAD
    machines = load_machines(NOWHERE)
    for name, scheme, machine in CASES:
        yield from _planned(name, scheme, machines[machine], CONTEXT)


def _laptop() -> Iterator[str]:
    yield from _HEAD
    machines = load_machines(NOWHERE)
    for shape in load_shapes().values():
        if shape.name in ("llama-2-7b", "llama-2-70b", "llama-3.3-70b-instruct", "falcon-180b", "deepseek-r1-671b"):
            continue
        yield from _planned(shape.name, shape.quantisation, machines["laptop"], 8192)


def _planned(name: str, scheme: Scheme, machine: Hardware, context: int) -> Iterator[str]:
    plan = plan_offload(_facts(name, scheme), machine, budget_of(machine), context)
    if isinstance(plan, Plan):
        yield _plan_row(name, machine.name, plan, "")
        return
    missing = f"**does not fit**: {plan.missing / GIBIBYTE:.0f} GiB are missing"
    yield f"| {name} {scheme} | {machine.name} | {missing} | | | | | |"
    for choice, why in _choices(plan):
        yield _plan_row(f"… {name}", machine.name, choice, why)


def _choices(refusal: NoPlan) -> Iterable[tuple[Plan, str]]:
    choices = ((refusal.shorter, "shorter"), (refusal.smaller, "smaller"), (refusal.mapped, "from the drive"))
    return [(plan, why) for plan, why in choices if plan is not None]


def _plan_row(name: str, machine: str, plan: Plan, why: str) -> str:
    cards = " + ".join(f"{use.total / GIBIBYTE:.1f}" for use in plan.footprint.cards) or "–"
    ram = f"{plan.footprint.ram.total / GIBIBYTE:.1f}"
    drive = f" ({plan.from_disk / GIBIBYTE:.0f} of them from the drive)" if plan.from_disk else ""
    speeds = f"{plan.forecast.decode:.1f} | {plan.forecast.prefill:,.0f}"
    where = f"{why}: {_where(plan)}" if why else _where(plan)
    return (
        f"| {name} {plan.facts.quantisation} | {machine} | {where} | {cards} | {ram}{drive} | {speeds} |"
        f" {plan.forecast.binding} |"
    )


def _where(plan: Plan) -> str:
    placement = plan.placement
    layers = len(plan.facts.layers)
    if placement.gpu_layers == 0:
        where = "CPU"
    elif placement.gpu_layers > 0:
        where = f"{placement.gpu_layers} of {layers + 1} layers on cards"
    else:
        experts = len(placement.expert_cpu_layers)
        where = f"experts of {experts} of {layers} layers in RAM" if experts else "all on cards"
    return f"{where}; context {placement.context:,}, cache {placement.key_type}"


def _rows() -> Iterator[str]:
    yield "| model | machine | measured | forecast | forecast ÷ measured | read: measured, forecast |"
    yield "|---|---|--:|--:|--:|---|"
    misses = []
    for row in MEASURED:
        plan, off = predict(row), ratio(row)
        span = f"{row.least:g}" if row.least == row.most else f"{row.least:g}–{row.most:g}"
        mark = "" if 1 / WITHIN <= off <= WITHIN else " **miss**"
        read = f"{row.read:.0f}, {plan.forecast.prefill:.0f}" if row.read else ""
        speeds = f"{span} | {plan.forecast.decode:.1f} | {off:.2f}{mark}"
        yield f"| {row.model} {row.scheme} | {row.hardware.name} | {speeds} | {read} |"
        if row.miss:
            misses.append(f"- {row.model} on {row.hardware.name}: {row.miss}.")
    yield ""
    yield "What is outside, or at the edge of, a factor of 1.5, and why:"
    yield ""
    yield from misses


def _facts(name: str, scheme: Scheme) -> ModelFacts:
    shape = find_shape(name)
    assert shape is not None, name
    return facts_of_shape(replace(shape, name=name), scheme)


_HEAD = (
    "| model | machine | placement | GiB on cards | GiB of RAM | tokens/s written | read | what binds |",
    "|---|---|---|---|---|--:|--:|---|",
)
_INTRODUCTION = """# Where large models lie, and how fast they are

`vaultrag models plan` reads a model's header (or its published shape), asks the machine (or takes a profile of
`config/profiles/machines.toml`, or what you tell it), and decides: layers for each card, the split between cards, which
layers' experts stay in RAM, the types of the KV cache, batch sizes, threads, mapping or not, and which models stay
loaded together. What it says is arithmetic; nothing is loaded for it.

**Bytes.** Weights and KV cache follow from the header: within 1 % of what llama.cpp allocates for 16 generated models
(dense, grouped and per-layer heads, sliding windows, mixtures with and without shared experts, latent attention,
hybrids; eight quantisations; three cache types) and both small models, by
`tests/runtime/offload/test_footprint.py`. Headers with the true shapes below are accepted by llama.cpp itself, laid
out without memory. Working memory is a formula fitted to what llama.cpp reserves for these twenty models: within 25 %
or 64 MiB on the CPU. On a card come 450 MiB for each process, and two of the largest tensors where weights cross the
bus; 3 % of a card (at least 512 MiB) stay free.

**Speed.** A token's time is the sum over all places of bytes read ÷ (bandwidth × efficiency): 75 % of a card's or the
RAM's bandwidth, 55 % for experts picked here and there in RAM, plus kernel starts for each layer. Reading a prompt is
bound by a card's matrix units (70 %, mixtures 25 %), or by the bus where weights lie in RAM, or by the cores. These
shares were chosen by looking at the runs at the end of this page: that they agree there is no proof for other machines.

**Refusals.** What does not fit is refused with the nearest that does: a shorter context, a smaller quantisation, or the
file mapped with the part that has no room read from the drive for every token.
"""
_END = """## What is not proven

No machine with a GPU was at hand: all figures for cards are arithmetic over vendors' bandwidths, held against other
people's runs above. What llama.cpp reserves on a card was read in its source, not measured. `vaultrag models bench`
measures the plan and its neighbours on your machine and keeps the best.
"""
