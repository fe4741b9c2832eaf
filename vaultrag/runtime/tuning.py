"""The neighbours of a plan, what was measured of them, and the best one kept for this machine, model and version."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from vaultrag.runtime.offload.placement import Placement
from vaultrag.runtime.run_settings import Speed

TUNING_NAME = "tuning.json"
SPINS = (0, 1000, 10_000)  # OpenMP threads that wait: asleep at once, briefly awake, long awake
BUSY_SHARE = 0.5  # a busy machine counts half as much as an idle one
CLEARLY = 0.97  # a neighbour must save this much to be worth the change: less is noise
LAYERS_APART = (-2, 2)  # layers, or layers' experts, more or fewer on the cards


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to run a model. `name` says what differs from the plan."""

    name: str
    placement: Placement
    spin_count: int


Neighbours: TypeAlias = Callable[[Trial], Iterator[Trial]]
"""One thing that is varied: the neighbours of a trial."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of a trial on an idle machine, and beside one busy core."""

    trial: Trial
    idle: Speed
    busy: Speed

    @property
    def cost(self) -> float:
        return self.idle.seconds + BUSY_SHARE * self.busy.seconds


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial that could not be loaded, and why."""

    trial: Trial
    why: str


def rounds(cores: int, layers: int) -> tuple[Neighbours, ...]:
    """Return what is varied, one after the other, each time around the best so far."""
    return (_extra_buffers, partial(_threads, cores), _spins, _batches, partial(_layers, layers), _caches)


def _extra_buffers(trial: Trial) -> Iterator[Trial]:
    """Vary them where the CPU computes: beside a card ggml has no use for them."""
    if trial.placement.gpu_layers == 0:
        name = "without extra buffers" if trial.placement.repack else "with extra buffers"
        yield Trial(name, replace(trial.placement, repack=not trial.placement.repack), trial.spin_count)


def _threads(cores: int, trial: Trial) -> Iterator[Trial]:
    for count in sorted({max(1, cores - 1), max(1, cores // 2)} - {trial.placement.threads}):
        yield Trial(f"{count} of {cores} cores write", replace(trial.placement, threads=count), trial.spin_count)


def _spins(trial: Trial) -> Iterator[Trial]:
    for spin in SPINS:
        if spin != trial.spin_count:
            yield Trial(f"spin count {spin:,}", trial.placement, spin)


def _batches(trial: Trial) -> Iterator[Trial]:
    for batch in (trial.placement.micro_batch // 2, trial.placement.micro_batch * 2):
        placement = replace(trial.placement, batch=batch, micro_batch=batch)
        yield Trial(f"batches of {batch}", placement, trial.spin_count)


def _layers(layers: int, trial: Trial) -> Iterator[Trial]:
    experts, on_cards = len(trial.placement.expert_cpu_layers), trial.placement.gpu_layers
    for apart in LAYERS_APART:
        if experts and 0 <= experts + apart <= layers:
            moved = replace(trial.placement, expert_cpu_layers=tuple(range(experts + apart)))
            yield Trial(f"experts of {experts + apart} layers in RAM", moved, trial.spin_count)
        elif on_cards > 0 and 0 <= on_cards + apart <= layers + 1:
            moved = replace(trial.placement, gpu_layers=on_cards + apart)
            yield Trial(f"{on_cards + apart} layers on cards", moved, trial.spin_count)


def _caches(trial: Trial) -> Iterator[Trial]:
    other = "q8_0" if trial.placement.key_type == "f16" else "f16"
    yield Trial(f"cache {other}", replace(trial.placement, key_type=other, value_type=other), trial.spin_count)


def better(first: Result, second: Result) -> Result:
    """Return the second where it is clearly better, else the first."""
    return second if second.cost < CLEARLY * first.cost else first


def merged(results: Iterable[Result]) -> list[Result]:
    """Return one result for each trial, with its best speeds: what disturbs a measurement only makes it slower."""
    found: dict[Trial, Result] = {}
    for result in results:
        before = found.get(result.trial, result)
        found[result.trial] = Result(result.trial, _faster(before.idle, result.idle), _faster(before.busy, result.busy))
    return list(found.values())


def winner(results: Sequence[Result]) -> Result:
    """Return the best of merged results: the first, which is the plan, unless another is clearly better."""
    best = results[0]
    for result in results[1:]:
        best = better(best, result)
    return best


def _faster(first: Speed, second: Speed) -> Speed:
    return Speed(max(first.prefill, second.prefill), max(first.decode, second.decode))


def keep(models_dir: Path, model: str, best: Result) -> None:
    """Remember the best way to run a model on this machine. Raises OSError; what was known before stays."""
    path = models_dir / TUNING_NAME
    known = _read(path)
    known[_key(model)] = asdict(best)
    draft = path.with_suffix(f".{os.getpid()}.part")
    try:
        draft.write_text(json.dumps(known, indent=1), encoding="utf-8")
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def kept(models_dir: Path, model: str) -> Result | None:
    """Return what was kept for this machine, model and version of llama-cpp-python; None where nothing was."""
    try:
        values = _read(models_dir / TUNING_NAME)[_key(model)]
        trial = values["trial"]
        return Result(
            Trial(str(trial["name"]), Placement.from_json(trial["placement"]), int(trial["spin_count"])),
            Speed(**values["idle"]),
            Speed(**values["busy"]),
        )
    except (KeyError, TypeError, ValueError):
        return None  # nothing, or of another version of ours: measured again some day


def _key(model: str) -> str:
    """`model` is the fingerprint of its file."""
    machine = f"{platform.node()} {platform.machine()} {os.cpu_count()}"
    return f"{model}, {machine}, llama-cpp-python {version('llama_cpp_python')}"


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
