"""A plan as `models plan` prints it: its JSON, and its pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from vaultrag.cli.terminal import Indented, one_line

GIBIBYTE = 1 << 30


class PlannedPlace(BaseModel):
    """What lies in one place, in bytes; `free` is what remains there beside all that stays loaded."""

    model_config = ConfigDict(defer_build=True)

    place: str
    weights: int
    cache: int
    compute: int
    process: int
    total: int


class PlannedModel(BaseModel):
    """One model of `models plan --json`. `fits` false: `instead` holds what would, the nearest first."""

    model_config = ConfigDict(defer_build=True)

    name: str
    roles: list[str]
    quantisation: str
    bytes: int
    from_shape: bool
    trained_context: int
    fits: bool
    stays: bool = False
    swap_seconds: float = 0.0
    missing_bytes: int = 0
    from_disk_bytes: int = 0
    places: list[PlannedPlace] = []
    placement: dict[str, Any] = {}
    decode: float = 0.0
    prefill: float = 0.0
    binding: str = ""
    measured_decode: float = 0.0
    measured_prefill: float = 0.0
    instead: list[PlannedModel] = []
    why: str = ""


class PlannedMachine(BaseModel):
    """What `models plan --json` prints. Sizes in bytes, speeds in tokens a second."""

    model_config = ConfigDict(defer_build=True)

    machine: str
    description: str
    context: int
    others_bytes: int
    left_on_cards: list[int]
    left_in_ram: int
    models: list[PlannedModel]
    changes: list[str]


def plan_pages(shown: PlannedMachine) -> Iterator[RenderableType]:
    """Yield a plan as the terminal shows it: each model, what is left, and what more memory would give."""
    yield Text.assemble((shown.machine, "bold"), f": {one_line(shown.description)}; context {shown.context:,} tokens")
    for model in shown.models:
        yield Text("")
        yield from _page(model)
    yield Text("")
    cards = ", ".join(_gib(left) for left in shown.left_on_cards)
    left = (
        f"Left beside what stays loaded: {f'{cards} on the cards, ' if cards else ''}{_gib(shown.left_in_ram)} of RAM"
    )
    others = f"; {_gib(shown.others_bytes)} are taken by embedder and reranker" if shown.others_bytes else ""
    yield Text(f"{left}{others}.", style="dim")
    for change in shown.changes:
        yield Text(change, style="dim")


def _page(model: PlannedModel) -> Iterator[RenderableType]:
    about = f"  {model.quantisation}, {_gib(model.bytes)}; {', '.join(model.roles)}"
    shape = "; from its published shape" if model.from_shape else ""
    mark = ("✓ ", "green") if model.fits else ("✗ ", "red")
    yield Text.assemble(mark, (one_line(model.name), "bold"), (about + shape, "dim"))
    if model.fits:
        yield from _plan_lines(model)
        return
    yield Indented(Text(f"It does not fit: {_gib(model.missing_bytes)} are missing at least. What does:"), 2)
    for instead in model.instead or ():
        yield Indented(Text(f"{instead.quantisation}, {_gib(instead.bytes)}, {instead.why}", style="bold"), 2)
        yield from _plan_lines(instead)
    if not model.instead:
        yield Indented(Text("Nothing of it: name a smaller model.", style="bold"), 2)


def _plan_lines(model: PlannedModel) -> Iterator[RenderableType]:
    yield _table(model)
    speed = f"{model.decode:.1f} tokens/s written, {model.prefill:,.0f} read; what binds is {model.binding}"
    yield Indented(Text(f"{speed}."), 2)
    if model.measured_decode:
        measured = f"Measured here: {model.measured_decode:.1f} tokens/s written, {model.measured_prefill:,.0f} read."
        yield Indented(Text(measured), 2)
    yield Indented(Text(_where(model), style="dim"), 2)


def _where(model: PlannedModel) -> str:
    placement = model.placement
    layers = placement["gpu_layers"]
    parts = ["all layers on the cards" if layers < 0 else f"{layers} layers on the cards" if layers else "on the CPU"]
    if experts := len(placement["expert_cpu_layers"]):
        parts.append(f"the experts of the first {experts} layers in RAM")
    if any(placement["tensor_split"]):
        parts.append(f"split {' : '.join(f'{share:.0f}' for share in placement['tensor_split'])}")
    trained = ", all that it was trained for" if placement["context"] == model.trained_context else ""
    parts.append(f"cache {placement['key_type']}, context {placement['context']:,}{trained}")
    parts.append(f"batches of {placement['micro_batch']}, {placement['threads']} threads")
    if model.from_disk_bytes:
        parts.append(f"{_gib(model.from_disk_bytes)} read from the drive")
    if model.swap_seconds:
        parts.append(f"swapped in when it is asked: {model.swap_seconds:.0f} s")
    return "; ".join(parts) + "."


def _table(model: PlannedModel) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("  GiB")
    for column in ("weights", "cache", "compute", "process", "total"):
        table.add_column(column, justify="right")
    for place in model.places:
        sizes = (place.weights, place.cache, place.compute, place.process, place.total)
        table.add_row(Text(f"  {one_line(place.place)}"), *(f"{count / GIBIBYTE:.1f}" for count in sizes))
    return table


def _gib(count: int) -> str:
    return f"{count / GIBIBYTE:.1f} GiB"
