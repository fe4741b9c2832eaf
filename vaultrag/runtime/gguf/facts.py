"""What a model costs, read from the header of its file: bytes by layer and kind, KV cache, thinking switches.

Sizes follow llama.cpp 0.5.0 (`llama-hparams.cpp`, `llama-kv-cache*.cpp`, `llama-memory-*.cpp`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from vaultrag.errors import ModelError
from vaultrag.runtime.gguf.header import GgufFile, SkippedArray, TensorInfo, read_gguf, split_paths
from vaultrag.runtime.gguf.layers import LayerFacts, empty_layer
from vaultrag.runtime.gguf.tensor_types import FILE_TYPES, NAMES, REPACKED, REPACKED_ROWS

CELLS = 256  # llama.cpp rounds the context, and a sliding window, up to a multiple of this
CACHE_BLOCK = 32  # values of a quantised cache that share a scale


class Part(StrEnum):
    """The kinds of weights in a layer."""

    ATTENTION = "attention"
    FEED_FORWARD = "feed-forward"
    EXPERTS = "experts"
    SHARED_EXPERTS = "shared experts"
    OTHER = "norms and router"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model, as its header tells. All sizes in bytes.

    `output` is the head that is computed beside the last layer; where it is `tied` it lies in the file once, as
    `embeddings`, and a second time on a GPU. `original_context` differs from `context` where YaRN stretches it.
    `blocks_fit`: the heads' width lets the KV cache be quantised. `gated`: three matrices feed forward, not two.
    """

    name: str
    architecture: str
    quantisation: str
    size: int
    parameters: int
    active_parameters: int
    context: int
    original_context: int
    width: int
    heads: int
    feed_forward_width: int
    vocabulary: int
    experts: int
    experts_used: int
    layers: tuple[LayerFacts, ...]
    embeddings: int
    output: int
    tied: bool
    repacked_output: int
    widest_value: int
    blocks_fit: bool
    gated: bool
    file: GgufFile = field(repr=False)
    tensors: tuple[TensorInfo, ...] = field(repr=False)

    @property
    def weights(self) -> int:
        """What lies in the file: a tied head counts once."""
        return self.embeddings + sum(layer.size for layer in self.layers) + (0 if self.tied else self.output)

    @property
    def repacked(self) -> int:
        """What an x86 CPU keeps in another order, where all is computed on it."""
        return self.repacked_output + sum(layer.repacked + layer.repacked_experts for layer in self.layers)

    @property
    def in_ram(self) -> int:
        """What the weights take where all is computed on the CPU and nothing is mapped from the file."""
        return self.weights + (self.repacked_output if self.tied else 0)

    @property
    def recurrent(self) -> bool:
        return any(layer.state for layer in self.layers)

    @property
    def expert_share(self) -> float:
        """Which share of the experts a token uses."""
        return self.experts_used / self.experts if self.experts else 1.0


def read_facts(path: Path) -> ModelFacts:
    """Read a model's facts from the header of its file, or of all its files where it is split.

    Raises ModelNotFound or ModelError.
    """
    files = [read_gguf(part) for part in split_paths(path)]
    wanted = files[0].metadata.get("split.count", 1)
    if isinstance(wanted, int) and wanted > 1 and wanted != len(files):
        raise ModelError(
            f"{path.name} is one of {wanted} files of a model, and not the first.",
            "Name the first one: it ends in -00001-of-0000N.gguf.",
        )
    return facts_of(files[0], [tensor for file in files for tensor in file.tensors], sum(file.size for file in files))


def facts_of(file: GgufFile, tensors: Sequence[TensorInfo], size: int, quantisation: str = "") -> ModelFacts:
    """Work out the facts from the first file's metadata and all tensors. `size` is what the files take."""
    vocabulary = _vocabulary(file, tensors)
    output = next((tensor for tensor in tensors if tensor.name == "output.weight"), None)
    embeddings = [tensor for tensor in tensors if _is_input(tensor.name)]
    head = output or next((tensor for tensor in embeddings if tensor.name == "token_embd.weight"), None)
    rest = sum(tensor.size for tensor in tensors if _is_output(tensor.name) and tensor is not output)
    layers = _layers(file, tensors)
    experts, used = file.count("expert_count"), max(file.for_layers("expert_used_count"), default=0)
    parameters = sum(tensor.weights for tensor in tensors)
    heads = max(file.for_layers("attention.head_count"), default=0)
    return ModelFacts(
        name=file.text("general.name") or file.path.name.removesuffix(".gguf"),
        architecture=file.architecture,
        quantisation=quantisation or _quantisation(file, tensors),
        size=size,
        parameters=parameters,
        active_parameters=_active(tensors, used / experts if experts else 1.0),
        context=file.context_length,
        original_context=file.count("rope.scaling.original_context_length", file.context_length),
        width=file.count("embedding_length"),
        heads=heads,
        feed_forward_width=_feed_forward_width(file, used),
        vocabulary=vocabulary,
        experts=experts,
        experts_used=used,
        layers=layers,
        embeddings=sum(tensor.size for tensor in embeddings),
        output=(head.size if head else 0) + rest,
        tied=output is None,
        repacked_output=_repacked(head) if head else 0,
        widest_value=max((layer.value_width for layer in layers), default=0),
        blocks_fit=_blocks_fit(file, heads),
        gated=any("ffn_gate" in tensor.name for tensor in tensors),
        file=file,
        tensors=tuple(tensors),
    )


def padded(tokens: int) -> int:
    return -(-tokens // CELLS) * CELLS


def part_of(name: str) -> Part:
    """Return what kind of weights a layer's tensor holds; experts as llama.cpp's own pattern finds them."""
    stem = name.split(".", 2)[-1]
    if re.match(r"ffn_(up|down|gate|gate_up)_(ch|)exps", stem):
        return Part.EXPERTS
    if "shexp" in stem:
        return Part.SHARED_EXPERTS
    if "norm" in stem or stem.startswith("ffn_gate_inp"):
        return Part.OTHER
    return Part.FEED_FORWARD if stem.startswith("ffn_") else Part.ATTENTION


def layer_of(name: str) -> int | None:
    """Return the layer that a tensor belongs to; None for what stands before and after them."""
    found = re.match(r"blk\.(\d+)\.", name)
    return int(found[1]) if found else None


def _layers(file: GgufFile, tensors: Iterable[TensorInfo]) -> tuple[LayerFacts, ...]:
    layers = [empty_layer(file, index) for index in range(file.block_count)]
    drafting = file.block_count - file.count("nextn_predict_layers")  # layers from here on are not loaded
    for tensor in tensors:
        index = layer_of(tensor.name)
        if index is None or index >= drafting:
            continue
        part, layer = part_of(tensor.name), layers[index]
        attribute = part.name.lower()
        counted = replace(layer, **{attribute: getattr(layer, attribute) + tensor.size})
        if part is Part.EXPERTS:
            layers[index] = replace(counted, repacked_experts=counted.repacked_experts + _repacked(tensor))
        else:
            layers[index] = replace(counted, repacked=counted.repacked + _repacked(tensor))
    return tuple(layers)


def _vocabulary(file: GgufFile, tensors: Iterable[TensorInfo]) -> int:
    embeddings = next((tensor for tensor in tensors if tensor.name == "token_embd.weight"), None)
    if embeddings is not None and len(embeddings.shape) == 2:
        return embeddings.shape[1]
    tokens = file.metadata.get("tokenizer.ggml.tokens")
    return tokens.length if isinstance(tokens, SkippedArray) else file.count("vocab_size")


def _feed_forward_width(file: GgufFile, used: int) -> int:
    """Return the widest layer of activations between two matrices that one token needs."""
    expert = max(file.for_layers("expert_feed_forward_length"), default=0)
    return max(*file.for_layers("feed_forward_length"), used * expert)


def _blocks_fit(file: GgufFile, heads: int) -> bool:
    """Whether whole blocks of a quantised cache fit the heads: llama.cpp refuses the context otherwise."""
    width = file.count("embedding_length") // heads if heads else 0
    plain = {name: file.count(f"attention.{name}_length", width) for name in ("key", "value")}
    windowed = [file.count(f"attention.{name}_length_swa", length) for name, length in plain.items()]
    return all(length % CACHE_BLOCK == 0 for length in (*plain.values(), *windowed))


def _active(tensors: Iterable[TensorInfo], share: float) -> int:
    """Return the parameters that one token is multiplied with; its embedding is only looked up."""
    tied = all(tensor.name != "output.weight" for tensor in tensors)
    active = 0.0
    for tensor in tensors:
        if _is_input(tensor.name) and not (tied and tensor.name == "token_embd.weight"):
            continue
        is_expert = layer_of(tensor.name) is not None and part_of(tensor.name) is Part.EXPERTS
        active += tensor.weights * (share if is_expert else 1.0)
    return int(active)


def _is_input(name: str) -> bool:
    return name.startswith(("token_embd.", "per_layer_token_embd", "position_embd", "token_types", "token_embd_norm"))


def _is_output(name: str) -> bool:
    return layer_of(name) is None and not _is_input(name)


def _repacked(tensor: TensorInfo) -> int:
    """Return the bytes that are copied into another order for the CPU's matrix multiplication.

    It takes matrices, and stacks of them only where they are experts.
    """
    flat = len([length for length in tensor.shape if length > 1]) == 2 or part_of(tensor.name) is Part.EXPERTS
    if tensor.kind not in REPACKED or not flat or not tensor.name.endswith(".weight"):
        return 0
    return tensor.size if tensor.shape[1] % REPACKED_ROWS == 0 else 0


def _quantisation(file: GgufFile, tensors: Iterable[TensorInfo]) -> str:
    """Name the quantisation as the file does, or the type that most of its bytes have."""
    told = file.metadata.get("general.file_type")
    if isinstance(told, int) and told in FILE_TYPES:
        return FILE_TYPES[told]
    sizes: dict[int, int] = {}
    for tensor in tensors:
        sizes[tensor.kind] = sizes.get(tensor.kind, 0) + tensor.size
    return NAMES.get(max(sizes, key=sizes.__getitem__), "another type") if sizes else ""
