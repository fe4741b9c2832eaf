"""What a placement makes of a model's KV cache: cells, and the bytes they take."""

from __future__ import annotations

from vaultrag.runtime.gguf.facts import ModelFacts, padded
from vaultrag.runtime.gguf.layers import LayerFacts
from vaultrag.runtime.gguf.tensor_types import row_bytes
from vaultrag.runtime.offload.placement import ALONE, CACHE_TYPES, SHARED_SEQUENCES, Placement


def cells_of(layer: LayerFacts, placement: Placement) -> int:
    """Return how many tokens' K and V a layer keeps."""
    cells = padded(placement.context)
    if not layer.window or placement.swa_full:
        return cells
    return padded(min(cells, layer.window * placement.sequences + placement.micro_batch))


def settled(facts: ModelFacts, placement: Placement) -> Placement:
    """Return the placement as a slot of this model makes it."""
    window = max((layer.window for layer in facts.layers), default=0)
    return placement.settled(facts.context, window, ALONE if facts.recurrent else SHARED_SEQUENCES)


def cache_bytes(facts: ModelFacts, layer: LayerFacts, placement: Placement) -> int:
    """Return the bytes of a layer's KV cache and recurrent state."""
    value_width = layer.value_width
    if value_width and not placement.flash_attention:
        value_width = facts.widest_value  # V then lies transposed, padded to the widest layer
    per_token = row_bytes(CACHE_TYPES[placement.key_type], layer.key_width)
    per_token += row_bytes(CACHE_TYPES[placement.value_type], value_width)
    return cells_of(layer, placement) * per_token + layer.state * placement.sequences
