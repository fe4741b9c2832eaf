"""How a model is loaded here and now: as it was given, as the settings say, or as the planner decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vaultrag.config import models_dir
from vaultrag.errors import DoesNotFit
from vaultrag.runtime.gguf.facts import ModelFacts, read_facts
from vaultrag.runtime.hardware.detect import hardware_of, known_bandwidth
from vaultrag.runtime.hardware.machine import ALL, AUTO, NONE, BackendInfo, describe_machine
from vaultrag.runtime.hardware.nvml import nvml_cards
from vaultrag.runtime.hardware.profiles import GIBIBYTE, Hardware
from vaultrag.runtime.offload.placement import ALL_LAYERS, Placement
from vaultrag.runtime.offload.plan import CARD_BATCH, CPU_BATCH, Budget, NoPlan, Plan, budget_of, fits, place, refuse

AS_PLANNED = "as planned"  # the reason of a placement that was given and has room


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: `gpu_layers` as in `[runtime]`; `given` is a placement that was planned or measured before.

    `room` is what the plan of all models leaves for this one, however much more is free. Without `repack` the CPU
    computes with the weights in the file's own order.
    """

    context: int
    threads: int
    gpu_layers: int
    given: Placement | None = None
    room: Budget | None = None
    repack: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a model goes, and why. `warning` is a sentence for the user, or empty."""

    placement: Placement
    reason: str
    warning: str = ""


def choose_placement(path: Path, wish: Wish, backend: BackendInfo) -> Decision:
    """Decide where the model goes. Native code is called: only child processes may. Raises DoesNotFit."""
    machine = describe_machine()
    told = nvml_cards() if backend.gpu_offload else []
    hardware = hardware_of(machine, backend, known_bandwidth(models_dir(), machine), told)
    return decide(read_facts(path), wish, hardware)


def decide(facts: ModelFacts, wish: Wish, hardware: Hardware) -> Decision:
    """Decide for a machine as it is now. Pure. Raises DoesNotFit where not even cache and working memory have room."""
    budget = _budget(hardware, wish)
    given = wish.given and replace(wish.given, repack=wish.given.repack and wish.repack)
    if given is not None and fits(facts, given, hardware, budget):
        return Decision(given, AS_PLANNED)
    if wish.gpu_layers == NONE:
        return _on_cpu(facts, wish, hardware, "the settings keep it off the GPU")
    if not hardware.cards:
        return _on_cpu(facts, wish, hardware, "no GPU was found that this llama-cpp-python can use")
    if wish.gpu_layers != AUTO:
        layers = ALL_LAYERS if wish.gpu_layers == ALL else wish.gpu_layers
        told = replace(_plain(wish), gpu_layers=layers, batch=CARD_BATCH, micro_batch=CARD_BATCH)
        return Decision(told, "as the settings say")
    plan = place(facts, hardware, budget, wish.context)
    if plan is None:
        return _on_cpu(facts, wish, hardware, "nothing of it fits beside what is on the GPU")
    return Decision(_with_threads(plan, wish), f"planned: about {plan.forecast.decode:.0f} tokens/s")


def _on_cpu(facts: ModelFacts, wish: Wish, hardware: Hardware, why: str) -> Decision:
    """Map the file; where the CPU's own copies of weights have no room beside it, read it, or do without them."""
    plain, alone = _plain(wish), replace(hardware, cards=(), unified=False)
    budget = _budget(alone, wish)
    for placement in (plain, replace(plain, use_mmap=False), replace(plain, repack=False)):
        if fits(facts, placement, alone, budget):
            return Decision(placement, why)
    return _from_disk(facts, wish, alone, why)


def _from_disk(facts: ModelFacts, wish: Wish, alone: Hardware, why: str) -> Decision:
    """Leave in the file what has no room in the RAM, and say what that costs and what would fit."""
    budget = _budget(alone, wish)
    refusal = refuse(facts, alone, budget, wish.context)
    mapped, room = refusal.mapped, f"{budget.ram / GIBIBYTE:.1f} GiB of RAM that are free for it"
    if mapped is None:
        raise DoesNotFit(
            f"The model's cache and working memory for {wish.context:,} tokens do not fit the {room}.",
            "Close other programs, lower `runtime.context`, raise `runtime.ram_gib` where it is set, or name a smaller"
            f" model. {_nearest(refusal)}".strip(),
        )
    warning = (
        f"The model takes {mapped.footprint.ram.total / GIBIBYTE:.1f} GiB, more than the {room}:"
        f" {mapped.from_disk / GIBIBYTE:.1f} GiB are read from the drive for every token, about"
        f" {mapped.forecast.decode:.1f} tokens/s. {_nearest(refusal)}"
    )
    return Decision(_with_threads(mapped, wish), f"{why}; it is larger than what is free of the RAM", warning.strip())


def _nearest(refusal: NoPlan) -> str:
    """Return a sentence about what fits without the drive, if anything does."""
    if refusal.shorter is not None:
        plan, what = refusal.shorter, f"a context of {refusal.shorter.placement.context:,} tokens"
    elif refusal.smaller is not None:
        plan, what = refusal.smaller, f"its quantisation {refusal.smaller.facts.quantisation}"
    else:
        return ""
    return f"The nearest that fits: {what}, about {plan.forecast.decode:.1f} tokens/s."


def _budget(hardware: Hardware, wish: Wish) -> Budget:
    """Return what is free now, and within the room that the plan of all models gives."""
    free, room = budget_of(hardware), wish.room
    if room is None:
        return free
    if len(room.cards) != len(free.cards):
        return replace(free, ram=min(free.ram, room.ram))  # cards came or went since the plan
    cards = tuple(min(now, planned) for now, planned in zip(free.cards, room.cards, strict=True))
    return Budget(cards, min(free.ram, room.ram))


def _with_threads(plan: Plan, wish: Wish) -> Placement:
    repack = plan.placement.repack and wish.repack
    return replace(plan.placement, threads=wish.threads, threads_batch=wish.threads, repack=repack)


def _plain(wish: Wish) -> Placement:
    return Placement(
        context=wish.context,
        threads=wish.threads,
        threads_batch=wish.threads,
        batch=CPU_BATCH,
        micro_batch=CPU_BATCH,
        repack=wish.repack,
    )
