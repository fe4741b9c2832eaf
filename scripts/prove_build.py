"""Proves that the llama.cpp compiled here computes: evaluates a batch of 64 tokens and one of 1, on all threads.

Run as a script it is the process that may die of it. The model is noise, but its weights have the types of the
catalogue's models and the shapes that ggml's extra buffers take (rows in 32s, columns in 256s), AMX's among them.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = str | int | float
Block: TypeAlias = tuple[int, int, int]  # ggml's number of a type, the weights of a block, its bytes

F32: Block = (0, 1, 4)
Q8_0: Block = (8, 32, 34)
Q4_K: Block = (12, 256, 144)
Q6_K: Block = (14, 256, 210)
WIDTH, FEED_FORWARD, HEAD, HEADS, SHARED_HEADS, VOCABULARY, LAYERS = 512, 1024, 64, 8, 2, 512, 2
BATCH = 64
ALIGNMENT = 32
SCALE = struct.pack("<e", 0.0005)  # of weights: sums of 1,024 products stay small numbers
TIMEOUT_SECONDS = 120.0  # it takes one; who hangs for two minutes is no proof either way
FAULTS = frozenset({"SIGSEGV", "SIGILL", "SIGBUS", "SIGFPE", "SIGABRT"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of the proof: it `died` by this signal, or could not be made because of `trouble`; else it holds."""

    died: str = ""
    trouble: str = ""

    @property
    def holds(self) -> bool:
        return not self.died and not self.trouble


def prove(python: str = sys.executable, environment: Mapping[str, str] | None = None) -> Proof:
    """Evaluate in a process of its own, so that only that one can die."""
    try:
        done = subprocess.run(
            [python, "-P", str(Path(__file__).resolve())],
            env={**os.environ, "GGML_NO_BACKTRACE": "1", **(environment or {})},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Proof(trouble=f"{type(error).__name__}: {error}")
    if done.returncode == 0:
        return Proof()
    if name := _fault(-done.returncode):
        return Proof(died=name)
    last = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return Proof(trouble=last[-1])


def evaluate(model: Path) -> None:
    """Load the model with all that ggml does with its weights here, and evaluate. May end the process."""
    import llama_cpp.llama_cpp as native

    native.llama_backend_init()
    params = native.llama_model_default_params()
    params.n_gpu_layers = 0
    params.use_extra_bufts = True
    loaded = native.llama_model_load_from_file(str(model).encode(), params)
    if not loaded:
        raise SystemExit("llama.cpp does not load the model that is to prove it")
    wanted = native.llama_context_default_params()
    wanted.n_ctx, wanted.n_batch, wanted.n_ubatch = 4 * BATCH, BATCH, BATCH
    wanted.n_threads = wanted.n_threads_batch = _threads()
    context = native.llama_init_from_model(loaded, wanted)
    if not context:
        raise SystemExit("llama.cpp makes no context for the model that is to prove it")
    for count in (BATCH, 1):
        tokens = (native.llama_token * count)(*range(1, count + 1))
        if native.llama_decode(context, native.llama_batch_get_one(tokens, count)) != 0:
            raise SystemExit(f"llama.cpp refuses a batch of {count} tokens")


def write_model(path: Path) -> Path:
    """Write a llama model of noise, 4 MB, always the same: half as Q4_K_M has it, half in 8 bits."""
    noise = random.Random(7)
    header, data = [], bytearray()
    tensors = list(_tensors())
    for name, shape, block in tensors:
        sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        header.append(_string(name) + sizes + struct.pack("<IQ", block[0], len(data)))
        data += _padded(_weights(noise, shape, block))
    metadata = _metadata()
    start = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    start += b"".join(_string(key) + _value(value) for key, value in metadata.items())
    path.write_bytes(_padded(start + b"".join(header)) + data)
    return path


def _metadata() -> Mapping[str, Value]:
    return {
        "general.architecture": "llama",
        "llama.context_length": 4 * BATCH,
        "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": FEED_FORWARD,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": SHARED_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": HEAD,
        "llama.vocab_size": VOCABULARY,
        "tokenizer.ggml.model": "no_vocab",
    }


def _tensors() -> Iterator[tuple[str, Sequence[int], Block]]:
    """Yield names, shapes (columns, rows) and types."""
    yield "token_embd.weight", (WIDTH, VOCABULARY), Q4_K
    for layer, (usual, finer) in enumerate(((Q4_K, Q6_K), (Q8_0, Q8_0))):
        for name, shape, block in (
            ("attn_norm", (WIDTH,), F32),
            ("attn_q", (WIDTH, HEAD * HEADS), usual),
            ("attn_k", (WIDTH, HEAD * SHARED_HEADS), usual),
            ("attn_v", (WIDTH, HEAD * SHARED_HEADS), finer),
            ("attn_output", (HEAD * HEADS, WIDTH), usual),
            ("ffn_norm", (WIDTH,), F32),
            ("ffn_gate", (WIDTH, FEED_FORWARD), usual),
            ("ffn_up", (WIDTH, FEED_FORWARD), usual),
            ("ffn_down", (FEED_FORWARD, WIDTH), finer),
        ):
            yield f"blk.{layer}.{name}.weight", shape, block
    yield "output_norm.weight", (WIDTH,), F32
    yield "output.weight", (WIDTH, VOCABULARY), Q6_K


def _weights(noise: random.Random, shape: Sequence[int], block: Block) -> bytes:
    """Return random blocks whose scales are small numbers; norms are ones."""
    _, weights, size = block
    count = 1
    for length in shape:
        count *= length
    if block == F32:
        return struct.pack("<f", 1.0) * count
    if block == Q4_K:  # a scale and a least value, the scales and least values of 8 parts, and 256 times 4 bits
        return b"".join(SCALE + SCALE + noise.randbytes(size - 4) for _ in range(count // weights))
    if block == Q6_K:  # 256 times 4 and 2 bits, the scales of 16 parts, and a scale
        return b"".join(noise.randbytes(size - 2) + SCALE for _ in range(count // weights))
    return b"".join(SCALE + noise.randbytes(size - 2) for _ in range(count // weights))


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode("ascii")


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    return struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)


def _threads() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _fault(number: int) -> str:
    """Name the signal if it is one by which native code ends itself; empty otherwise."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return ""
    return name if name in FAULTS else ""


def main() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would help nobody here
    with tempfile.TemporaryDirectory() as folder:
        evaluate(write_model(Path(folder) / "proof.gguf"))


if __name__ == "__main__":
    main()
