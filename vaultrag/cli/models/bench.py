"""`vaultrag models bench`: measure the plan and its neighbours, and keep the best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from vaultrag.cli.options import CommandRun, HomeOption, JsonOption, VaultOption, session_of
from vaultrag.config import Settings, models_dir
from vaultrag.errors import DoesNotFit

if TYPE_CHECKING:
    from vaultrag.runtime.models.catalogue import ModelEntry
    from vaultrag.runtime.tuning import Failed, Result

ModelArgument = Annotated[
    str, typer.Argument(metavar="[MODEL]", help="Default: the answering model.", show_default=False)
]


class Tried(BaseModel):
    """One way to run the model; speeds in tokens a second, 0 where it could not be loaded."""

    model_config = ConfigDict(defer_build=True)

    name: str
    spin_count: int
    threads: int
    micro_batch: int
    cache: str
    extra_buffers: bool = True
    prefill: float = 0.0
    decode: float = 0.0
    prefill_busy: float = 0.0
    decode_busy: float = 0.0
    failed: str = ""
    best: bool = False


class Benched(BaseModel):
    """What `models bench --json` prints."""

    model_config = ConfigDict(defer_build=True)

    model: str
    tried: list[Tried]


def bench_command(
    context: typer.Context,
    model: ModelArgument = "",
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Measure a model's plan and its neighbours, a minute or two in all, and keep the best for this machine.

    Extra buffers, threads, waiting, batch, layers and cache are varied one after the other, each idle and beside one
    busy core.
    """
    from vaultrag.runtime import tuning
    from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers
    from vaultrag.runtime.models.installed import fingerprint, require_model

    session = session_of(context)
    settings = session.settings(vault, home)
    entry = _entry(model or settings.roles.answer)
    path = require_model(entry, models_dir())
    results = _measured(session, entry.name, path, settings)
    found = tuning.merged(result for result in results if isinstance(result, tuning.Result))
    best = tuning.winner(found)
    failed = [result for result in results if isinstance(result, tuning.Failed)]
    tried = [*(_tried(result, best) for result in found), *(_tried(result, best) for result in failed)]
    said = f"Kept: {best.trial.name}."
    try:
        tuning.keep(models_dir(), fingerprint(entry, path), best)
        ExtraBuffers(models_dir()).remember_speed(entry.name, slower=not best.trial.placement.repack)
    except OSError as error:  # what was measured for minutes is shown all the same
        said = f"Best is {best.trial.name}; it could not be kept for the next time: {error.strerror}."
        session.terminal.warn(said)
    shown = Benched(model=entry.name, tried=tried)
    if json:
        session.terminal.print_json(shown)
        return
    session.terminal.print(Text(f"{entry.name}, tokens a second", style="bold"), _table(tried), "")
    session.terminal.print(Text(said, style="dim"))


def _entry(name: str) -> ModelEntry:
    from vaultrag.runtime.models.catalogue import ModelKind, find_model

    return find_model(name, ModelKind.CHAT, models_dir())


def _measured(session: CommandRun, name: str, path: Path, settings: Settings) -> list[Result | Failed]:
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from vaultrag.runtime.bench import measure_neighbours
    from vaultrag.runtime.gguf.facts import read_facts
    from vaultrag.runtime.hardware.detect import describe_this_machine
    from vaultrag.runtime.offload.plan import budget_of, place
    from vaultrag.runtime.tuning import Trial, rounds

    facts, hardware = read_facts(path), describe_this_machine(models_dir())
    plan = place(facts, hardware, budget_of(hardware), settings.runtime.context)
    if plan is None:
        raise DoesNotFit(f"{path.name} does not fit this machine.", "`vaultrag models plan` shows what does.")
    start = Trial("the plan", plan.placement, settings.runtime.spin_count)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    results: list[Result | Failed] = []
    with Progress(*columns, console=session.terminal.err, transient=True) as bar:
        task = bar.add_task("measuring the plan", total=None)
        for result in measure_neighbours(name, path, start, rounds(hardware.cores, len(facts.layers))):
            results.append(result)
            bar.update(task, description=f"measured: {result.trial.name}")
    return results


def _tried(result: Result | Failed, best: Result) -> Tried:
    from vaultrag.runtime.tuning import Result

    placement = result.trial.placement
    start = Tried(
        name=result.trial.name,
        spin_count=result.trial.spin_count,
        threads=placement.threads,
        micro_batch=placement.micro_batch,
        cache=placement.key_type,
        extra_buffers=placement.repack,
    )
    if not isinstance(result, Result):
        return start.model_copy(update={"failed": result.why})
    return start.model_copy(
        update={
            "prefill": round(result.idle.prefill, 1),
            "decode": round(result.idle.decode, 2),
            "prefill_busy": round(result.busy.prefill, 1),
            "decode_busy": round(result.busy.decode, 2),
            "best": result == best,
        }
    )


def _table(tried: list[Tried]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("")
    for column in ("threads", "batch", "cache", "spin", "read", "written", "read, busy", "written, busy"):
        table.add_column(column, justify="right")
    for way in tried:
        about = (str(way.threads), str(way.micro_batch), way.cache, f"{way.spin_count:,}")
        if way.failed:
            table.add_row(Text(f"  {way.name}: {way.failed}", style="dim"))
            continue
        speeds = (way.prefill, way.decode, way.prefill_busy, way.decode_busy)
        name = Text(f"✓ {way.name}" if way.best else f"  {way.name}", style="bold" if way.best else "")
        table.add_row(name, *about, *(f"{speed:.1f}" for speed in speeds))
    return table
