"""The machines that are planned for: this one, a profile of `config/profiles/`, or one told on the command line."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from vaultrag.config import shipped
from vaultrag.errors import ConfigError

GIBIBYTE = 1 << 30
PROFILES_FOLDER = "profiles"
CARD_RESERVE = 0.03  # of a card stays free: past its memory the driver pages, and speed collapses
LEAST_CARD_RESERVE = GIBIBYTE // 2
RAM_RESERVE = 0.08  # of all memory is left to the system and to what else runs
LEAST_RAM_RESERVE = 2 * GIBIBYTE
LEAST_FREE_RESERVE = GIBIBYTE // 2  # where what is free was measured, the system has its share already
UNIFIED_SHARE = 0.75  # of unified memory a GPU may wire at most: macOS's own default
CORE_GFLOPS = 60.0  # measured: quantised matrices on an EPYC core with AVX2
BUS = 25.0  # GB/s of PCIe 4 with 16 lanes
DISK = 2.5  # GB/s read from a usual NVMe drive

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU: memory in GiB, bandwidth in GB/s, and the half-precision TFLOPS of its matrix units (f32 sums)."""

    name: str
    memory: Positive
    bandwidth: Positive
    tflops: Positive
    used: Share = 0.0

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def budget(self) -> int:
        """Return the bytes that models may take."""
        whole = int(self.memory * GIBIBYTE)
        return max(0, int((self.memory - self.used) * GIBIBYTE) - max(LEAST_CARD_RESERVE, int(CARD_RESERVE * whole)))


@dataclass(frozen=True, slots=True)
class Hardware:
    """A machine. `ram` and `free` in GiB (`free` 0: nothing is known of what runs there), bandwidths in GB/s.

    With `unified` memory the one card computes out of the RAM. Where it `repacks`, its CPU computes with copies of
    weights in an order of its own (ggml's extra buffers).
    """

    name: str
    description: str
    cores: Annotated[int, Field(gt=0)]
    ram: Positive
    ram_bandwidth: Positive
    cards: tuple[Card, ...] = ()
    bus: Share = BUS
    unified: bool = False
    free: Share = 0.0
    core_gflops: Positive = CORE_GFLOPS
    disk: Positive = DISK
    repacks: bool = True

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def ram_budget(self) -> int:
        """Return the bytes of RAM that models may take."""
        whole = int(self.ram * GIBIBYTE)
        if self.free:
            return max(0, int(self.free * GIBIBYTE) - LEAST_FREE_RESERVE)
        return max(0, whole - max(LEAST_RAM_RESERVE, int(RAM_RESERVE * whole)))


@dataclass(frozen=True, slots=True)
class _File:
    machine: tuple[Hardware, ...] = ()


def load_machines(models_dir: Path) -> dict[str, Hardware]:
    """Return the shipped machines and those of the models folder, which win, by name. Raises ConfigError."""
    found: dict[str, Hardware] = {}
    for folder in (shipped(PROFILES_FOLDER), models_dir / PROFILES_FOLDER):
        for path in sorted(folder.glob("*.toml")) if os.path.isdir(folder) else ():
            found |= {machine.name: machine for machine in _read(path)}
    return found


def find_machine(name: str, models_dir: Path) -> Hardware:
    """Return the machine of this name. Raises ConfigError with the nearest one."""
    known = load_machines(models_dir)
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
    hint = f" The nearest is `{nearest[0]}`." if nearest else ""
    raise ConfigError(f"No machine is called `{name}`.{hint}", f"The known ones: {', '.join(known)}.")


def with_more(hardware: Hardware, gibibytes: float) -> Hardware:
    """Return the machine with more memory on its last card, or more RAM where it has no card or shares its memory."""
    free = hardware.free + gibibytes if hardware.free else 0.0
    if hardware.unified:
        card = replace(hardware.cards[0], memory=hardware.cards[0].memory + gibibytes * UNIFIED_SHARE)
        return replace(hardware, ram=hardware.ram + gibibytes, free=free, cards=(card,))
    if not hardware.cards:
        return replace(hardware, ram=hardware.ram + gibibytes, free=free)
    last = replace(hardware.cards[-1], memory=hardware.cards[-1].memory + gibibytes)
    return replace(hardware, cards=(*hardware.cards[:-1], last))


def place_of_more(hardware: Hardware) -> str:
    """Say where `with_more` puts it."""
    if hardware.unified or not hardware.cards:
        return "of memory" if hardware.unified else "of RAM"
    return "on the card" if len(hardware.cards) == 1 else "on the last card"


def limited(hardware: Hardware, ram: float, vram: float) -> Hardware:
    """Return the machine with at most these GiB for models, in RAM and on each card; 0: as much as there is."""
    if ram:
        most = min(hardware.ram_budget, int(ram * GIBIBYTE))
        hardware = replace(hardware, free=(most + LEAST_FREE_RESERVE) / GIBIBYTE)
    if vram:
        cards = (replace(card, used=card.used + max(0.0, card.budget / GIBIBYTE - vram)) for card in hardware.cards)
        hardware = replace(hardware, cards=tuple(cards))
    return hardware


def _read(path: Path) -> Iterator[Hardware]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        yield from TypeAdapter(_File).validate_python({"machine": tables.get("machine", ())}).machine
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The machines in {path} cannot be read: {error}.", _FORM) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}" for fault in error.errors())
        raise ConfigError(f"The machines in {path} have faults: {faults}.", _FORM) from error


_FORM = "config/profiles/machines.toml shows the form."
