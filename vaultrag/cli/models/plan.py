"""`vaultrag models plan`: where models would lie on a machine, and how fast they would be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaultrag.cli.models.plan_pages import PlannedMachine, PlannedModel, PlannedPlace, plan_pages
from vaultrag.cli.options import ComboOption, HomeOption, JsonOption, VaultOption, session_of
from vaultrag.config import Settings, models_dir
from vaultrag.errors import DoesNotFit, UsageError

if TYPE_CHECKING:
    from vaultrag.runtime.hardware.profiles import Hardware
    from vaultrag.runtime.models.catalogue import ModelEntry
    from vaultrag.runtime.offload.footprint import Use
    from vaultrag.runtime.offload.machine_plan import MachinePlan, Placed, Unplaced
    from vaultrag.runtime.offload.plan import NoPlan, Plan
    from vaultrag.runtime.offload.targets import Named, Told

MORE = 8  # GiB: the step in which people buy memory
NOTICED = 1.05  # smaller gains are not worth a line

ModelsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODEL]...",
        help="Names, GGUF files, or NAME:QUANT such as qwen3-32b:Q8_0. Default: those of all roles.",
        show_default=False,
    ),
]
MachineOption = Annotated[
    str,
    typer.Option("--machine", metavar="PROFILE", help="A machine of config/profiles. Default: this one."),
]
VramOption = Annotated[
    str, typer.Option("--vram", metavar="SIZES", help="Memory of its cards: 24GB, or 24GB,24GB. 0: no card.")
]
RamOption = Annotated[str, typer.Option("--ram", metavar="SIZE", help="Its memory: 64GB.")]
BandwidthOption = Annotated[float, typer.Option("--bandwidth", metavar="GB/S", help="Bandwidth of its RAM.", min=0)]
CardBandwidthOption = Annotated[
    float, typer.Option("--card-bandwidth", metavar="GB/S", help="Bandwidth of its cards.", min=0)
]
CoresOption = Annotated[int, typer.Option("--cores", metavar="NUMBER", help="Its cores.", min=0)]
ContextOption = Annotated[
    int, typer.Option("--context", metavar="TOKENS", help="Context wanted. Default: `runtime.context`.", min=0)
]


def plan_command(
    context: typer.Context,
    models: ModelsArgument = None,
    machine: MachineOption = "",
    vram: VramOption = "",
    ram: RamOption = "",
    bandwidth: BandwidthOption = 0.0,
    card_bandwidth: CardBandwidthOption = 0.0,
    cores: CoresOption = 0,
    tokens: ContextOption = 0,
    combo: ComboOption = None,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show where models would lie and how fast they would be: on this machine, or on one that you describe.

    Only headers are read; a model of the catalogue that is not here is planned from its published shape.
    """
    from vaultrag.runtime.offload.machine_plan import plan_models
    from vaultrag.runtime.offload.targets import Told

    session = session_of(context)
    settings = session.settings(vault, home)
    if combo is not None:
        settings = settings.model_copy(update={"models": settings.models.model_copy(update={"combination": combo})})
    if models and combo:
        raise UsageError("Models and a combination are named, and only one of them can be planned.", "Leave one out.")
    told = Told(_sizes(vram), _ram(ram), bandwidth, card_bandwidth, cores)
    named = _models(models, settings)
    with session.terminal.waiting("Looking at the machine"):
        hardware = _machine(machine, told, settings)
    wanted = tokens or settings.runtime.context
    planned = plan_models(named.wanted, hardware, wanted, named.others)
    shown = _shown(planned, named, wanted)
    if json:
        session.terminal.print_json(shown)
    else:
        session.terminal.print(*plan_pages(shown))
    if not all(model.fits for model in shown.models):
        raise typer.Exit(DoesNotFit.exit_code)


def _sizes(text: str) -> tuple[float, ...]:
    """Read `24GB`, `24`, `24,24` or `512MB` as GiB. Raises UsageError."""
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(g|gb|gib|m|mb|mib|t|tb|tib|)", part.lower())
        if match is None:
            raise UsageError(f"`{part}` is no size of memory.", "Write it as 24GB, or as 24GB,24GB for two cards.")
        found.append(float(match[1]) * {"m": 1 / 1024, "t": 1024}.get(match[2][:1], 1))
    return tuple(found)


def _ram(text: str) -> float:
    """Read the RAM's size; 0 where none is told. Raises UsageError."""
    if text and not sum(_sizes(text)):
        raise UsageError("A machine without RAM runs no model.", "Write its size as 64GB, or leave `--ram` out.")
    return sum(_sizes(text))


def _machine(name: str, told: Told, settings: Settings) -> Hardware:
    """Return the machine to plan for: this one within the limits of the settings, unless another is told."""
    from vaultrag.runtime.hardware.detect import describe_this_machine
    from vaultrag.runtime.hardware.profiles import find_machine, limited
    from vaultrag.runtime.offload.targets import machine_as_told

    if name:
        return machine_as_told(find_machine(name, models_dir()), told)
    here = describe_this_machine(models_dir())
    if told.is_silent:
        return limited(here, settings.runtime.ram_gib, settings.runtime.vram_gib)
    return machine_as_told(here, told)


def _models(names: list[str] | None, settings: Any) -> Named:
    from vaultrag.runtime.offload.targets import models_named, models_of_settings

    return models_named(names, models_dir()) if names else models_of_settings(settings, models_dir())


def _shown(planned: MachinePlan, named: Named, context: int) -> PlannedMachine:
    return PlannedMachine(
        machine=planned.hardware.name,
        description=planned.hardware.description,
        context=context,
        others_bytes=planned.others,
        left_on_cards=list(planned.left.cards),
        left_in_ram=planned.left.ram,
        models=[_model(model, planned.hardware, named) for model in planned.models],
        changes=list(_changes(planned, named, context)),
    )


def _model(model: Placed | Unplaced, hardware: Hardware, named: Named) -> PlannedModel:
    from vaultrag.runtime.hardware.detect import THIS_MACHINE
    from vaultrag.runtime.offload.machine_plan import Placed

    wanted = model.wanted
    start = PlannedModel(
        name=wanted.name,
        roles=[role.value for role in wanted.roles],
        quantisation=wanted.facts.quantisation,
        bytes=wanted.facts.size,
        from_shape=wanted.name in named.from_shape,
        trained_context=wanted.facts.context,
        fits=isinstance(model, Placed),
    )
    here = hardware.name == THIS_MACHINE and not start.from_shape
    if isinstance(model, Placed):
        plan = _exact(model, wanted.name) if here else model.plan
        update = {"stays": not model.is_swapped, "swap_seconds": model.swap_seconds, **_figures(plan, hardware)}
        return start.model_copy(update={**update, **(_measured(wanted.name) if here else {})})
    update = {"missing_bytes": model.refusal.missing, "instead": list(_instead(start, model.refusal, hardware))}
    return start.model_copy(update=update)


def _exact(model: Placed, name: str) -> Plan:
    """Return the plan with the working memory that llama.cpp itself reserves here."""
    from vaultrag.runtime.offload.memory import with_true_compute

    plain, _, scheme = name.rpartition(":")
    if plain and scheme == model.plan.facts.quantisation:
        return model.plan  # another quantisation than the file's
    return with_true_compute(model.plan, _path(name))


def _measured(name: str) -> dict[str, float]:
    """Return what `models bench` measured of a model here."""
    from vaultrag.runtime.models.installed import fingerprint
    from vaultrag.runtime.tuning import kept

    result = kept(models_dir(), fingerprint(_entry(name), _path(name)))
    if result is None:
        return {}
    return {"measured_decode": round(result.idle.decode, 2), "measured_prefill": round(result.idle.prefill, 1)}


def _entry(name: str) -> ModelEntry:
    from vaultrag.runtime.models.catalogue import ModelKind, find_model

    return find_model(name.rpartition(":")[0] or name, ModelKind.CHAT, models_dir())


def _path(name: str) -> Path:
    from vaultrag.runtime.models.installed import model_path

    return model_path(_entry(name), models_dir())


def _instead(start: PlannedModel, refusal: NoPlan, hardware: Hardware) -> Iterator[PlannedModel]:
    choices = (
        (refusal.shorter, "with a smaller context"),
        (refusal.smaller, "in a smaller quantisation"),
        (refusal.mapped, "mapped from the file, read from the drive again and again"),
    )
    for plan, why in choices:
        if plan is not None:
            figures = _figures(plan, hardware)
            about = {"quantisation": plan.facts.quantisation, "bytes": plan.facts.size, "fits": True, "why": why}
            yield start.model_copy(update={**about, **figures})


def _figures(plan: Plan, hardware: Hardware) -> dict[str, Any]:
    uses = [(card.name, use) for card, use in zip(hardware.cards, plan.footprint.cards, strict=True)]
    return {
        "places": [_place(name, use) for name, use in [*uses, ("RAM", plan.footprint.ram)]],
        "placement": plan.placement.to_json(),
        "decode": round(plan.forecast.decode, 4),  # shown with one digit: rounding twice would show another
        "prefill": round(plan.forecast.prefill, 3),
        "binding": plan.forecast.binding,
        "from_disk_bytes": plan.from_disk,
    }


def _place(name: str, use: Use) -> PlannedPlace:
    return PlannedPlace(
        place=name, weights=use.weights, cache=use.cache, compute=use.compute, process=use.process, total=use.total
    )


def _changes(planned: MachinePlan, named: Named, context: int) -> Iterator[str]:
    """Say what more memory or a smaller context would give."""
    from vaultrag.runtime.hardware.profiles import place_of_more, with_more
    from vaultrag.runtime.offload.machine_plan import plan_models
    from vaultrag.runtime.offload.plan import LEAST_CONTEXT

    more = plan_models(named.wanted, with_more(planned.hardware, MORE), context, planned.others)
    yield from _gains(planned, more, f"with {MORE} GiB more {place_of_more(planned.hardware)}")
    if context // 2 >= LEAST_CONTEXT:
        less = plan_models(named.wanted, planned.hardware, context // 2, planned.others)
        yield from _gains(planned, less, f"with a context of {context // 2:,}")


def _gains(before: MachinePlan, after: MachinePlan, what: str) -> Iterator[str]:
    had = {model.wanted.name: model for model in before.placed()}
    for model in after.placed():
        old = had.get(model.wanted.name)
        if old is None:
            yield f"{model.wanted.name} fits {what}: {model.plan.forecast.decode:.1f} tokens/s."
        elif old.is_swapped and not model.is_swapped:
            yield f"{model.wanted.name} stays loaded {what}."
        elif model.plan.forecast.decode > old.plan.forecast.decode * NOTICED:
            speeds = f"{old.plan.forecast.decode:.1f} to {model.plan.forecast.decode:.1f}"
            yield f"{model.wanted.name} goes from {speeds} tokens/s {what}."
