"""How a model is to be run, and what is told of one that runs."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from vaultrag.runtime.eviction import Eviction
from vaultrag.runtime.hardware.machine import BackendInfo
from vaultrag.runtime.models.sampling_advice import Advice
from vaultrag.runtime.offload.memory import Buffer
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.offload.plan import TOKENS_READ, TOKENS_WRITTEN, Budget


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second: read (prefill) and written (decode)."""

    prefill: float
    decode: float

    @property
    def seconds(self) -> float:
        """What a usual question takes."""
        return TOKENS_READ / max(self.prefill, 1e-9) + TOKENS_WRITTEN / max(self.decode, 1e-9)


@dataclass(frozen=True, slots=True)
class LoadedInfo:
    """What was loaded and where. `warning` is a sentence for the user, or empty; sizes in bytes."""

    model: str
    architecture: str
    context: int
    context_trained: int
    parameters: int
    size: int
    gpu_layers: int
    gpu_reason: str
    backend: BackendInfo
    warning: str
    buffers: tuple[Buffer, ...] = ()

    @property
    def reserved(self) -> int:
        """Return the bytes of all that llama.cpp set aside: weights (mapped ones too), cache, working memory."""
        return sum(buffer.size for buffer in self.buffers)


Loads: TypeAlias = Generator[float, None, LoadedInfo]
"""The shares of a load that are done, and then what was loaded."""


@dataclass(frozen=True, slots=True)
class Running:
    """How a model is run where more is said than its context. `placement` None: by the worker's own choice.

    `room` is what the plan of all models leaves for this one, and `residence` knows who lies in memory beside it.
    `draft` guesses for the model; `lookup` guesses from what stands in the prompt; `advice` is its makers' on sampling.
    Prompts' states are kept in `states`, `states_bytes` at most. After `unload_seconds` without a request the process
    ends (0: it stays).
    """

    placement: Placement | None = None
    room: Budget | None = None
    residence: Eviction = field(default_factory=Eviction)
    draft: Path | None = None
    lookup: bool = True
    advice: Advice = field(default_factory=Advice)
    states: Path | None = None
    states_bytes: int = 0
    unload_seconds: float = 0.0
