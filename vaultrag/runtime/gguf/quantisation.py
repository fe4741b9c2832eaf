"""Which type each tensor gets when a model is quantised: llama.cpp's own rules (`llama-quant.cpp`), for sizes only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from vaultrag.runtime.gguf.facts import ModelFacts, facts_of, layer_of
from vaultrag.runtime.gguf.header import TensorInfo
from vaultrag.runtime.gguf.tensor_types import (
    BLOCKS,
    F16,
    F32,
    Q2_K,
    Q3_K,
    Q4_0,
    Q4_K,
    Q5_0,
    Q5_1,
    Q5_K,
    Q6_K,
    Q8_0,
    row_bytes,
)


class Scheme(StrEnum):
    """The quantisations that need no further data than the weights, from the smallest on."""

    Q2_K = "Q2_K"
    Q3_K_M = "Q3_K_M"
    Q4_0 = "Q4_0"
    Q4_K_M = "Q4_K_M"
    Q5_K_M = "Q5_K_M"
    Q6_K = "Q6_K"
    Q8_0 = "Q8_0"
    F16 = "F16"


SMALLER = (Scheme.Q8_0, Scheme.Q6_K, Scheme.Q5_K_M, Scheme.Q4_K_M, Scheme.Q3_K_M, Scheme.Q2_K)
DEFAULT_TYPES = {
    Scheme.Q2_K: Q2_K,
    Scheme.Q3_K_M: Q3_K,
    Scheme.Q4_0: Q4_0,
    Scheme.Q4_K_M: Q4_K,
    Scheme.Q5_K_M: Q5_K,
    Scheme.Q6_K: Q6_K,
    Scheme.Q8_0: Q8_0,
    Scheme.F16: F16,
}
FALLBACKS = {Q2_K: Q4_0, Q3_K: Q4_0, Q4_K: Q5_0, Q5_K: Q5_1, Q6_K: Q8_0}  # for rows that are no multiple of 256
KEPT = (
    "_norm.weight", "ffn_gate_inp.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d", "shortconv.conv",
)  # fmt: skip
VALUES = ("attn_v.weight", "attn_qkv.weight", "attn_kv_b.weight")


@dataclass(frozen=True, slots=True)
class Traits:
    """What the rules ask of a model beside its tensors: query heads for each KV head, and the number of experts."""

    groups: int
    experts: int
    falcon: bool = False
    llama_70b: bool = False


def requantised(facts: ModelFacts, scheme: Scheme) -> ModelFacts:
    """Return the facts of the same model in another quantisation."""
    groups = [layer.key_width for layer in facts.layers if layer.key_width]
    heads = facts.file.for_layers("attention.head_count_kv", facts.heads)
    traits = Traits(
        groups=facts.heads // max(1, max(heads, default=1)),
        experts=facts.experts,
        falcon=facts.architecture == "falcon",
        llama_70b=facts.architecture == "llama" and len(groups) == 80 and facts.heads not in heads,
    )
    tensors = quantised(facts.tensors, scheme, traits)
    weights, before = sum(tensor.size for tensor in tensors), sum(tensor.size for tensor in facts.tensors)
    return facts_of(facts.file, tensors, facts.size - before + weights, scheme.value)


def quantised(tensors: Sequence[TensorInfo], scheme: Scheme, traits: Traits) -> tuple[TensorInfo, ...]:
    """Return the tensors as `llama-quantize` would type them, laid out one after the other."""
    order = sorted(tensors, key=lambda tensor: -1 if layer_of(tensor.name) is None else layer_of(tensor.name) or 0)
    values = _places(order, VALUES)
    downs = _places(order, ("ffn_down",))
    tied = all(tensor.name != "output.weight" for tensor in tensors)
    done: list[TensorInfo] = []
    offset = 0
    for tensor in tensors:
        kind = _kind(tensor, scheme, traits, values, downs, tied)
        size = row_bytes(kind, tensor.shape[0]) * (tensor.weights // tensor.shape[0])
        done.append(replace(tensor, kind=kind, offset=offset, size=size))
        offset += -(-size // 32) * 32
    return tuple(done)


def _places(order: Iterable[TensorInfo], names: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Number the tensors of a kind: name to (place, how many there are)."""
    found = [tensor.name for tensor in order if any(name in tensor.name for name in names) and _is_quantised(tensor)]
    return {name: (place, len(found)) for place, name in enumerate(found)}


def _is_quantised(tensor: TensorInfo) -> bool:
    matrix = len([length for length in tensor.shape if length > 1]) > 1
    return matrix and tensor.name.endswith("weight") and not any(name in tensor.name for name in KEPT)


def _kind(
    tensor: TensorInfo,
    scheme: Scheme,
    traits: Traits,
    values: dict[str, tuple[int, int]],
    downs: dict[str, tuple[int, int]],
    tied: bool,
) -> int:
    if not _is_quantised(tensor):
        return F32
    kind = DEFAULT_TYPES[scheme]
    if scheme is Scheme.F16:
        return kind
    name = tensor.name
    if name == "output.weight" or (tied and name == "token_embd.weight"):
        whole = tensor.shape[0] % BLOCKS[kind][0] == 0 and not traits.falcon
        kind = Q8_0 if kind == Q8_0 or not whole else Q6_K
    elif name in values:
        kind = _value_kind(kind, scheme, traits, *values[name])
    elif "attn_k.weight" in name:
        kind = Q8_0 if traits.experts == 8 else kind
    elif "attn_output.weight" in name:
        kind = _output_kind(kind, scheme, traits)
    elif name in downs:
        place, count = downs[name]
        kind = _down_kind(kind, scheme, traits, (layer_of(name) or 0) if traits.experts > 1 else place, count)
    return _fitting(kind, tensor.shape[0])


def _value_kind(kind: int, scheme: Scheme, traits: Traits, place: int, count: int) -> int:
    if scheme is Scheme.Q2_K:
        kind = Q4_K if traits.groups >= 4 else Q3_K
    elif scheme is Scheme.Q3_K_M:
        kind = Q5_K if place < 2 else Q4_K
    elif scheme in (Scheme.Q4_K_M, Scheme.Q5_K_M) and _more_bits(place, count):
        kind = Q6_K
    if traits.llama_70b and kind in (Q3_K, Q4_K):
        kind = Q5_K
    return Q8_0 if traits.experts == 8 else kind


def _down_kind(kind: int, scheme: Scheme, traits: Traits, place: int, count: int) -> int:
    more = _more_bits(place, count)
    if scheme is Scheme.Q2_K:
        return Q3_K
    if scheme is Scheme.Q3_K_M:
        return Q5_K if place < count // 16 else Q4_K if not traits.falcon or more else Q3_K
    if scheme is Scheme.Q4_K_M and traits.falcon:
        return Q6_K if place < count // 16 else Q5_K if more else Q4_K
    return Q6_K if scheme in (Scheme.Q4_K_M, Scheme.Q5_K_M) and more else kind


def _output_kind(kind: int, scheme: Scheme, traits: Traits) -> int:
    if traits.falcon:
        return kind
    if traits.experts == 8:
        return Q5_K if scheme in (Scheme.Q2_K, Scheme.Q3_K_M, Scheme.Q4_K_M) else kind
    return {Scheme.Q2_K: Q3_K, Scheme.Q3_K_M: Q4_K}.get(scheme, kind)


def _more_bits(place: int, count: int) -> bool:
    return place < count // 8 or place >= 7 * count // 8 or (place - count // 8) % 3 == 2


def _fitting(kind: int, row: int) -> int:
    """Return the type, or the one that llama.cpp falls back to for rows of this length."""
    if row % BLOCKS[kind][0] == 0:
        return kind
    fallback = FALLBACKS.get(kind, kind)
    return fallback if row % BLOCKS[fallback][0] == 0 else F16
