"""What was learned here of ggml's extra buffers: copies of weights in an order that the CPU computes faster in, or not.

They are a choice to be measured: builds crash in them (gcc 12 with AMX), and some are slower than the file's own order.
What was learned holds for this machine and this build of llama.cpp; another build is tried anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

EXTRA_BUFFERS_NAME = "extra-buffers.json"
KEY_LENGTH = 16  # hexadecimal digits: a file holds a handful of machines and builds


@dataclass(frozen=True, slots=True)
class ExtraBuffers:
    """What was learned, in a file of the models folder. What is lost of it is learned again."""

    models_dir: Path

    @property
    def crash(self) -> str:
        """Return how a model's process died in its first evaluation with them; empty where none did."""
        return str(self._known().get("crash", ""))

    def remember_crash(self, how: str) -> None:
        self._learn({"crash": how})

    def is_proved(self, model: str) -> bool:
        """Whether this model has evaluated a batch with them."""
        return model in self._names("proved")

    def prove(self, model: str) -> None:
        self._learn({"proved": sorted({*self._names("proved"), model})})

    def is_slower(self, model: str) -> bool | None:
        """Whether this model was measured to be slower with them; None where it was not measured."""
        if model in self._names("slower"):
            return True
        return False if model in self._names("faster") else None

    def remember_speed(self, model: str, *, slower: bool) -> None:
        now, before = ("slower", "faster") if slower else ("faster", "slower")
        learned = {now: sorted({*self._names(now), model}), before: sorted({*self._names(before)} - {model})}
        self._learn(learned)

    def _names(self, what: str) -> list[str]:
        names = self._known().get(what, [])
        return [str(name) for name in names] if isinstance(names, list) else []

    def _known(self) -> dict[str, Any]:
        known = _read(self.models_dir / EXTRA_BUFFERS_NAME).get(machine_and_build(), {})
        return known if isinstance(known, dict) else {}

    def _learn(self, learned: dict[str, Any]) -> None:
        """Write the file whole, or leave it as it was."""
        path = self.models_dir / EXTRA_BUFFERS_NAME
        all_known = {**_read(path), machine_and_build(): {**self._known(), **learned}}
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(all_known, indent=1), encoding="utf-8")
            os.replace(part, path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def machine_and_build() -> str:
    """Identify this CPU together with the installed build of llama.cpp."""
    return hashlib.sha256(f"{cpu()}\n{build()}".encode()).hexdigest()[:KEY_LENGTH]


@cache
def cpu() -> str:
    """Name this machine's processor by its model and its instructions."""
    described = sorted(set(_described()))
    return "\n".join([platform.machine(), *described])


def cpu_flags() -> frozenset[str]:
    """Return the instruction sets that the system names, as Linux spells them; empty where it names none."""
    return frozenset(
        word
        for line in _described()
        if line.partition(":")[0].strip().lower() in ("flags", "features")
        for word in line.partition(":")[2].split()
    )


def build() -> str:
    """Identify the installed build of llama.cpp by its libraries; empty where there is none."""
    return "\n".join(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in _libraries())


def _libraries() -> Iterator[Path]:
    """Yield the libraries of llama-cpp-python, which is found but not imported."""
    found = importlib.util.find_spec("llama_cpp")
    for place in (found.submodule_search_locations or ()) if found else ():
        yield from sorted(file for file in (Path(place) / "lib").glob("*") if not file.is_symlink())


@cache
def _described() -> tuple[str, ...]:
    """Return the lines in which the system describes its processor."""
    if sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            told = subprocess.run(["sysctl", "machdep.cpu.brand_string"], capture_output=True, check=True, timeout=5)
            return (told.stdout.decode("utf-8", "replace").strip(),)
    wanted = ("model name", "flags", "features", "cpu part", "cpu implementer")
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        lines = dict.fromkeys(text.splitlines())  # each core says the same
        return tuple(line for line in lines if line.partition(":")[0].strip().lower() in wanted)
    return (platform.processor(),)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
