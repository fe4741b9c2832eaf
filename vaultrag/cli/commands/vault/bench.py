"""`vaultrag bench`: how much an answer is worth in this vault with this model, and what finds its places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from vaultrag import wire
from vaultrag.cli.answer_words import probe_words
from vaultrag.cli.options import ComboOption, CommandRun, HomeOption, JsonOption, VaultOption, session_of
from vaultrag.cli.progress import Bars
from vaultrag.domain import counted
from vaultrag.errors import IndexLocked

if TYPE_CHECKING:
    from vaultrag.maintenance.probe_results import VaultBench
    from vaultrag.workspace import Workspace

BAR = 40  # columns of the widest bar
COVERAGES = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the questions, at which the risk is shown
FEW = 0.7  # of the pairs told apart: below, the model's word is worth little more than a coin
BY_PEOPLE = (
    0.5  # of the words of people's questions stand in the sentence that answers, in the questions of our fixture
)


class BenchThresholds(BaseModel):
    """Below `low` the vault does not say, from `high` on an answer is backed."""

    model_config = ConfigDict(defer_build=True)

    low: float
    high: float


class BenchPoint(BaseModel):
    """What a threshold there would mean: the share answered at all, and the share of those that should not be."""

    model_config = ConfigDict(defer_build=True)

    threshold: float
    coverage: float
    risk: float
    refused_rightly: float
    caught: float
    kept: float


class BenchStage(BaseModel):
    """A way of searching: of the `asked` whose place it finds among the first eight passages, and as the first."""

    model_config = ConfigDict(defer_build=True)

    name: str
    asked: int
    found: int
    first: int


class VaultBenched(BaseModel):
    """What `bench --json` prints."""

    model_config = ConfigDict(defer_build=True)

    model: str
    unanswerable: int
    refused: int
    coined: int
    coined_refused: int
    answerable: int
    cited: int
    calibrated_before: bool
    moved: float
    thresholds: dict[str, BenchThresholds]
    told_apart: float
    curve: list[BenchPoint]
    stages: list[BenchStage]
    words_shared: float
    unscored: int
    said: str


def bench_command(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Ask 12 questions of each kind, not 40.")] = False,
    combo: ComboOption = None,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Measure how sure answers are in this vault, by questions made from it, and keep what they teach.

    The model writes questions from sentences of the notes and must find their places; others are made so that no note
    answers them. It takes ten to thirty minutes on two cores, can be stopped, and goes on from there. The questions
    are not kept.
    """
    from vaultrag.maintenance.probe_vault import PROBES, QUICK

    session = session_of(context)
    with closing(_opened(session, vault, home, combo)) as workspace:
        with Bars(session.terminal) as bars:
            probing = workspace.probing
            found = probing.run(QUICK if quick else PROBES, bars.show)
        calibrated = bool(probing.known.answerable)
        _show(session, _benched(probing.model.name, found, calibrated=calibrated), json=json)
        if not calibrated:
            _keep_model(workspace, found)


def _opened(session: CommandRun, vault: Path | None, home: Path | None, combo: str | None) -> Workspace:
    """Open the vault as its owner, or to read where another process owns it: figures can be kept all the same."""
    from vaultrag.workspace import Ownership, Workspace

    config = session.config(vault, home, combo)
    try:
        return Workspace.open(config, Ownership.OWN)
    except IndexLocked:
        session.terminal.note("A server has this vault open; the model is loaded a second time, beside its own.")
        return Workspace.open(config, Ownership.READ)


def _keep_model(workspace: Workspace, found: VaultBench) -> None:
    """Keep the thresholds that were drawn here for a model that had none. Raises ConfigError or StoreError."""
    from vaultrag.answering.judging.calibration import WORDING
    from vaultrag.answering.judging.calibration_files import KnownCalibration, KnownThresholds, keep_calibration

    drawn = {
        language: KnownThresholds(thresholds.low, thresholds.high)
        for language, thresholds in found.calibration.answerable.items()
    }
    if drawn:
        probing = workspace.probing
        keep_calibration(
            workspace.config.models, KnownCalibration(probing.model.name, probing.model_key, WORDING, drawn)
        )


def _benched(model: str, found: VaultBench, *, calibrated: bool) -> VaultBenched:
    return VaultBenched(
        model=model,
        unanswerable=found.record.unanswerable,
        refused=found.record.refused,
        coined=found.coined,
        coined_refused=found.coined_refused,
        answerable=found.record.answerable,
        cited=found.record.cited,
        calibrated_before=calibrated,
        moved=round(found.moved, 3),
        thresholds={
            language: BenchThresholds(low=round(one.low, 3), high=round(one.high, 3))
            for language, one in found.calibration.answerable.items()
        },
        told_apart=round(found.discrimination, 3),
        curve=[BenchPoint(**asdict(point)) for point in found.curve],
        stages=[BenchStage(**asdict(stage)) for stage in found.stages],
        words_shared=round(found.shared, 3),
        unscored=found.unscored,
        said=probe_words(wire.ProbeRecord.of(found.record)),
    )


def _show(session: CommandRun, shown: VaultBenched, *, json: bool) -> None:
    if json:
        session.terminal.print_json(shown)
        return
    dim = [Text(sentence, style="dim") for sentence in _remarks(shown)]
    session.terminal.print(Text(shown.said, style="bold"), "", _risks(shown), "", _ways(shown), "", *dim)


def _risks(shown: VaultBenched) -> Table:
    """Draw the curve of risk and coverage as bars: what is wrong when so much is answered."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("answered", justify="right")
    table.add_column("of those without an answer in the notes", no_wrap=True)
    for coverage in COVERAGES:
        point = next((one for one in reversed(shown.curve) if one.coverage >= coverage), None)
        if point is not None:
            bar = "█" * round(point.risk * BAR) or "▏"
            table.add_row(f"{point.coverage:.0%}", Text(f"{bar} {point.risk:.0%}"))
    return table


def _ways(shown: VaultBenched) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("searched by")
    table.add_column("found", justify="right")
    table.add_column("as the first", justify="right")
    for stage in shown.stages:
        table.add_row(stage.name, f"{stage.found} of {stage.asked}", str(stage.first))
    return table


def _remarks(shown: VaultBenched) -> list[str]:
    said = [
        f"{shown.words_shared:.0%} of these questions' words stand in the sentence that they were made from; of what "
        f"people ask it is about {BY_PEOPLE:.0%}. So search by words looks better here than it is.",
    ]
    if shown.unscored:
        said.append(f"{counted(shown.unscored, 'question')} could not be judged: {shown.model} gives no probabilities.")
    return [*said, *_worth(shown)] if shown.curve else said


def _worth(shown: VaultBenched) -> Iterator[str]:
    """Yield what the model's word is worth here."""
    yield f"Model: {shown.model}. Of two questions it tells the one with an answer in {shown.told_apart:.0%} of pairs."
    if shown.told_apart < FEW:
        yield "That is hardly better than chance: with this model here, take no level for a promise."
    if not shown.calibrated_before:
        yield "Nothing was known of this model: its thresholds were drawn on these questions, which are easy."
    elif shown.moved:
        yield f"Here its thresholds are moved by {shown.moved:+.2f}."
