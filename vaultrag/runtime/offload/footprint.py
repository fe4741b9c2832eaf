"""The bytes that a placement takes, place by place. Pure arithmetic over a model's facts."""

from __future__ import annotations

from dataclasses import dataclass

from vaultrag.runtime.gguf.facts import ModelFacts, padded
from vaultrag.runtime.gguf.layers import LayerFacts
from vaultrag.runtime.offload.kv_cache import cache_bytes, settled
from vaultrag.runtime.offload.placement import Placement

MEBIBYTE = 1 << 20
PROCESS_ON_CARD = 450 * MEBIBYTE  # CUDA's context and cuBLAS's workspace, for each process on each card
PROCESS_IN_RAM = 250 * MEBIBYTE  # Python, llama.cpp, the vocabulary, pinned buffers
STREAMED = 2  # tensors of weights that a card holds beside its own, while it reads a prompt through layers of the RAM
FLOAT = 4  # bytes of an activation
GATED_ROWS = (4, 3)  # rows of the model's width and of its feed-forward width that are alive at once
UNGATED_ROWS = (1, 2)
EXPERT_ROWS = (2, 2)  # for each expert that a token uses
COMPRESSED = 3  # of latent attention: rows of every head's compressed key


@dataclass(frozen=True, slots=True)
class Use:
    """What lies in one place."""

    weights: int = 0
    cache: int = 0
    compute: int = 0
    process: int = 0

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.compute + self.process


@dataclass(frozen=True, slots=True)
class Footprint:
    """All places of one model."""

    cards: tuple[Use, ...]
    ram: Use


def card_of(index: int, facts: ModelFacts, placement: Placement, cards: int) -> int | None:
    """Return the card of a layer (the head is layer `len(layers)`), or None for the RAM, as llama.cpp decides it."""
    count = len(facts.layers) + 1
    wanted = count if placement.gpu_layers < 0 else min(placement.gpu_layers, count)
    place = index - (count - wanted)
    if cards == 0 or place < 0:
        return None
    shares = placement.tensor_split or (1.0,) * cards
    reached, total = 0.0, sum(shares[:cards])
    for card, share in enumerate(shares[:cards]):
        reached += share
        if place / wanted < reached / total:
            return card
    return cards - 1


def footprint(facts: ModelFacts, placement: Placement, cards: int) -> Footprint:
    """Return what a placement takes on each of a machine's cards and in its RAM, as a slot makes it."""
    placement = settled(facts, placement)
    weights, cache = [0] * cards, [0] * cards
    ram_weights, ram_cache = facts.embeddings, 0
    in_ram = frozenset(placement.expert_cpu_layers)
    for index, layer in enumerate(facts.layers):
        card = card_of(index, facts, placement, cards)
        kept = cache_bytes(facts, layer, placement)
        if card is None:
            ram_weights, ram_cache = ram_weights + layer.size, ram_cache + kept
            continue
        experts = 0 if index in in_ram else layer.experts
        weights[card] += layer.dense + experts
        cache[card] += kept
        ram_weights += layer.experts - experts
    head = card_of(len(facts.layers), facts, placement, cards)
    if head is not None:
        weights[head] += facts.output
    elif not facts.tied:
        ram_weights += facts.output
    copied = _copied(facts, placement, cards)
    uses = [
        Use(weights[card], cache[card], _on_card(card, facts, placement, ram_weights, head), PROCESS_ON_CARD)
        if weights[card] or cache[card]
        else Use(process=PROCESS_ON_CARD)
        for card in range(cards)
    ]
    ram_compute = compute_bytes(facts, placement) if head is None else _activations(facts, placement)
    return Footprint(tuple(uses), Use(ram_weights + copied, ram_cache, ram_compute, PROCESS_IN_RAM))


def compute_bytes(facts: ModelFacts, placement: Placement) -> int:
    """Return the working memory beside the weights: what is alive at once while a micro-batch is computed.

    Fitted to what llama.cpp 0.5.0 reserves for twenty models of 0.5B to 671B: within 25 %, or 64 MiB.
    """
    batch = placement.micro_batch
    logits = FLOAT * (placement.logit_rows * facts.vocabulary + 2 * batch * facts.width)
    attention = 0 if placement.flash_attention else padded(placement.context) * batch * FLOAT * (facts.heads + 2)
    return max(logits, _activations(facts, placement), attention + batch * FLOAT * GATED_ROWS[0] * facts.width)


def _activations(facts: ModelFacts, placement: Placement) -> int:
    """Return what one layer needs at once: its activations, and the mask over the context."""
    batch = placement.micro_batch
    narrow, wide = GATED_ROWS if facts.gated else UNGATED_ROWS
    row = narrow * facts.width + wide * facts.feed_forward_width
    if facts.experts:
        row = max(row, EXPERT_ROWS[0] * facts.experts_used * facts.width + EXPERT_ROWS[1] * facts.feed_forward_width)
    latent = [layer for layer in facts.layers if layer.key_width and not layer.value_width]
    if latent:
        row = max(row, COMPRESSED * facts.heads * latent[0].key_width)
    return batch * FLOAT * row + 2 * padded(placement.context) * batch


def _on_card(card: int, facts: ModelFacts, placement: Placement, ram_weights: int, head: int | None) -> int:
    own = compute_bytes(facts, placement) if card == head else _activations(facts, placement)
    if card != 0 or ram_weights <= facts.embeddings:
        return own
    return own + STREAMED * max(_largest_tensor(layer) for layer in facts.layers)


def _largest_tensor(layer: LayerFacts) -> int:
    """Return about the size of the largest matrix: a feed-forward has three of one size."""
    return max(layer.experts // 3, layer.feed_forward // 3, layer.attention // 3)


def _copied(facts: ModelFacts, placement: Placement, cards: int) -> int:
    """Return the weights that the CPU keeps in its own order beside the file that is mapped."""
    if cards or not placement.use_mmap or not placement.repack:
        return 0
    return facts.repacked
