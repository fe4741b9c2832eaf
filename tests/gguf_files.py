"""Writes GGUF files: bare headers, and a whole model of random weights that llama.cpp loads in milliseconds."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from vaultrag.runtime.gguf.header import TensorInfo
from vaultrag.runtime.gguf.quantisation import Scheme, quantised
from vaultrag.runtime.gguf.shapes import ModelShape, metadata_of, tensor_shapes

Value: TypeAlias = int | float | bool | str | Sequence[str] | Sequence[int]

ALIGNMENT = 32
RULE = "-" * 64 + "\n"  # one token of 65 bytes, as the Qwen vocabularies have it
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_VOCABULARY = {"tokenizer.ggml.model": "no_vocab"}
WIDTH, HEADS, FEED_FORWARD, LAYERS = 64, 4, 128, 2


def write_gguf(
    path: Path, metadata: Mapping[str, Value], tensors: Mapping[str, NDArray[np.float32]] | None = None
) -> Path:
    """Write a GGUF file of version 3 with f32 tensors; numpy's last axis is the format's first dimension."""
    tensors = tensors or {}
    header = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    header += [_string(key) + _value(value) for key, value in metadata.items()]
    data = b""
    for name, tensor in tensors.items():
        shape = tensor.shape[::-1]
        header.append(_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data)))
        data += _padded(tensor.tobytes())
    path.write_bytes(_padded(b"".join(header)) + data)
    return path


def model_metadata(context: int = 512, template: str = CHATML) -> dict[str, Value]:
    """What a llama model of two layers and a byte-level vocabulary says about itself."""
    tokens, merges = _vocabulary()
    metadata: dict[str, Value] = {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "llama.context_length": context,
        "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": FEED_FORWARD,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in CONTROL else 1 for token in tokens],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": tokens.index("<|endoftext|>"),
        "tokenizer.ggml.eos_token_id": tokens.index("<|im_end|>"),
        "tokenizer.ggml.add_bos_token": False,
    }
    return {**metadata, "tokenizer.chat_template": template} if template else metadata


def write_sparse(
    path: Path,
    metadata: Mapping[str, object],
    tensors: Sequence[TensorInfo],
    vocabulary: Mapping[str, object] = NO_VOCABULARY,
) -> Path:
    """Write a header whose tensors are all zeros: a hole in the file, so that its size costs nothing.

    llama.cpp loads it as it is.
    """
    values = {**metadata, **vocabulary}
    header = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(values))]
    header += [_string(key) + _value(cast(Value, value)) for key, value in values.items()]
    offset = 0
    for tensor in tensors:
        count = len(tensor.shape)
        header.append(_string(tensor.name) + struct.pack(f"<I{count}QIQ", count, *tensor.shape, tensor.kind, offset))
        offset += -(-tensor.size // ALIGNMENT) * ALIGNMENT
    start = _padded(b"".join(header))
    path.write_bytes(start)
    os.truncate(path, len(start) + offset)
    return path


def write_shape(path: Path, shape: ModelShape, scheme: Scheme) -> Path:
    """Write the header of a model of this shape, as `llama-quantize` would type it."""
    bare = [TensorInfo(name, size, 0, 0, 0) for name, size in tensor_shapes(shape)]
    return write_sparse(path, metadata_of(shape), quantised(bare, scheme, shape.traits))


def write_tiny_model(path: Path, context: int = 512, template: str = CHATML, attention: float = 1.0) -> Path:
    """Write a whole model that answers with noise, always the same. Without attention it soon goes in circles."""
    random = np.random.default_rng(7)
    vocabulary = len(_vocabulary()[0])

    def weights(*shape: int) -> NDArray[np.float32]:
        return random.standard_normal(shape, dtype=np.float32) * np.float32(0.3)

    tensors = {"token_embd.weight": weights(vocabulary, WIDTH)}
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"blk.{layer}.{name}.weight"] = weights(WIDTH, WIDTH)
        tensors[f"blk.{layer}.attn_output.weight"] *= np.float32(attention)
        for name in ("ffn_gate", "ffn_up"):
            tensors[f"blk.{layer}.{name}.weight"] = weights(FEED_FORWARD, WIDTH)
        tensors[f"blk.{layer}.ffn_down.weight"] = weights(WIDTH, FEED_FORWARD)
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"blk.{layer}.{name}.weight"] = np.ones(WIDTH, np.float32)
    tensors["output_norm.weight"] = np.ones(WIDTH, np.float32)
    tensors["output.weight"] = weights(vocabulary, WIDTH)
    return write_gguf(path, model_metadata(context, template), tensors)


def write_windowed_model(path: Path, window: int = 64, context: int = 4096) -> Path:
    """Write a whole model of noise as Gemma 3 is made: five of six layers look back over a short window only."""
    random = np.random.default_rng(7)
    tokenizer = {key: value for key, value in model_metadata().items() if key.startswith("tokenizer.")}
    shape = ModelShape(
        "windowed", "gemma3", 0, 6, WIDTH, HEADS, 2, 32, len(_vocabulary()[0]), context, feed_forward=FEED_FORWARD,
        window=window, tied=True,
    )  # fmt: skip
    tensors = {
        name: np.ones(size, np.float32)
        if "norm" in name
        else random.standard_normal(size[::-1], dtype=np.float32) * np.float32(0.3)
        for name, size in tensor_shapes(shape)
    }
    return write_gguf(path, {**cast("dict[str, Value]", metadata_of(shape)), **tokenizer}, tensors)


def _vocabulary() -> tuple[list[str], list[str]]:
    """All bytes as GPT-2 writes them, the long rule with the merges that lead to it, and the control tokens."""
    rules = ["-" * 2**power for power in range(1, 7)]
    merges = [f"{half} {half}" for half in ("-", *rules[:-1])] + [f"{rules[-1]} Ċ"]
    return [*_byte_letters(), *rules, rules[-1] + "Ċ", *CONTROL], merges


def _byte_letters() -> list[str]:
    """GPT-2's letters for the bytes: printable ones stand for themselves, the others are moved up."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(moved))]


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    items = [_string(item) if isinstance(item, str) else struct.pack("<i", item) for item in value]
    kind = 8 if isinstance(value[0], str) else 5
    return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(items)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)
