"""Tiny models that the tests write themselves: an E5S1 file, its tokenizer, and wheels that carry data."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, processors

HIDDEN, LAYERS, HEADS, FFN, VOCAB, POSITIONS, TYPES = 32, 2, 2, 64, 48, 24, 2
WORDS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>", "query", "passage", ":", "яблоня", "сад", "порт", "nginx", "apple")
TOKENIZER_PIECES = 3


@dataclass(slots=True)
class SmallE5:
    """An E5S1 file in memory; `values` are the float32 values that its tensors mean."""

    values: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    data: bytes = b""


@cache
def small_e5(seed: int = 7) -> SmallE5:
    """Return a valid file with random weights, those of the matrices in 4 bits."""
    random = np.random.default_rng(seed)
    made = SmallE5()
    bodies: list[tuple[bytes, int, int, bytes]] = []
    for name, shape in _shapes().items():
        count = int(np.prod(shape))
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            raw, values = _random_q4(random, count)
            bodies.append((name.encode(), 1, count, raw))
        else:
            values = random.normal(1.0 if name.endswith("ln.w") else 0.0, 0.05, count).astype(np.float32)
            bodies.append((name.encode(), 0, count, values.tobytes()))
        made.values[name] = values.reshape(shape)
    made.data = _assemble(bodies)
    return made


def write_tokenizer(path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(path))


def write_wheel(folder: Path, package: str, version: str, member: str, data: bytes) -> Path:
    """Write a wheel that pip accepts, holding one data file, uncompressed."""
    name = package.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, data)
        for inside, text in files.items():
            archive.writestr(inside, text)
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _shapes() -> Mapping[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (VOCAB, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (TYPES, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for part, (rows, columns) in {
            "q": (HIDDEN, HIDDEN),
            "k": (HIDDEN, HIDDEN),
            "v": (HIDDEN, HIDDEN),
            "ao": (HIDDEN, HIDDEN),
            "fi": (FFN, HIDDEN),
            "fo": (HIDDEN, FFN),
        }.items():
            shapes[f"l{layer}.{part}.w"] = (rows, columns)
            shapes[f"l{layer}.{part}.b"] = (rows,)
        for part in ("aln", "oln"):
            shapes[f"l{layer}.{part}.w"] = (HIDDEN,)
            shapes[f"l{layer}.{part}.b"] = (HIDDEN,)
    return shapes


def _random_q4(random: np.random.Generator, count: int) -> tuple[bytes, NDArray[np.float32]]:
    raw, values = b"", list[np.float32]()
    for _ in range(count // 32):
        scale = np.float16(random.uniform(0.01, 0.2))
        weights = random.integers(0, 16, 32)
        raw += scale.tobytes() + bytes(int(weights[i]) | int(weights[i + 16]) << 4 for i in range(16))
        values.extend((int(weight) - 8) * np.float32(scale) for weight in weights)
    return raw, np.array(values, np.float32)


def _assemble(bodies: list[tuple[bytes, int, int, bytes]]) -> bytes:
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, HIDDEN, LAYERS, HEADS, FFN, VOCAB, POSITIONS, TYPES, np.float32(1e-12), 32
    )
    pieces, blob, normaliser = TOKENIZER_PIECES, b"abc", b"\x61\0\0\0\x01\x62\0\0\0"
    head += struct.pack("<5iQ", pieces, 0, 2, 1, 3, len(blob)) + bytes(4 * (pieces + 1)) + bytes(4 * pieces) + blob
    head += struct.pack("<iI", 1, len(normaliser)) + normaliser + struct.pack("<i", len(bodies))
    offset = len(head) + sum(2 + len(name) + 21 for name, *_ in bodies)
    for name, dtype, count, raw in bodies:
        head += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", dtype, count, offset, len(raw))
        offset += len(raw)
    return head + b"".join(raw for *_, raw in bodies)
