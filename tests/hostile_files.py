"""Model files as a failing disk, or somebody who wishes us ill, would make them; the same for the same seed."""

from __future__ import annotations

import contextlib
import os
import random
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.gguf_files import model_metadata, write_sparse, write_tiny_model
from vaultrag.errors import VaultragError
from vaultrag.runtime.gguf.header import TensorInfo, read_gguf
from vaultrag.runtime.gguf.quantisation import Scheme, quantised
from vaultrag.runtime.gguf.shapes import ModelShape, metadata_of, tensor_shapes
from vaultrag.runtime.llm import ChildModel

LOAD_SECONDS = 60.0  # the silence after which a worker is given up; one that computes is ended long before
EXTREMES = (0, 1, 2, 7, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
WORDS = (b"llama", b"qwen3moe", b"gemma3", b"deepseek2", b"mamba", b"bert", b"t5", b"clip", b"\xff\xfe\x00", b"")
SMALL = ModelShape("small", "llama", 0, 2, 256, 4, 2, 64, 0, 512, feed_forward=256)
SHAPES = (
    SMALL,
    replace(SMALL, name="window", architecture="gemma3", window=64, tied=True),
    replace(SMALL, name="mixture", architecture="qwen3moe", experts=4, used=2, expert_feed_forward=256),
    replace(
        SMALL, name="latent", architecture="deepseek2", kv_heads=1, head=96, value_head=64, query_rank=256, kv_rank=256,
        rope=32, experts=4, used=2, expert_feed_forward=256, shared_feed_forward=256, dense_layers=1,
    ),
    replace(
        SMALL, name="hybrid", architecture="qwen35moe", layers=4, experts=4, used=2, expert_feed_forward=256,
        shared_feed_forward=256, attention_interval=4, state_size=64, state_groups=2, state_heads=4,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    """A sound file to spoil: the bytes of its header, and how much follows."""

    name: str
    header: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spoilt file. `how` says what was done to which."""

    how: str
    header: bytes
    size: int

    def write(self, path: Path) -> Path:
        """Write it with zeros for weights."""
        path.write_bytes(self.header[: self.size])
        os.truncate(path, self.size)
        return path


def write_bases(folder: Path) -> list[Base]:
    """Write small whole models of several architectures, and a file that holds a vocabulary only."""
    paths = [write_tiny_model(folder / "tiny.gguf")]
    tokens = model_metadata()
    vocabulary = {key: value for key, value in tokens.items() if key.startswith("tokenizer.")}
    count = len(tokens["tokenizer.ggml.tokens"])  # type: ignore[arg-type]
    for shape in SHAPES:
        shape = replace(shape, vocabulary=count)
        bare = [TensorInfo(name, size, 0, 0, 0) for name, size in tensor_shapes(shape)]
        path = folder / f"{shape.name}.gguf"
        tensors = quantised(bare, Scheme.F16, shape.traits)
        paths.append(write_sparse(path, {**metadata_of(shape), **vocabulary}, tensors, vocabulary))
    paths.append(write_sparse(folder / "vocabulary.gguf", tokens, [], vocabulary))
    return [read_base(path) for path in paths]


def read_base(path: Path) -> Base:
    """Take a model file as a base; of a vocabulary everything is header."""
    try:
        start = read_gguf(path).data_start
    except VaultragError:
        start = path.stat().st_size
    with path.open("rb") as file:
        return Base(path.stem, file.read(start), path.stat().st_size)


def mutants(bases: Sequence[Base], count: int, seed: int) -> Iterator[Mutant]:
    """Yield that many spoilt files, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        spoil, base = chance.choice(SPOILERS), chance.choice(bases)
        header, size = spoil(chance, base)
        yield Mutant(f"{spoil.__name__.strip('_')} of {base.name}", header, size)


def _flipped_bits(chance: random.Random, base: Base) -> tuple[bytes, int]:
    data = bytearray(base.header)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data), base.size


def _cut(chance: random.Random, base: Base) -> tuple[bytes, int]:
    return base.header, chance.choice((chance.randrange(len(base.header)), chance.randrange(base.size)))


def _extreme_number(chance: random.Random, base: Base) -> tuple[bytes, int]:
    """Put an extreme in the place of some number, mostly of one behind a key's name."""
    data = bytearray(base.header)
    layout = chance.choice(("<I", "<Q", "<f", "<H"))
    at = chance.choice(_values(base)) if chance.random() < 0.7 else chance.randrange(4, len(data) - 8)
    value = chance.choice(EXTREMES) % 2 ** (8 * struct.calcsize(layout)) if layout != "<f" else chance.choice(FLOATS)
    struct.pack_into(layout, data, min(at, len(data) - 8), value)
    return bytes(data), base.size


FLOATS = (0.0, -1.0, float("nan"), float("inf"), 1e38, 1e-45)


def _other_type(chance: random.Random, base: Base) -> tuple[bytes, int]:
    """Say that a value has another type than it has."""
    data = bytearray(base.header)
    struct.pack_into("<I", data, chance.choice(_values(base)) - 4, chance.randrange(16))
    return bytes(data), base.size


def _renamed(chance: random.Random, base: Base) -> tuple[bytes, int]:
    """Change a letter of some name: a key or a tensor is then missing."""
    data = bytearray(base.header)
    at = chance.choice([found.start() for found in re.finditer(rb"blk\.|atte|rope|toke|outp", base.header)])
    data[at + chance.randrange(4)] = chance.randrange(256)
    return bytes(data), base.size


def _other_architecture(chance: random.Random, base: Base) -> tuple[bytes, int]:
    name, other = base.header[base.header.index(b"general.architecture") + 32 :][:24], chance.choice(WORDS)
    own = name[: struct.unpack("<Q", base.header[base.header.index(b"general.architecture") + 24 :][:8])[0]]
    return base.header.replace(own, (other + b"_" * len(own))[: len(own)]), base.size


def _shifted(chance: random.Random, base: Base) -> tuple[bytes, int]:
    """Drop or repeat a stretch: everything behind it stands elsewhere."""
    at, length = chance.randrange(24, len(base.header)), chance.choice((1, 4, 8, 32, 500))
    piece = chance.choice((b"", base.header[at : at + length] * 2, bytes(length)))
    header = base.header[:at] + piece + base.header[at + length :]
    return header, base.size + len(header) - len(base.header)


def _noise(chance: random.Random, base: Base) -> tuple[bytes, int]:
    """Keep a beginning, and let noise follow."""
    at = chance.randrange(len(base.header))
    return base.header[:at] + chance.randbytes(chance.randrange(1, 4000)), base.size


SPOILERS: tuple[Callable[[random.Random, Base], tuple[bytes, int]], ...] = (
    _flipped_bits, _flipped_bits, _cut, _extreme_number, _extreme_number, _other_type, _renamed, _other_architecture,
    _shifted, _noise,
)  # fmt: skip


def _values(base: Base) -> list[int]:
    """Return where the numbers behind keys stand."""
    found: list[int] = []
    at = 24
    for _ in range(struct.unpack_from("<Q", base.header, 16)[0]):
        at += 8 + struct.unpack_from("<Q", base.header, at)[0]
        kind = struct.unpack_from("<I", base.header, at)[0]
        at += 4
        found.append(at)
        at += _length(base.header, at, kind)
    return found


def _length(header: bytes, at: int, kind: int) -> int:
    if kind == 8:
        return int(8 + struct.unpack_from("<Q", header, at)[0])
    if kind != 9:
        return {0: 1, 1: 1, 2: 2, 3: 2, 7: 1, 10: 8, 11: 8, 12: 8}.get(kind, 4)
    inner, count = struct.unpack_from("<IQ", header, at)
    length = 12
    for _ in range(count):
        length += _length(header, at + length, inner)
    return length


class Loader:
    """Loads one file after another in the product's own worker, which is replaced when a file ends it."""

    def __init__(self) -> None:
        self._last: ChildModel | None = None

    def load(self, path: Path) -> VaultragError | None:
        """Return the error that a person would see, None where the file loads."""
        model = ChildModel(path.stem, path, context=64, threads=1, gpu_layers=0, spin_count=1000, timeout=LOAD_SECONDS)
        if self._last is not None:
            model._child = self._last._child  # noqa: SLF001  # the next file need not wait for another interpreter
        self._last = model
        try:
            _ = model.context_length  # what an answer asks first: the parent reads the header itself
            model.load()
        except VaultragError as error:
            return error
        return None

    def close(self) -> None:
        if self._last is not None:
            self._last.close()


@contextlib.contextmanager
def loader() -> Iterator[Loader]:
    made = Loader()
    try:
        yield made
    finally:
        made.close()
