"""`vaultrag index`: the vault's changes into the index, with a bar for each phase."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from vaultrag.cli import render
from vaultrag.cli.client import find_server
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.wire import IndexReport

PHASES = {"notes": "Reading notes", "embeddings": "Embedding", "vector index": "Building the vector index"}
SECONDS_BETWEEN_LINES = 10.0  # where nobody watches a bar, a log line now and then


def bring_up_to_date(config: Config, terminal: Terminal, deletions: str) -> None:
    """Index what changed, in the running server or here, and print what was done."""
    with _Bars(terminal) as bars:
        server = find_server(config)
        if server is not None:
            with closing(server):
                report = server.index(deletions, bars.show)
        else:
            from vaultrag.cli.local import open_as_owner  # brings the workspace, and numpy with it

            with closing(open_as_owner(config)) as local:
                report = local.index(deletions, bars.show)
    _print(report, terminal)
    if not report.notes and not terminal.json:
        terminal.warn(f"{config.vault} holds no notes that could be read. Is it the right folder? Else: --vault DIR.")


def _print(report: IndexReport, terminal: Terminal) -> None:
    if terminal.json:
        terminal.print_json(report)
        return
    terminal.print(render.report_line(report))
    terminal.print(*render.finding_blocks(report.failed))
    for warning in report.warnings:
        terminal.warn(warning)


@dataclass(slots=True)
class _Bars:
    """A progress bar for each phase on a terminal, lines on anything else."""

    terminal: Terminal
    _bars: Progress = field(init=False)
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _last_line: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.terminal.err,
            disable=not self.terminal.err.is_terminal,
        )

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, phase: str, done: int, total: int) -> None:
        """Show how far a phase is."""
        if not total:
            return
        name = PHASES.get(phase, phase.capitalize())
        if self._bars.disable:
            self._print_line(name, done, total)
            return
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[phase], completed=done, total=total)

    def _print_line(self, name: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            self.terminal.note(f"{name}: {done} of {total}")
