"""Progress on stderr: a bar for each phase of long work."""

from __future__ import annotations

import time
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

from vaultrag.cli.terminal import Terminal

PHASES = {
    "notes": "Reading notes",
    "embeddings": "Embedding",
    "vector index": "Building the vector index",
    "verify": "Comparing notes",
    "embeddings checked": "Checking embeddings",
    "vector index checked": "Checking the vector index",
    "forgetting": "Forgetting",
    "salvage": "Saving what is sound",
    "probes": "Asking questions",
    "claims": "Reading what the notes state",
    "contradictions": "Comparing statements",
}
SECONDS_BETWEEN_LINES = 10.0  # where nobody watches a bar, a log line now and then


@dataclass(slots=True)
class Bars:
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

    def __enter__(self) -> Bars:
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
