"""Reads the header of a GGUF model file: a truncated or garbage file is a clear error before native code sees it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (little-endian, versions 2 and 3).
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, TypeAlias

from vaultrag.errors import ModelError, ModelNotFound
from vaultrag.runtime.gguf.tensor_types import BLOCKS

MAGIC = b"GGUF"
VERSIONS = (2, 3)
ARCHITECTURE = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # longer than any that llama.cpp knows
MAX_KEYS = 10_000  # real files hold about 30
MAX_TENSORS = 200_000  # the largest mixture of experts, split per expert, holds some 50,000
MAX_KEY_BYTES = 65_535  # the format's own limit
MAX_STRING_BYTES = 4_000_000  # the longest chat templates are some 20 kB
MAX_ARRAY_ITEMS = 4_000_000  # vocabularies hold up to 300,000 tokens and twice as many merges
MAX_ARRAY_DEPTH = 3
MAX_LAYERS = 512  # llama.cpp's LLAMA_MAX_LAYERS: it aborts the process beyond
MAX_DIMENSIONS = 4
MAX_HEAD = 65_536  # dimensions of one attention head; real ones have up to 576
# Architectures that turn every layer's heads: by 0 dimensions is by a loop without end, where others mean none of them
ROTATED = frozenset(
    "baichuan command-r deepseek2 falcon gemma gemma2 gemma3 internlm2 llama mistral3 olmo2 phi2 phi3"
    " qwen2 qwen2moe qwen3 qwen3moe qwen35moe stablelm starcoder2".split()
)
MAX_EXPERTS = 1024  # llama.cpp's LLAMA_MAX_EXPERTS: it aborts the process beyond
MAX_SPLITS = 1_000  # files of one model; the largest come in some 30
DEFAULT_ALIGNMENT = 32
KEPT_ITEMS = MAX_LAYERS  # of an array of numbers: one value for each layer; vocabularies are longer and passed over
WINDOW = 1 << 18  # bytes read at a time: a vocabulary of 150,000 tokens takes some 20 of them

STRING, ARRAY, BOOL = 8, 9, 7
SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    BOOL: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
U32, U64 = SCALARS[4], SCALARS[10]

Scalar: TypeAlias = int | float | bool | str


@dataclass(frozen=True, slots=True)
class SkippedArray:
    """An array whose items were passed over; its length is known."""

    length: int


Value: TypeAlias = Scalar | tuple[Scalar, ...] | SkippedArray


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor of a file. `shape` as the format has it, the row's length first; offset and size in bytes."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int
    size: int

    @property
    def weights(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A file's whole header: metadata, and where its tensors lie (`offset` counts from `data_start`)."""

    path: Path
    size: int
    metadata: Mapping[str, Value]
    tensors: tuple[TensorInfo, ...]
    data_start: int
    architecture: str
    context_length: int
    block_count: int

    def text(self, key: str) -> str:
        """Return a text, or nothing."""
        return _text(self.metadata, key)

    def own(self, key: str) -> Value | None:
        """Return a value of this architecture's own part of the metadata."""
        return self.metadata.get(f"{self.architecture}.{key}")

    def count(self, key: str, default: int = 0) -> int:
        """Return one of the architecture's own whole numbers; `default` where there is none."""
        value = self.own(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def for_layers(self, key: str, default: int = 0) -> tuple[int, ...]:
        """Return one of the architecture's own numbers for each layer, whether it has one for all or one for each."""
        value = self.own(key)
        if isinstance(value, tuple):
            return tuple(int(item) for item in value[: self.block_count] if not isinstance(item, str))
        return (self.count(key, default),) * self.block_count


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a model file says about itself. `chat_template` is empty when it carries none."""

    path: Path
    file_size: int
    architecture: str
    name: str
    context_length: int
    block_count: int
    chat_template: str


class _Malformed(Exception):
    """What is wrong with the file, as the end of a sentence."""


def read_header(path: Path) -> GgufHeader:
    """Read and check the header. Raises ModelNotFound, or ModelError naming the file and what is wrong with it."""
    file = read_gguf(path)
    return GgufHeader(
        path=path,
        file_size=file.size,
        architecture=file.architecture,
        name=file.text("general.name"),
        context_length=file.context_length,
        block_count=file.block_count,
        chat_template=file.text("tokenizer.chat_template"),
    )


def read_gguf(path: Path) -> GgufFile:
    """Read and check the header with its tensors; no weight is read. Raises as `read_header` does."""
    try:
        with path.open("rb", buffering=0) as file:
            return _read(path, _Reader(file, path.stat().st_size))
    except FileNotFoundError:
        raise ModelNotFound(
            f"The model file {path} is not there.", "Fetch it with `vaultrag models pull`, or name another model."
        ) from None
    except OSError as error:
        raise ModelError(
            f"The model file {path} cannot be read: {error.strerror}.", "Give this user the right to read it."
        ) from error
    except _Malformed as malformed:
        raise ModelError(
            f"The model file {path} is damaged or no GGUF model: {malformed}.",
            "Check it with `vaultrag models verify`; `vaultrag models pull` fetches it again.",
        ) from None


def split_paths(path: Path) -> tuple[Path, ...]:
    """Return all files of a model: those beside `NAME-00001-of-0000N.gguf`, or the one file."""
    found = re.fullmatch(r"(.*)-00001-of-(\d{5})\.gguf", path.name)
    if found is None or not 1 <= int(found[2]) <= MAX_SPLITS:
        return (path,)
    count = int(found[2])
    return tuple(path.with_name(f"{found[1]}-{index:05}-of-{count:05}.gguf") for index in range(1, count + 1))


def _read(path: Path, reader: _Reader) -> GgufFile:
    if reader.take(4) != MAGIC:
        raise _Malformed("it does not begin with `GGUF`")
    version = reader.number(U32)
    if version not in VERSIONS:
        raise _Malformed(f"its format version is {version}, not 2 or 3")
    tensor_count = reader.count(U64, MAX_TENSORS, "tensors")
    key_count = reader.count(U64, MAX_KEYS, "keys")
    metadata = dict(reader.key_value() for _ in range(key_count))
    tensors = tuple(reader.tensor() for _ in range(tensor_count))
    data_start = _aligned(reader.position, _integer(metadata, "general.alignment", DEFAULT_ALIGNMENT, 1, 2**20))
    end = max((data_start + tensor.offset + tensor.size for tensor in tensors), default=0)
    if end > reader.size:
        raise _Malformed(f"it is cut short: {reader.size:,} bytes of {end:,}")
    if _integer(metadata, "split.no", 0, 0, MAX_SPLITS) > 0:
        return GgufFile(path, reader.size, metadata, tensors, data_start, "", 0, 0)
    architecture = _text(metadata, "general.architecture")
    if not architecture:
        raise _Malformed("it names no architecture")
    if not ARCHITECTURE.fullmatch(architecture):
        raise _Malformed("the name of its architecture is damaged")
    context = _integer(metadata, f"{architecture}.context_length", None, 1, 2**31 - 1)
    layers = _integer(metadata, f"{architecture}.block_count", None, 1, MAX_LAYERS)
    _check_experts(metadata, architecture, layers)
    _check_attention(metadata, architecture)
    if not tensors and _integer(metadata, "split.count", 0, 0, MAX_SPLITS) < 2:
        raise _Malformed("it holds a vocabulary and no weights")
    return GgufFile(
        path=path,
        size=reader.size,
        metadata=metadata,
        tensors=tensors,
        data_start=data_start,
        architecture=architecture,
        context_length=context,
        block_count=layers,
    )


def _check_experts(metadata: Mapping[str, Value], architecture: str, layers: int) -> None:
    """Refuse numbers that llama.cpp meets with an assertion, which ends its process."""
    experts = _integer(metadata, f"{architecture}.expert_count", 0, 0, MAX_EXPERTS)
    used = metadata.get(f"{architecture}.expert_used_count", 0)
    for count in used if isinstance(used, tuple) else (used,):
        if not isinstance(count, int) or not (1 if experts else 0) <= count <= experts:
            raise _Malformed(f"its `{architecture}.expert_used_count` is {count!r:.40} of {experts} experts")
    _integer(metadata, f"{architecture}.nextn_predict_layers", 0, 0, layers)


def _check_attention(metadata: Mapping[str, Value], architecture: str) -> None:
    """Refuse numbers that llama.cpp meets with an assertion, or turns by without end."""
    for name in ("layer_norm_rms_epsilon", "layer_norm_epsilon"):
        epsilon = metadata.get(f"{architecture}.attention.{name}", 0.0)
        if isinstance(epsilon, float) and not 0.0 <= epsilon < 1.0:
            raise _Malformed(f"its `{architecture}.attention.{name}` is {epsilon}")
    if architecture not in ROTATED:
        return
    width = metadata.get(f"{architecture}.embedding_length")
    heads = metadata.get(f"{architecture}.attention.head_count")
    head = width // heads if isinstance(width, int) and isinstance(heads, int) and heads > 0 else MAX_HEAD
    head = _integer(metadata, f"{architecture}.attention.key_length", head, 0, MAX_HEAD)
    _integer(metadata, f"{architecture}.rope.dimension_count", head, 1, head)


class _Reader:
    """Reads the format's parts in order through a window, and never more than the file holds."""

    def __init__(self, file: BinaryIO | RawIOBase, size: int) -> None:
        self._file = file
        self._window = b""
        self._at = 0
        self.size = size
        self.position = 0

    def take(self, length: int) -> bytes:
        self._claim(length)
        if len(self._window) - self._at < length:
            self._refill(length)
        data = self._window[self._at : self._at + length]
        self._at += length
        return data

    def skip(self, length: int) -> None:
        self._claim(length)
        self._at += length
        if self._at > len(self._window):
            self._file.seek(self.position)
            self._window, self._at = b"", 0

    def number(self, layout: struct.Struct) -> int:
        return int(layout.unpack(self.take(layout.size))[0])

    def count(self, layout: struct.Struct, limit: int, what: str) -> int:
        count = self.number(layout)
        if count > limit:
            raise _Malformed(f"it claims {count:,} {what}")
        return count

    def string(self, limit: int) -> str:
        length = self.count(U64, limit, "bytes for one string")
        return self.take(length).decode("utf-8", "replace")

    def key_value(self) -> tuple[str, Value]:
        """Read one key and its value; of a long array or one of strings only the length."""
        key = self.string(MAX_KEY_BYTES)
        kind = self.number(U32)
        return key, self.array(MAX_ARRAY_DEPTH) if kind == ARRAY else self.scalar(kind)

    def scalar(self, kind: int) -> Scalar:
        if kind == STRING:
            return self.string(MAX_STRING_BYTES)
        layout = _layout(kind)
        value: Scalar = layout.unpack(self.take(layout.size))[0]
        return value

    def array(self, depth: int) -> tuple[Scalar, ...] | SkippedArray:
        if depth == 0:
            raise _Malformed("its arrays are nested too deep")
        kind = self.number(U32)
        length = self.count(U64, MAX_ARRAY_ITEMS, "items in one array")
        if kind == STRING:
            self.skip_strings(length)
        elif kind == ARRAY:
            for _ in range(length):
                self.array(depth - 1)
        elif length <= KEPT_ITEMS:
            return tuple(self.scalar(kind) for _ in range(length))
        else:
            self.skip(length * _layout(kind).size)
        return SkippedArray(length)

    def skip_strings(self, length: int) -> None:
        """Pass over an array of strings: a tight loop, since two vocabularies' worth of them lie in each header."""
        unpack, done = U64.unpack_from, 0
        while done < length:
            window, at = self._window, self._at
            end = len(window) - U64.size
            while done < length and at <= end:
                at += U64.size + unpack(window, at)[0]
                done += 1
            passed = at - self._at
            self.skip(passed)
            if done < length and len(self._window) - self._at < U64.size:
                self._claim_ahead(U64.size)
                self._refill(U64.size)

    def tensor(self) -> TensorInfo:
        """Read one tensor's description."""
        name = self.string(MAX_KEY_BYTES)
        shape = tuple(self.number(U64) for _ in range(self.count(U32, MAX_DIMENSIONS, "dimensions")))
        kind = self.number(U32)
        offset = self.number(U64)
        weights = math.prod(shape)
        if not 0 < weights < 2**63:
            raise _Malformed(f"tensor {name[:60]!r} has the impossible shape {list(shape)}")
        block, block_bytes = BLOCKS.get(kind, (1, 0))
        if shape and shape[0] % block:
            raise _Malformed(f"the rows of tensor {name[:60]!r} do not fill whole blocks")
        return TensorInfo(name, shape, kind, offset, weights // block * block_bytes)

    def _claim(self, length: int) -> None:
        self._claim_ahead(length)
        self.position += length

    def _claim_ahead(self, length: int) -> None:
        if self.position + length > self.size:
            raise _Malformed(f"it is cut short: its header needs more than its {self.size:,} bytes")

    def _refill(self, length: int) -> None:
        """Have at least `length` bytes from here on in the window."""
        window = self._window[self._at :]
        while len(window) < length:
            more = self._file.read(max(WINDOW, length - len(window)))
            if not more:
                raise _Malformed("it ended while it was being read")
            window += more
        self._window, self._at = window, 0


def _layout(kind: int) -> struct.Struct:
    if kind not in SCALARS:
        raise _Malformed(f"a value has the unknown type {kind}")
    return SCALARS[kind]


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _text(metadata: Mapping[str, Value], key: str) -> str:
    value = metadata.get(key, "")
    return value if isinstance(value, str) else ""


def _integer(metadata: Mapping[str, Value], key: str, default: int | None, least: int, most: int) -> int:
    value = metadata.get(key, default)
    if value is None:
        raise _Malformed(f"it lacks `{key}`")
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _Malformed(f"its `{key}` is {value!r:.40}")
    return value
