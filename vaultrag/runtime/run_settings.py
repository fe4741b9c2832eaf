"""How a model is to be run, and what is told of one that runs."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from vaultrag.runtime.eviction import Eviction
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers
from vaultrag.runtime.hardware.machine import BackendInfo, backend_info
from vaultrag.runtime.models.sampling_advice import Advice
from vaultrag.runtime.offload.memory import Buffer, Purpose
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

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LoadedInfo:
        """Rebuild what the worker told."""
        buffers = tuple(Buffer(device, Purpose(purpose), size) for device, purpose, size in values["buffers"])
        return cls(**{**values, "backend": backend_info(values["backend"]), "buffers": buffers})

    @property
    def reserved(self) -> int:
        """Return the bytes of all that llama.cpp set aside: weights (mapped ones too), cache, working memory."""
        return sum(buffer.size for buffer in self.buffers)


Loads: TypeAlias = Generator[float, None, LoadedInfo]
"""The shares of a load that are done, and then what was loaded."""


@dataclass(frozen=True, slots=True)
class Running:
    """How a model is run where more is said than its context. `placement` None: by the worker's own choice.

    `room` is what the plan of all models leaves for this one, and `eviction` knows who lies in memory beside it.
    `draft` guesses for the model; `lookup` guesses from what stands in the prompt; `advice` is its makers' on sampling.
    Prompts' states are kept in `states`, `states_bytes` at most. After `unload_seconds` without a request the process
    ends (0: it stays). `extra_buffers` is what is known of the build here; None where it is to run as told. Without
    `repack` the weights stay in the file's own order.
    """

    placement: Placement | None = None
    room: Budget | None = None
    eviction: Eviction = field(default_factory=Eviction)
    draft: Path | None = None
    lookup: bool = True
    advice: Advice = field(default_factory=Advice)
    states: Path | None = None
    states_bytes: int = 0
    unload_seconds: float = 0.0
    extra_buffers: ExtraBuffers | None = None
    repack: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return what the worker loads by, as plain values."""
        return {
            "placement": self.placement.to_json() if self.placement else None,
            "room": [self.room.cards, self.room.ram] if self.room else None,
            "draft": str(self.draft or ""),
            "lookup": self.lookup,
            "repack": self.repack,
            "advice": self.advice.to_json(),
            "states": str(self.states or ""),
            "states_bytes": self.states_bytes,
        }
