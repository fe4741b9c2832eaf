"""What llama.cpp itself says that a placement takes: asked in a child process, which allocates nothing for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from vaultrag.child import Child, ChildDied, ChildFailed
from vaultrag.errors import DoesNotFit
from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.offload.plan import Plan

ASKING_SECONDS = 60.0  # reading the header of a model in ten files takes seconds on a slow disk
MEBIBYTE = 1 << 20
_ANNOUNCED = re.compile(r":\s*(\S+)\s+(model|KV|RS|compute|output) buffer size =\s*([\d.]+) MiB")


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


def announced(line: str) -> Buffer | None:
    """Return the buffer that a line of llama.cpp's log tells of."""
    found = _ANNOUNCED.search(line)
    return Buffer(found[1], Purpose(found[2]), round(float(found[3]) * MEBIBYTE)) if found else None


def with_true_compute(plan: Plan, path: Path) -> Plan:
    """Return the plan with the working memory that llama.cpp itself reserves; unchanged where it cannot be asked."""
    try:
        buffers = ask_memory(path, plan.placement)
    except DoesNotFit:
        return plan
    names = [buffer.device for buffer in buffers if buffer.purpose is Purpose.COMPUTE]
    on_cards = [name for name in names if not name.startswith("CPU") and not name.endswith("_Host")]
    sizes = {buffer.device: buffer.size for buffer in buffers if buffer.purpose is Purpose.COMPUTE}
    cards = tuple(
        replace(use, compute=sizes[on_cards[index]]) if index < len(on_cards) else use
        for index, use in enumerate(plan.footprint.cards)
    )
    ram = sum(size for name, size in sizes.items() if name not in on_cards)
    ram += sum(buffer.size for buffer in buffers if buffer.purpose is Purpose.OUTPUT)
    taken = replace(plan.footprint, cards=cards, ram=replace(plan.footprint.ram, compute=ram))
    return replace(plan, footprint=taken)


def ask_memory(path: Path, placement: Placement, pretence: Pretence = Pretence.LAID_OUT) -> tuple[Buffer, ...]:
    """Return the buffers of a placement. Only laid out, a model's own weights are not among them.

    Raises DoesNotFit with llama.cpp's own words where it refuses.
    """
    child = Child("the memory probe", "vaultrag.runtime.offload.memory_worker", {"GGML_NO_BACKTRACE": "1"})
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
