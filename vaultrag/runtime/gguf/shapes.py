"""Models that are not here, planned from their published shapes (`config/shapes.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from vaultrag.config import shipped
from vaultrag.errors import ConfigError
from vaultrag.runtime.gguf.facts import ModelFacts, facts_of
from vaultrag.runtime.gguf.header import GgufFile, TensorInfo, Value
from vaultrag.runtime.gguf.quantisation import Scheme, Traits, quantised
from vaultrag.runtime.gguf.tensor_types import F32

SHAPES_NAME = "shapes.toml"
HEADER_BYTES = 6_000_000  # a vocabulary of 150,000 tokens with its merges, as such files carry it
CONVOLUTION = 4  # width of the recurrent layers' convolution in the Qwen models
ROPE_SECTIONS = (11, 11, 10, 0)  # for time, height, width: the sum is half of the rotated dimensions


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The published shape of a model. `parameters` is what its makers say, to check the rest by."""

    name: str
    architecture: str
    parameters: int
    layers: int
    width: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int
    quantisation: Scheme = Scheme.Q4_K_M
    also: tuple[str, ...] = ()
    feed_forward: int = 0
    value_head: int = 0
    original_context: int = 0
    window: int = 0
    tied: bool = False
    gated: bool = True
    biases: bool = False
    experts: int = 0
    used: int = 0
    expert_feed_forward: int = 0
    shared_feed_forward: int = 0
    dense_layers: int = 0
    query_rank: int = 0
    kv_rank: int = 0
    rope: int = 0
    attention_interval: int = 0
    state_size: int = 0
    state_groups: int = 0
    state_heads: int = 0

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def traits(self) -> Traits:
        llama_70b = self.architecture == "llama" and self.layers == 80 and self.heads != self.kv_heads
        return Traits(self.heads // self.kv_heads, self.experts, self.architecture == "falcon", llama_70b)


@dataclass(frozen=True, slots=True)
class _File:
    shape: tuple[ModelShape, ...]

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@cache
def load_shapes() -> dict[str, ModelShape]:
    """Return the published shapes by their own names. Raises ConfigError naming all faults."""
    path = shipped(SHAPES_NAME)
    try:
        shapes = TypeAdapter(_File).validate_python(tomllib.loads(path.read_text(encoding="utf-8"))).shape
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path} cannot be used: {error}.", "Install VaultRAG again.") from error
    return {shape.name: shape for shape in shapes}


def find_shape(name: str) -> ModelShape | None:
    """Return the shape of a model by any of its names."""
    return next((shape for shape in load_shapes().values() if name in (shape.name, *shape.also)), None)


def facts_of_shape(shape: ModelShape, scheme: Scheme) -> ModelFacts:
    """Return the facts of a file that `llama-quantize` would make of the model."""
    tensors = quantised(
        [TensorInfo(name, size, F32, 0, 0) for name, size in tensor_shapes(shape)], scheme, shape.traits
    )
    size = HEADER_BYTES + sum(tensor.size for tensor in tensors)
    file = GgufFile(
        Path(f"{shape.name}-{scheme}.gguf"),
        size,
        metadata_of(shape),
        tensors,
        0,
        shape.architecture,
        shape.context,
        shape.layers,
    )
    return facts_of(file, tensors, size, scheme.value)


def metadata_of(shape: ModelShape) -> dict[str, Value]:
    """Return what a file of this shape says about itself, the vocabulary left out."""
    own: dict[str, Value] = {
        "context_length": shape.context,
        "block_count": shape.layers,
        "embedding_length": shape.width,
        "feed_forward_length": shape.feed_forward,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.key_length": shape.head,
        "attention.value_length": shape.value_head or shape.head,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.layer_norm_epsilon": 1e-5,
        "rope.dimension_count": shape.rope or shape.head,
        "vocab_size": shape.vocabulary,
    }
    optional: dict[str, Value] = {
        "attention.sliding_window": shape.window,
        "rope.scaling.original_context_length": shape.original_context,
        "expert_count": shape.experts,
        "expert_used_count": shape.used,
        "expert_feed_forward_length": shape.expert_feed_forward,
        "expert_shared_feed_forward_length": shape.shared_feed_forward,
        "leading_dense_block_count": shape.dense_layers,
        "full_attention_interval": shape.attention_interval,
        "ssm.state_size": shape.state_size,
        "ssm.group_count": shape.state_groups,
        "ssm.time_step_rank": shape.state_heads,
        "ssm.inner_size": shape.state_heads * shape.state_size,
        "ssm.conv_kernel": CONVOLUTION if shape.state_size else 0,
    }
    own |= {key: value for key, value in optional.items() if value}
    own |= _latent(shape) if shape.kv_rank else {}
    own |= {"rope.dimension_sections": ROPE_SECTIONS} if shape.architecture == "qwen35moe" else {}
    metadata: dict[str, Value] = {f"{shape.architecture}.{key}": value for key, value in own.items()}
    return {"general.architecture": shape.architecture, "general.name": shape.name, **metadata}


def _latent(shape: ModelShape) -> dict[str, Value]:
    """Return what a file says about multi-head latent attention: K and V are kept as one compressed vector."""
    return {
        "attention.q_lora_rank": shape.query_rank,
        "attention.kv_lora_rank": shape.kv_rank,
        "attention.key_length": shape.kv_rank + shape.rope,
        "attention.value_length": shape.kv_rank,
        "attention.key_length_mla": shape.head,
        "attention.value_length_mla": shape.value_head,
        "expert_shared_count": 1,
        "expert_weights_scale": 2.5,
        "expert_gating_func": 2,
        "rope.scaling.type": "none",
    }


def tensor_shapes(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield every tensor of the model with its shape, row length first, in the order of such files."""
    yield "token_embd.weight", (shape.width, shape.vocabulary)
    for layer in range(shape.layers):
        for name, size in _layer(shape, layer):
            yield f"blk.{layer}.{name}", size
    yield "output_norm.weight", (shape.width,)
    if shape.architecture == "falcon":
        yield "output_norm.bias", (shape.width,)
    if not shape.tied:
        yield "output.weight", (shape.width, shape.vocabulary)


def _layer(shape: ModelShape, layer: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "attn_norm.weight", (shape.width,)
    if shape.architecture == "falcon":
        yield from _falcon_attention(shape)
    elif shape.kv_rank:
        yield from _latent_attention(shape)
    elif shape.attention_interval and (layer + 1) % shape.attention_interval:
        yield from _recurrent_attention(shape)
    else:
        yield from _attention(shape)
    if shape.architecture == "gemma3":
        yield "post_attention_norm.weight", (shape.width,)
        yield "post_ffw_norm.weight", (shape.width,)
    if shape.architecture == "qwen35moe":
        yield "post_attention_norm.weight", (shape.width,)
    elif shape.architecture != "falcon":
        yield "ffn_norm.weight", (shape.width,)
    if shape.experts and layer >= shape.dense_layers:
        yield from _experts(shape)
    else:
        yield from _feed_forward(shape.width, shape.feed_forward, "", gated=shape.gated)


def _attention(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    queries, keys = shape.heads * shape.head, shape.kv_heads * shape.head
    gated = 2 if shape.attention_interval else 1  # Qwen's hybrids gate the attention's output
    yield "attn_q.weight", (shape.width, queries * gated)
    yield "attn_k.weight", (shape.width, keys)
    yield "attn_v.weight", (shape.width, keys)
    yield "attn_output.weight", (queries, shape.width)
    if shape.biases:
        yield from (("attn_q.bias", (queries,)), ("attn_k.bias", (keys,)), ("attn_v.bias", (keys,)))
    if shape.architecture not in ("llama", "qwen2"):
        yield "attn_q_norm.weight", (shape.head,)
        yield "attn_k_norm.weight", (shape.head,)


def _falcon_attention(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from (("attn_norm.bias", (shape.width,)), ("attn_norm_2.weight", (shape.width,)))
    yield "attn_norm_2.bias", (shape.width,)
    yield "attn_qkv.weight", (shape.width, (shape.heads + 2 * shape.kv_heads) * shape.head)
    yield "attn_output.weight", (shape.heads * shape.head, shape.width)


def _latent_attention(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    plain = shape.head - shape.rope
    yield "attn_q_a_norm.weight", (shape.query_rank,)
    yield "attn_kv_a_norm.weight", (shape.kv_rank,)
    yield "attn_q_a.weight", (shape.width, shape.query_rank)
    yield "attn_q_b.weight", (shape.query_rank, shape.heads * shape.head)
    yield "attn_kv_a_mqa.weight", (shape.width, shape.kv_rank + shape.rope)
    yield "attn_k_b.weight", (plain, shape.kv_rank, shape.heads)
    yield "attn_v_b.weight", (shape.kv_rank, shape.value_head, shape.heads)
    yield "attn_output.weight", (shape.heads * shape.value_head, shape.width)


def _recurrent_attention(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    keys, values = shape.state_size * shape.state_groups, shape.state_size * shape.state_heads
    yield "attn_qkv.weight", (shape.width, 2 * keys + values)
    yield "attn_gate.weight", (shape.width, values)
    yield "ssm_conv1d.weight", (CONVOLUTION, 2 * keys + values)
    yield from (("ssm_dt.bias", (shape.state_heads,)), ("ssm_a", (shape.state_heads,)))
    yield "ssm_beta.weight", (shape.width, shape.state_heads)
    yield "ssm_alpha.weight", (shape.width, shape.state_heads)
    yield "ssm_norm.weight", (shape.state_size,)
    yield "ssm_out.weight", (values, shape.width)


def _experts(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    inner = shape.expert_feed_forward
    yield "ffn_gate_inp.weight", (shape.width, shape.experts)
    if shape.architecture == "deepseek2":
        yield "exp_probs_b.bias", (shape.experts,)
    yield "ffn_gate_exps.weight", (shape.width, inner, shape.experts)
    yield "ffn_up_exps.weight", (shape.width, inner, shape.experts)
    yield "ffn_down_exps.weight", (inner, shape.width, shape.experts)
    if shape.shared_feed_forward:
        if shape.architecture == "qwen35moe":
            yield "ffn_gate_inp_shexp.weight", (shape.width,)
        yield from _feed_forward(shape.width, shape.shared_feed_forward, "_shexp", gated=True)


def _feed_forward(width: int, inner: int, suffix: str, *, gated: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    if gated:
        yield f"ffn_gate{suffix}.weight", (width, inner)
    yield f"ffn_up{suffix}.weight", (width, inner)
    yield f"ffn_down{suffix}.weight", (inner, width)
