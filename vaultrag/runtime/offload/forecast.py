"""How fast a placement will be: bytes read for a token over the bandwidth of each place. Pure arithmetic.

The efficiencies are fitted to the measured runs that docs/offload.md lists, and held against them by a test.
"""

from __future__ import annotations

from dataclasses import dataclass

from vaultrag.runtime.gguf.facts import ModelFacts
from vaultrag.runtime.gguf.layers import LayerFacts
from vaultrag.runtime.gguf.tensor_types import row_bytes
from vaultrag.runtime.hardware.profiles import Hardware
from vaultrag.runtime.offload.footprint import card_of
from vaultrag.runtime.offload.placement import CACHE_TYPES, Placement

GB = 1e9
CARD_EFFICIENCY = 0.75  # of a card's bandwidth that matrices of one model reach: 47 to 75 % was measured
RAM_EFFICIENCY = 0.75  # of the RAM's: a 7B model on an i5-6500 reached 75 %
EXPERT_EFFICIENCY = 0.55  # of the RAM's, where small matrices are picked here and there
CORE_EFFICIENCY = 0.4  # of what cores reach on a prompt, when they multiply by one token: measured on two EPYC cores
CARD_LAYER_SECONDS = 15e-6  # kernels of a layer that a card starts for one token
EXPERT_LAYER_SECONDS = 45e-6  # the same with a router and experts
CROSSING_SECONDS = 40e-6  # there and back between card and CPU, for each layer whose experts lie in RAM
PREFILL_EFFICIENCY = 0.7  # of a card's matrix units: two RTX 4090 reached 71 %, two RTX 3090 70 %
EXPERT_PREFILL_EFFICIENCY = 0.25  # many small matrices
OFFLOADED_BATCH = 32  # from this many tokens on a card computes with weights that lie in the RAM
DEPTH = 2048  # tokens of context that a usual question holds: what is read of the KV cache for each token


@dataclass(frozen=True, slots=True)
class Forecast:
    """Tokens a second, written and read, and which place takes most of the time of a written token."""

    decode: float
    prefill: float
    binding: str


@dataclass(slots=True)
class _Time:
    """Seconds of one token in one place."""

    place: str
    seconds: float = 0.0


def forecast(
    facts: ModelFacts, placement: Placement, hardware: Hardware, depth: int = DEPTH, from_disk: int = 0
) -> Forecast:
    """Predict the speed with `depth` tokens of context. `from_disk` bytes of the weights do not fit the RAM."""
    times = _decode_times(facts, placement, hardware, min(depth, placement.context))
    if from_disk:
        share = from_disk / max(1, facts.weights)
        times.append(_Time("the drive", share * _active_bytes(facts) / (hardware.disk * GB)))
    slowest = max(times, key=lambda time: time.seconds)
    prefill = _prefill_seconds(facts, placement, hardware)
    if from_disk:
        prefill += from_disk / (hardware.disk * GB) / placement.micro_batch
    return Forecast(1 / sum(time.seconds for time in times), 1 / prefill, slowest.place)


def _decode_times(facts: ModelFacts, placement: Placement, hardware: Hardware, depth: int) -> list[_Time]:
    cards = [_Time(f"the bandwidth of {card.name}") for card in hardware.cards]
    cores_bind = _core_speed(facts, hardware) < hardware.ram_bandwidth * GB * RAM_EFFICIENCY
    ram = _Time("the cores" if cores_bind else "the bandwidth of the RAM")
    starting = _Time("starting kernels")
    in_ram = frozenset(placement.expert_cpu_layers)
    dense_speed = _ram_speed(facts, hardware, RAM_EFFICIENCY)
    expert_speed = _ram_speed(facts, hardware, EXPERT_EFFICIENCY)
    for index, layer in enumerate(facts.layers):
        card = card_of(index, facts, placement, len(hardware.cards))
        experts = layer.experts * facts.expert_share
        read = layer.dense + layer.state + _cache_read(layer, placement, depth)
        if card is None:
            ram.seconds += read / dense_speed + experts / expert_speed
            continue
        card_speed = hardware.cards[card].bandwidth * GB * CARD_EFFICIENCY
        cards[card].seconds += read / card_speed
        starting.seconds += EXPERT_LAYER_SECONDS if layer.experts else CARD_LAYER_SECONDS
        if index in in_ram:
            ram.seconds += experts / expert_speed
            starting.seconds += CROSSING_SECONDS
        else:
            cards[card].seconds += experts / card_speed
    head = card_of(len(facts.layers), facts, placement, len(hardware.cards))
    if head is None:
        ram.seconds += facts.output / dense_speed
    else:
        cards[head].seconds += facts.output / (hardware.cards[head].bandwidth * GB * CARD_EFFICIENCY)
    return [*cards, ram, starting]


def _ram_speed(facts: ModelFacts, hardware: Hardware, efficiency: float) -> float:
    """Return the bytes of weights a second that the CPU works off: what binds of its RAM and its cores."""
    return min(hardware.ram_bandwidth * GB * efficiency, _core_speed(facts, hardware))


def _core_speed(facts: ModelFacts, hardware: Hardware) -> float:
    flops = hardware.cores * hardware.core_gflops * GB * CORE_EFFICIENCY
    return flops * _active_bytes(facts) / max(1, 2 * facts.active_parameters)


def _cache_read(layer: LayerFacts, placement: Placement, depth: int) -> float:
    tokens = min(depth, layer.window) if layer.window else depth
    key = row_bytes(CACHE_TYPES[placement.key_type], layer.key_width)
    return tokens * float(key + row_bytes(CACHE_TYPES[placement.value_type], layer.value_width))


def _prefill_seconds(facts: ModelFacts, placement: Placement, hardware: Hardware) -> float:
    """Return the seconds for each token of a long prompt, read by whole micro-batches."""
    batch = placement.micro_batch
    flops = 2.0 * facts.active_parameters / max(1, len(facts.layers))
    efficiency = EXPERT_PREFILL_EFFICIENCY if facts.experts else PREFILL_EFFICIENCY
    in_ram = frozenset(placement.expert_cpu_layers)
    seconds = 0.0
    for index, layer in enumerate(facts.layers):
        card = card_of(index, facts, placement, len(hardware.cards))
        here = hardware.cards[card] if card is not None else hardware.cards[0] if hardware.cards else None
        if here is None:
            seconds += flops / (hardware.cores * hardware.core_gflops * GB)
            continue
        streamed = layer.size if card is None else layer.experts if index in in_ram else 0
        computed = flops / (here.tflops * 1e12 * efficiency)
        if streamed and batch >= OFFLOADED_BATCH:  # every expert is needed by some token of the batch
            computed += streamed / (hardware.bus * GB) / batch
        seconds += computed
    return seconds


def _active_bytes(facts: ModelFacts) -> float:
    """Return what is read of the weights for one token."""
    layers = sum(layer.dense + layer.experts * facts.expert_share for layer in facts.layers)
    return layers + facts.output
