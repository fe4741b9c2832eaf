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


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: `gpu_layers` as in `[runtime]`; `given` is a placement that was planned or measured before."""

    context: int
    threads: int
    gpu_layers: int
    given: Placement | None = None


def choose_placement(path: Path, wish: Wish, backend: BackendInfo) -> tuple[Placement, str]:
    """Return where the model goes, and why. Native code is called: only child processes may."""
    if wish.gpu_layers == NONE or not backend.gpu_offload:
        if wish.given is not None:
            return wish.given, "as planned"
        why = "the settings keep it off the GPU" if wish.gpu_layers == NONE else "llama-cpp-python has no GPU support"
        return _on_cpu(wish), why
    machine = describe_machine()
    hardware = hardware_of(machine, backend, known_bandwidth(models_dir(), machine), nvml_cards())
    return decide(read_facts(path), wish, hardware)


def decide(facts: ModelFacts, wish: Wish, hardware: Hardware) -> tuple[Placement, str]:
    """Return the placement on a machine whose GPU can be used. Pure."""
    if not hardware.cards:
        return wish.given or _on_cpu(wish), "no GPU was found"
    budget = budget_of(hardware)
    if wish.given is not None and fits(facts, wish.given, hardware, budget):
        return wish.given, "as planned"
    if wish.gpu_layers != AUTO:
        layers = ALL_LAYERS if wish.gpu_layers == ALL else wish.gpu_layers
        asked = replace(_on_cpu(wish), gpu_layers=layers, batch=CARD_BATCH, micro_batch=CARD_BATCH)
        return asked, "as the settings say"
    plan = place(facts, hardware, budget, wish.context)
    if plan is None:
        return _on_cpu(wish), "nothing of it fits beside what is on the GPU and in RAM"
    placement = replace(plan.placement, threads=wish.threads, threads_batch=wish.threads)
    return placement, f"planned: about {plan.forecast.decode:.0f} tokens/s"


def _on_cpu(wish: Wish) -> Placement:
    return Placement(
        context=wish.context,
        threads=wish.threads,
        threads_batch=wish.threads,
        batch=CPU_BATCH,
        micro_batch=CPU_BATCH,
    )
