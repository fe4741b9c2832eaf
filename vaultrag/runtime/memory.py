"""What llama.cpp itself says that a placement takes: asked in a child process, which allocates nothing for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vaultrag.child import Child, ChildDied, ChildFailed
from vaultrag.errors import DoesNotFit
from vaultrag.runtime.placement import Placement

ASKING_SECONDS = 60.0  # reading the header of a model in ten files takes seconds on a slow disk


class Purpose(StrEnum):
    """What a buffer of llama.cpp holds; the values are its own words."""

    MODEL = "model"
    CACHE = "KV"
    STATE = "RS"
    COMPUTE = "compute"
    OUTPUT = "output"


class Pretence(StrEnum):
    """Whether the model is really loaded, or only laid out."""

    LOADED = "load"
    LAID_OUT = "lay out"


@dataclass(frozen=True, slots=True)
class Buffer:
    """A piece of memory: the device as llama.cpp names its kind of memory, and bytes (it rounds to 10 kB)."""

    device: str
    purpose: Purpose
    size: int


def ask_memory(path: Path, placement: Placement, pretence: Pretence = Pretence.LAID_OUT) -> tuple[Buffer, ...]:
    """Return the buffers of a placement. Only laid out, a model's own weights are not among them.

    Raises DoesNotFit with llama.cpp's own words where it refuses.
    """
    child = Child("the memory probe", "vaultrag.runtime.memory_child", {"GGML_NO_BACKTRACE": "1"})
    body = {"path": str(path), "placement": placement.to_json(), "pretence": pretence.value}
    try:
        buffers = child.call("buffers", body, ASKING_SECONDS).body["buffers"]
    except (ChildDied, ChildFailed) as error:
        raise DoesNotFit(
            f"llama.cpp refuses this placement of {path.name}: {error}.",
            "Choose a smaller context, or let `vaultrag models plan` choose.",
        ) from error
    finally:
        child.close()
    return tuple(Buffer(device, Purpose(purpose), size) for device, purpose, size in buffers)
