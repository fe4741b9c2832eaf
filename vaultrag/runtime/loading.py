"""How a model is loaded here and now: as it was given, as the settings say, or as the planner decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vaultrag.config import models_dir
from vaultrag.runtime.gguf_facts import ModelFacts, read_facts
from vaultrag.runtime.hardware import Hardware
from vaultrag.runtime.machine import ALL, AUTO, NONE, BackendInfo, describe_machine
from vaultrag.runtime.nvml import nvml_cards
from vaultrag.runtime.offload import CARD_BATCH, CPU_BATCH, budget_of, fits, place
from vaultrag.runtime.placement import ALL_LAYERS, Placement
from vaultrag.runtime.this_machine import hardware_of, known_bandwidth

AS_PLANNED = "as planned"  # the reason of a placement that was given and has room


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: `gpu_layers` as in `[runtime]`; `given` is a placement that was planned or measured before."""

    context: int
    threads: int
    gpu_layers: int
    given: Placement | None = None


def choose_placement(path: Path, wish: Wish, backend: BackendInfo) -> tuple[Placement, str]:
    """Return where the model goes, and why. Native code is called: only child processes may."""
    machine = describe_machine()
    told = nvml_cards() if backend.gpu_offload else []
    hardware = hardware_of(machine, backend, known_bandwidth(models_dir(), machine), told)
    return decide(read_facts(path), wish, hardware)


def decide(facts: ModelFacts, wish: Wish, hardware: Hardware) -> tuple[Placement, str]:
    """Return the placement on a machine as it is now. Pure."""
    budget = budget_of(hardware)
    if wish.given is not None and fits(facts, wish.given, hardware, budget):
        return wish.given, AS_PLANNED
    if wish.gpu_layers == NONE:
        return _on_cpu(facts, wish, hardware, "the settings keep it off the GPU")
    if not hardware.cards:
        return _on_cpu(facts, wish, hardware, "no GPU was found that this llama-cpp-python can use")
    if wish.gpu_layers != AUTO:
        layers = ALL_LAYERS if wish.gpu_layers == ALL else wish.gpu_layers
        return replace(_plain(wish), gpu_layers=layers, batch=CARD_BATCH, micro_batch=CARD_BATCH), "as the settings say"
    plan = place(facts, hardware, budget, wish.context)
    if plan is None:
        return _on_cpu(facts, wish, hardware, "nothing of it fits beside what is on the GPU")
    placement = replace(plan.placement, threads=wish.threads, threads_batch=wish.threads)
    return placement, f"planned: about {plan.forecast.decode:.0f} tokens/s"


def _on_cpu(facts: ModelFacts, wish: Wish, hardware: Hardware, why: str) -> tuple[Placement, str]:
    """Map the file; where the CPU's own copies of weights have no room beside it, read it, or do without them."""
    plain, alone = _plain(wish), replace(hardware, cards=(), unified=False)
    for placement in (plain, replace(plain, use_mmap=False)):
        if fits(facts, placement, alone, budget_of(alone)):
            return placement, why
    return replace(plain, repack=False), f"{why}; it is larger than what is free of the RAM"


def _plain(wish: Wish) -> Placement:
    return Placement(
        context=wish.context,
        threads=wish.threads,
        threads_batch=wish.threads,
        batch=CPU_BATCH,
        micro_batch=CPU_BATCH,
    )
