"""An `E5S1` file (multilingual-e5-small in 4 bits) becomes an ordinary sentence-transformers folder.

Format, little-endian: magic, u32 version, shape, tokenizer section (skipped: the folder gets the original
tokenizer.json), tensor directory, data. Weights are written as float32, exactly the values that the 4-bit blocks mean.
Tensors are streamed, so that memory stays far below the size of the result. Whoever changes what is written raises
the conversion's version in catalogue.py.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaultrag.errors import DownloadFailed
from vaultrag.runtime.models.catalogue import Prompts

MAGIC = b"E5S1"
HEADER = struct.Struct("<4sI7ifi")
TOKENIZER_HEAD = struct.Struct("<5iQ")
NORMALISER_HEAD = struct.Struct("<iI")
COUNT = struct.Struct("<i")
NAME_LENGTH = struct.Struct("<H")
TENSOR = struct.Struct("<BIQQ")
FLOAT32, Q4_0 = 0, 1
BLOCK_WEIGHTS, BLOCK_BYTES = 32, 18  # Q4_0: an f16 scale, then 16 bytes of two weights each
ROW_STEP = 1 << 15  # Q4_0 blocks unpacked at once: 4 MB of float32
LIMIT = 1 << 20  # no dimension of a small BERT exceeds this; larger numbers mean a damaged file

PARTS = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
         "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
         "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm"}  # fmt: skip
TENSORS_PER_LAYER = 2 * len(PARTS)
SIDES = {"w": "weight", "b": "bias"}

Weights: TypeAlias = "NDArray[np.float32]"


@dataclass(frozen=True, slots=True)
class BertShape:
    """The dimensions of the BERT model in the file."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class SourceTensor:
    """One entry of the file's tensor directory."""

    dtype: int
    count: int
    offset: int
    size: int


def convert(source: Path, tokenizer: Path, folder: Path, prompts: Prompts) -> None:
    """Write a sentence-transformers folder from an E5S1 file and a tokenizer.json.

    Raises DownloadFailed when the file is not what the format promises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        if not source.stat().st_size:
            raise _nonsense(source, "it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                shape, directory = read_directory(data)
                tensors = _expected(shape, directory)
            except (struct.error, ValueError, UnicodeDecodeError) as error:
                raise _nonsense(source, str(error)) from error
            _write_safetensors(folder / "model.safetensors", data, tensors)
    _write_configuration(folder, shape, prompts)
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())


def read_directory(data: mmap.mmap | bytes) -> tuple[BertShape, dict[str, SourceTensor]]:
    """Read the shape and the tensor directory. Raises ValueError or struct.error on nonsense."""
    magic, version, hidden, layers, heads, ffn, vocab, positions, types, epsilon, block = HEADER.unpack_from(data, 0)
    if magic != MAGIC:
        raise ValueError("it does not begin with E5S1")
    if version != 1 or block != BLOCK_WEIGHTS:
        raise ValueError(f"version {version} with blocks of {block} is unknown")
    shape = BertShape(hidden, layers, heads, ffn, vocab, positions, types, epsilon)
    if (
        not all(0 < size <= LIMIT for size in (hidden, layers, heads, ffn, vocab, positions, types))
        or not 0 < epsilon < 1
    ):
        raise ValueError("its dimensions make no sense")
    if shape.hidden % shape.heads or shape.hidden % block or shape.ffn % block:
        raise ValueError("its dimensions do not divide")
    return shape, _read_entries(data, _skip_tokenizer(data, HEADER.size))


def unpack_q4(raw: bytes | memoryview) -> Weights:
    """Return the float32 values of whole Q4_0 blocks: low nibbles are weights 0 to 15, high nibbles 16 to 31."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * scales).reshape(-1)


def _skip_tokenizer(data: mmap.mmap | bytes, at: int) -> int:
    pieces, *_, blob = TOKENIZER_HEAD.unpack_from(data, at)
    if not 0 <= pieces <= LIMIT:
        raise ValueError("its tokenizer section makes no sense")
    at += TOKENIZER_HEAD.size + (pieces + 1) * 4 + pieces * 4 + blob
    _, size = NORMALISER_HEAD.unpack_from(data, _inside(data, at))
    return at + NORMALISER_HEAD.size + int(size)


def _read_entries(data: mmap.mmap | bytes, at: int) -> dict[str, SourceTensor]:
    (count,) = COUNT.unpack_from(data, _inside(data, at))
    at += COUNT.size
    directory: dict[str, SourceTensor] = {}
    for _ in range(count):
        (length,) = NAME_LENGTH.unpack_from(data, at)
        at += NAME_LENGTH.size
        name = bytes(data[at : at + length]).decode("utf-8")
        tensor = SourceTensor(*TENSOR.unpack_from(data, at + length))
        at += length + TENSOR.size
        if tensor.size != _size(tensor) or tensor.offset + tensor.size > len(data):
            raise ValueError(f"tensor {name[:40]!r} reaches outside the file")
        directory[name] = tensor
    return directory


def _size(tensor: SourceTensor) -> int:
    if tensor.dtype == FLOAT32:
        return tensor.count * 4
    if tensor.dtype == Q4_0 and tensor.count % BLOCK_WEIGHTS == 0:
        return tensor.count // BLOCK_WEIGHTS * BLOCK_BYTES
    raise ValueError(f"tensor type {tensor.dtype} is unknown")


def _inside(data: mmap.mmap | bytes, at: int) -> int:
    if at > len(data):
        raise ValueError("a section reaches outside the file")
    return at


def _expected(shape: BertShape, directory: Mapping[str, SourceTensor]) -> dict[str, tuple[SourceTensor, list[int]]]:
    """Return BertModel's tensors by their name there, each with its shape, all present and of the right size."""
    if len(directory) < TENSORS_PER_LAYER * shape.layers:
        raise ValueError(f"it has {len(directory)} tensors for {shape.layers} layers")
    tensors: dict[str, tuple[SourceTensor, list[int]]] = {}
    for name, (bert, dimensions) in _names(shape).items():
        tensor = directory.get(name)
        if tensor is None or tensor.count != int(np.prod(dimensions)):
            raise ValueError(f"tensor {name} is missing or has another shape")
        tensors[bert] = (tensor, dimensions)
    return tensors


def _names(shape: BertShape) -> dict[str, tuple[str, list[int]]]:
    hidden, ffn = shape.hidden, shape.ffn
    names = {
        "emb.word": ("embeddings.word_embeddings.weight", [shape.vocab, hidden]),
        "emb.pos": ("embeddings.position_embeddings.weight", [shape.positions, hidden]),
        "emb.type": ("embeddings.token_type_embeddings.weight", [shape.types, hidden]),
    }
    names.update({f"emb.ln.{side}": (f"embeddings.LayerNorm.{full}", [hidden]) for side, full in SIDES.items()})
    outputs = {part: [ffn] if part == "fi" else [hidden] for part in PARTS}
    inputs = {part: [] if part.endswith("ln") else [ffn] if part == "fo" else [hidden] for part in PARTS}
    for layer in range(shape.layers):
        for part, full in PARTS.items():
            prefix = f"encoder.layer.{layer}.{full}"
            names[f"l{layer}.{part}.w"] = (f"{prefix}.weight", outputs[part] + inputs[part])
            names[f"l{layer}.{part}.b"] = (f"{prefix}.bias", outputs[part])
    return names


def _write_safetensors(path: Path, data: mmap.mmap, tensors: Mapping[str, tuple[SourceTensor, list[int]]]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (tensor, dimensions) in tensors.items():
        start, end = end, end + tensor.count * 4
        header[name] = {"dtype": "F32", "shape": dimensions, "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)  # the format wants the data aligned
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(head)) + head)
        for tensor, _ in tensors.values():
            for values in _values(data, tensor):
                out.write(values.astype("<f4", copy=False).tobytes())


def _values(data: mmap.mmap, tensor: SourceTensor) -> Iterator[Weights]:
    end = tensor.offset + tensor.size
    if tensor.dtype == FLOAT32:
        yield np.frombuffer(data[tensor.offset : end], "<f4")
        return
    for start in range(tensor.offset, end, ROW_STEP * BLOCK_BYTES):
        yield unpack_q4(data[start : min(start + ROW_STEP * BLOCK_BYTES, end)])


def _write_configuration(folder: Path, shape: BertShape, prompts: Prompts) -> None:
    for name, content in _configuration(shape, prompts).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "2_Normalize").mkdir(exist_ok=True)


def _configuration(shape: BertShape, prompts: Prompts) -> dict[str, Any]:
    special = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>",
               "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}  # fmt: skip
    modules = "sentence_transformers.models"
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "hidden_act": "gelu",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.ffn,
            "vocab_size": shape.vocab,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types,
            "layer_norm_eps": round(shape.epsilon, 15),
            "pad_token_id": 1,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",  # reads tokenizer.json as it stands
            "model_max_length": shape.positions,
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
            **special,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{modules}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{modules}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{modules}.Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_cls_token": False,
            "pooling_mode_max_tokens": False,
        },
        "config_sentence_transformers.json": {
            "model_type": "SentenceTransformer",
            "prompts": {"query": prompts.query, "passage": prompts.passage, "document": prompts.passage},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


def _nonsense(source: Path, why: str) -> DownloadFailed:
    return DownloadFailed(
        f"{source.name} is not an embedding model of the expected form: {why}.", "Pull the model again."
    )
