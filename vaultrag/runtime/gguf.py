"""Reads the header of a GGUF model file: a truncated or garbage file is a clear error before native code sees it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (little-endian, versions 2 and 3).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from vaultrag.errors import ModelError, ModelNotFound

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_KEYS = 10_000  # real files hold about 30
MAX_TENSORS = 200_000  # the largest mixture of experts, split per expert, holds some 50,000
MAX_KEY_BYTES = 65_535  # the format's own limit
MAX_STRING_BYTES = 4_000_000  # the longest chat templates are some 20 kB
MAX_ARRAY_ITEMS = 4_000_000  # vocabularies hold up to 300,000 tokens and twice as many merges
MAX_ARRAY_DEPTH = 3
MAX_LAYERS = 512  # llama.cpp's LLAMA_MAX_LAYERS: it aborts the process beyond
MAX_DIMENSIONS = 4
DEFAULT_ALIGNMENT = 32

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

# ggml type: (weights in a block, bytes of a block), from ggml.c; a type that is not here is not measured
BLOCKS = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    9: (32, 36),  # Q8_1
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
}

Scalar: TypeAlias = int | float | bool | str


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
    tensor_count: int


class _Malformed(Exception):
    """What is wrong with the file, as the end of a sentence."""


def read_header(path: Path) -> GgufHeader:
    """Read and check the header. Raises ModelNotFound, or ModelError naming the file and what is wrong with it."""
    try:
        with path.open("rb") as file:
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


def _read(path: Path, reader: _Reader) -> GgufHeader:
    if reader.take(4) != MAGIC:
        raise _Malformed("it does not begin with `GGUF`")
    version = reader.number(U32)
    if version not in VERSIONS:
        raise _Malformed(f"its format version is {version}, not 2 or 3")
    tensor_count = reader.count(U64, MAX_TENSORS, "tensors")
    key_count = reader.count(U64, MAX_KEYS, "keys")
    metadata = dict(reader.key_value() for _ in range(key_count))
    end = max((reader.tensor_end() for _ in range(tensor_count)), default=0)
    data_start = _aligned(reader.position, _integer(metadata, "general.alignment", DEFAULT_ALIGNMENT, 1, 2**20))
    if data_start + end > reader.size:
        raise _Malformed(f"it is cut short: {reader.size:,} bytes of {data_start + end:,}")
    architecture = _text(metadata, "general.architecture")
    if not architecture:
        raise _Malformed("it names no architecture")
    return GgufHeader(
        path=path,
        file_size=reader.size,
        architecture=architecture,
        name=_text(metadata, "general.name"),
        context_length=_integer(metadata, f"{architecture}.context_length", None, 1, 2**31 - 1),
        block_count=_integer(metadata, f"{architecture}.block_count", None, 1, MAX_LAYERS),
        chat_template=_text(metadata, "tokenizer.chat_template"),
        tensor_count=tensor_count,
    )


class _Reader:
    """Reads the format's parts in order, and never more than the file holds."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self.position = 0

    def take(self, length: int) -> bytes:
        self._claim(length)
        data = self._file.read(length)
        if len(data) < length:
            raise _Malformed("it ended while it was being read")
        return data

    def skip(self, length: int) -> None:
        self._claim(length)
        self._file.seek(length, 1)

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

    def key_value(self) -> tuple[str, Scalar]:
        """Read one key and its value; an array's value is only its length."""
        key = self.string(MAX_KEY_BYTES)
        kind = self.number(U32)
        if kind == ARRAY:
            return key, self.skip_array(MAX_ARRAY_DEPTH)
        return key, self.scalar(kind)

    def scalar(self, kind: int) -> Scalar:
        if kind == STRING:
            return self.string(MAX_STRING_BYTES)
        layout = _layout(kind)
        value: Scalar = layout.unpack(self.take(layout.size))[0]
        return value

    def skip_array(self, depth: int) -> int:
        if depth == 0:
            raise _Malformed("its arrays are nested too deep")
        kind = self.number(U32)
        length = self.count(U64, MAX_ARRAY_ITEMS, "items in one array")
        if kind == STRING:
            for _ in range(length):
                self.skip(self.count(U64, MAX_STRING_BYTES, "bytes for one string"))
        elif kind == ARRAY:
            for _ in range(length):
                self.skip_array(depth - 1)
        else:
            self.skip(length * _layout(kind).size)
        return length

    def tensor_end(self) -> int:
        """Read one tensor's description; return where its data ends, counted from the start of all data."""
        name = self.string(MAX_KEY_BYTES)
        dimensions = [self.number(U64) for _ in range(self.count(U32, MAX_DIMENSIONS, "dimensions"))]
        kind = self.number(U32)
        offset = self.number(U64)
        weights = math.prod(dimensions)
        if not 0 < weights < 2**63:
            raise _Malformed(f"tensor `{name[:60]}` has the impossible shape {dimensions}")
        block, block_bytes = BLOCKS.get(kind, (1, 0))
        if dimensions and dimensions[0] % block:
            raise _Malformed(f"the rows of tensor `{name[:60]}` do not fill whole blocks")
        return offset + weights // block * block_bytes

    def _claim(self, length: int) -> None:
        self.position += length
        if self.position > self.size:
            raise _Malformed(f"it is cut short: its header needs more than its {self.size:,} bytes")


def _layout(kind: int) -> struct.Struct:
    if kind not in SCALARS:
        raise _Malformed(f"a value has the unknown type {kind}")
    return SCALARS[kind]


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _text(metadata: dict[str, Scalar], key: str) -> str:
    value = metadata.get(key, "")
    return value if isinstance(value, str) else ""


def _integer(metadata: dict[str, Scalar], key: str, default: int | None, least: int, most: int) -> int:
    value = metadata.get(key, default)
    if value is None:
        raise _Malformed(f"it lacks `{key}`")
    if not isinstance(value, int) or not least <= value <= most:
        raise _Malformed(f"its `{key}` is {value!r:.40}")
    return value
