"""Where a model's layers go on a given machine. Pure: facts, machine and wishes in, a plan or a refusal out.

The order of what is tried follows llama.cpp's own fitting (`common/fit.cpp`): everything on the cards; a mixture of
experts with the experts of its first layers in RAM; otherwise as many whole layers as fit, counted from the end. Of the
ways to keep the KV cache, the plainest is taken that is not clearly slower than the fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from vaultrag.runtime.gguf.facts import ModelFacts
from vaultrag.runtime.gguf.quantisation import SMALLER, requantised
from vaultrag.runtime.hardware.profiles import Hardware
from vaultrag.runtime.offload.footprint import Footprint, footprint
from vaultrag.runtime.offload.forecast import Forecast, forecast
from vaultrag.runtime.offload.kv_cache import cache_bytes, settled
from vaultrag.runtime.offload.placement import Placement

CPU_BATCH = 128  # tokens: on a CPU 256 or 512 read at most 4 % faster, and take 75 MB more each
CARD_BATCH = 512  # a card needs more at once; a request is heeded between two batches
STREAMING_BATCH = 2048  # weights that cross the bus for each batch want a large one
CLEARLY = 1.1  # a plainer way may take a tenth longer
TOKENS_READ, TOKENS_WRITTEN = 3000, 400  # of a usual question: passages, and an answer with a little thought
LEAST_CONTEXT = 4096  # below it no passages fit beside a question


class Thrift(StrEnum):
    """How sparingly KV caches are kept."""

    PLAIN = "as plain as is fast"
    WINDOWED = "sliding windows only as long as they are"
    QUANTISED = "in 8 bits as well"


@dataclass(frozen=True, slots=True)
class Budget:
    """The bytes that a model may take on each card and in RAM."""

    cards: tuple[int, ...]
    ram: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A placement of one model, what it takes, and how fast it will be. `from_disk` bytes have no room in RAM."""

    facts: ModelFacts
    placement: Placement
    footprint: Footprint
    forecast: Forecast
    from_disk: int = 0

    @property
    def on_cards(self) -> bool:
        """Whether all of it is computed on cards."""
        return self.placement.gpu_layers < 0 and not self.placement.expert_cpu_layers

    @property
    def seconds(self) -> float:
        """What a usual question takes."""
        return TOKENS_READ / self.forecast.prefill + TOKENS_WRITTEN / self.forecast.decode


@dataclass(frozen=True, slots=True)
class NoPlan:
    """A model that does not fit, by how much, and what would: the nearest first."""

    facts: ModelFacts
    missing: int
    smaller: Plan | None
    mapped: Plan | None
    shorter: Plan | None


def fits(facts: ModelFacts, placement: Placement, hardware: Hardware, budget: Budget) -> bool:
    """Whether a placement has room."""
    taken = footprint(facts, placement, len(hardware.cards))
    return _fits_cards(taken, budget) and _ram_needed(taken, hardware) <= budget.ram


def budget_of(hardware: Hardware) -> Budget:
    return Budget(tuple(card.budget for card in hardware.cards), hardware.ram_budget)


def plan_offload(facts: ModelFacts, hardware: Hardware, budget: Budget, context: int) -> Plan | NoPlan:
    """Place one model, or say what would fit in its stead."""
    return place(facts, hardware, budget, context) or refuse(facts, hardware, budget, context)


def place(
    facts: ModelFacts, hardware: Hardware, budget: Budget, context: int, thrift: Thrift = Thrift.PLAIN
) -> Plan | None:
    """Return the plainest of the fast placements; None where nothing fits."""
    ways = _ways(facts, hardware, context, thrift)
    tried = [found for way in ways for found in _fill(facts, hardware, budget, way)]
    if not tried:
        return None
    fastest = min(plan.seconds for plan in tried)
    return next(plan for plan in tried if plan.seconds <= CLEARLY * fastest)


def _ways(facts: ModelFacts, hardware: Hardware, context: int, thrift: Thrift) -> Iterator[Placement]:
    """Yield the ways to keep the cache, the plainest first, with everything on the cards where there are any."""
    batch = CARD_BATCH if hardware.cards else CPU_BATCH
    base = Placement(
        context=min(context, facts.context),
        threads=hardware.cores,
        threads_batch=hardware.cores,
        gpu_layers=-1 if hardware.cards else 0,
        batch=batch,
        micro_batch=batch,
        repack=hardware.repacks,
    )
    windowed = any(layer.window for layer in facts.layers)
    windows = (True,) if not windowed else (True, False) if thrift is Thrift.PLAIN else (False,)
    types = ("f16",) if not facts.blocks_fit else ("q8_0",) if thrift is Thrift.QUANTISED else ("f16", "q8_0")
    for cache in types:
        for full in windows:
            yield replace(base, key_type=cache, value_type=cache, swa_full=full)


def _fill(facts: ModelFacts, hardware: Hardware, budget: Budget, way: Placement) -> Iterator[Plan]:
    """Yield placements of one way: whole on the cards, else shared with the RAM."""
    if not hardware.cards:
        yield from _fitting(facts, hardware, budget, (replace(way, use_mmap=mapped) for mapped in (True, False)))
        return
    whole = list(_fitting(facts, hardware, budget, [*_on_one_card(budget, way), _spread(facts, budget, way)]))
    if whole:
        yield from whole
        return
    for batch in (CARD_BATCH, STREAMING_BATCH):
        shared = replace(way, batch=batch, micro_batch=batch, use_mmap=False)
        if facts.experts:
            yield from _fitting(facts, hardware, budget, _fewest(facts, budget, shared, _with_experts_in_ram))
            yield from _fitting(facts, hardware, budget, _fewest(facts, budget, shared, _with_all_experts_in_ram))
        yield from _fitting(facts, hardware, budget, _fewest(facts, budget, shared, _with_layers_in_ram))


def _fitting(
    facts: ModelFacts, hardware: Hardware, budget: Budget, placements: Iterator[Placement] | Sequence[Placement]
) -> Iterator[Plan]:
    """Yield a plan of the first placement that fits cards and RAM."""
    for placement in placements:
        if fits(facts, placement, hardware, budget):
            taken = footprint(facts, placement, len(hardware.cards))
            yield Plan(facts, placement, taken, forecast(facts, placement, hardware))
            return


def _fewest(
    facts: ModelFacts, budget: Budget, way: Placement, moved: Callable[[ModelFacts, Placement, int], Placement]
) -> list[Placement]:
    """Move as few layers to the RAM as let the cards hold the rest; none, where even all are not enough."""

    def tried(count: int) -> Placement:
        return _spread(facts, budget, moved(facts, way, count))

    low, high = 0, len(facts.layers)
    if not _fits_cards(footprint(facts, tried(high), len(budget.cards)), budget):
        return []
    while low < high:
        middle = (low + high) // 2
        if _fits_cards(footprint(facts, tried(middle), len(budget.cards)), budget):
            high = middle
        else:
            low = middle + 1
    return [tried(low)]


def _on_one_card(budget: Budget, way: Placement) -> Iterator[Placement]:
    """Yield the placements that use one card of several, the one with most room first: what crosses none is fastest."""
    count = len(budget.cards)
    for chosen in sorted(range(count), key=lambda card: -budget.cards[card]) if count > 1 else ():
        yield replace(way, tensor_split=tuple(float(card == chosen) for card in range(count)))


def _with_experts_in_ram(_facts: ModelFacts, way: Placement, count: int) -> Placement:
    return replace(way, expert_cpu_layers=tuple(range(count)))


def _with_all_experts_in_ram(facts: ModelFacts, way: Placement, count: int) -> Placement:
    """Move whole layers beside all experts: a small card then holds the attention of the most layers."""
    return replace(_with_layers_in_ram(facts, way, count), expert_cpu_layers=tuple(range(len(facts.layers))))


def _with_layers_in_ram(facts: ModelFacts, way: Placement, count: int) -> Placement:
    return replace(way, gpu_layers=len(facts.layers) + 1 - count)


def _spread(facts: ModelFacts, budget: Budget, placement: Placement) -> Placement:
    """Share the layers among several cards by what working memory leaves of them: whole layers for each."""
    if len(budget.cards) < 2:
        return placement
    sizes = _sizes(facts, placement)
    first = _shared(sizes, budget.cards, placement)
    beside = [use.compute + use.process for use in footprint(facts, first, len(budget.cards)).cards]
    return _shared(sizes, [max(1, room - less) for room, less in zip(budget.cards, beside, strict=True)], placement)


def _shared(sizes: Sequence[int], rooms: Sequence[int], placement: Placement) -> Placement:
    total, whole = sum(sizes), sum(rooms)
    shares = [0] * len(rooms)
    card, taken, reach = 0, 0.0, rooms[0]
    for size in sizes:
        while card + 1 < len(shares) and taken + size / 2 > total * reach / max(1, whole):
            card += 1
            reach += rooms[card]
        shares[card] += 1
        taken += size
    return replace(placement, tensor_split=tuple(float(share) for share in shares))


def _sizes(facts: ModelFacts, placement: Placement) -> list[int]:
    """Return what each layer takes on a card, from the first that is on one, the head at the end."""
    in_ram, placement = frozenset(placement.expert_cpu_layers), settled(facts, placement)
    layers = [
        layer.dense + (0 if index in in_ram else layer.experts) + cache_bytes(facts, layer, placement)
        for index, layer in enumerate(facts.layers)
    ]
    count = len(layers) + 1
    wanted = count if placement.gpu_layers < 0 else min(placement.gpu_layers, count)
    return [*layers, facts.output][count - wanted :]


def _fits_cards(taken: Footprint, budget: Budget) -> bool:
    return all(use.total <= room for use, room in zip(taken.cards, budget.cards, strict=True))


def _ram_needed(taken: Footprint, hardware: Hardware) -> int:
    """Return what is taken of the RAM; a card with unified memory takes its own from there too."""
    return taken.ram.total + (sum(use.total for use in taken.cards) if hardware.unified else 0)


def refuse(facts: ModelFacts, hardware: Hardware, budget: Budget, context: int) -> NoPlan:
    """Say what would fit in the stead of a model that does not."""
    smaller = (requantised(facts, scheme) for scheme in SMALLER)
    found = (place(less, hardware, budget, context) for less in smaller if less.weights < facts.weights)
    halves = _halves(min(context, facts.context))
    mapped = _mapped(facts, hardware, budget, context)
    return NoPlan(
        facts=facts,
        # where all places together would do, whole layers leave gaps in them
        missing=_missing(facts, hardware, budget, context) or (mapped.from_disk if mapped else 0),
        smaller=next((plan for plan in found if plan), None),
        mapped=mapped,
        shorter=next((plan for less in halves if (plan := place(facts, hardware, budget, less))), None),
    )


def _halves(context: int) -> Iterator[int]:
    while (context := context // 2) >= LEAST_CONTEXT:
        yield context


def _missing(facts: ModelFacts, hardware: Hardware, budget: Budget, context: int) -> int:
    bare = Placement(context=min(context, facts.context), threads=1, threads_batch=1)
    wanted = footprint(facts, replace(bare, use_mmap=False), 0).ram.total
    return max(0, wanted - budget.ram - (0 if hardware.unified else sum(budget.cards)))


def _mapped(facts: ModelFacts, hardware: Hardware, budget: Budget, context: int) -> Plan | None:
    """Return the plan with a RAM as large as it takes, and what of the weights is then read from the drive.

    Nothing is copied into another order: such copies cannot be let go of, and the system would end the process.
    """
    boundless = place(facts, hardware, replace(budget, ram=1 << 62), context)
    if boundless is None:
        return None
    placement = replace(boundless.placement, use_mmap=True, repack=False)
    taken = footprint(facts, placement, len(hardware.cards))
    needed = _ram_needed(taken, hardware)
    from_disk = max(0, needed - budget.ram)
    if from_disk > taken.ram.weights:
        return None  # only weights can be left in the file
    return Plan(facts, placement, taken, forecast(facts, placement, hardware, from_disk=from_disk), from_disk)
