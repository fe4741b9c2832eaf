"""A download as the terminal shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vaultrag.cli.terminal import Terminal
from vaultrag.config import models_dir

if TYPE_CHECKING:
    from vaultrag.runtime.models.catalogue import ModelEntry
    from vaultrag.runtime.models.fetch import Word


def fetch_model(terminal: Terminal, entry: ModelEntry, word: Word) -> Path:
    """Fetch a model unless it is here, drawing how far it is; return its path. Raises DownloadFailed or DiskFull."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from vaultrag.runtime.models.installed import pull

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=terminal.err, transient=True) as bar:
        task = bar.add_task("starting", total=entry.to_fetch)
        return pull(
            entry,
            models_dir(),
            lambda done, total, what: bar.update(task, completed=done, total=total, description=what),
            word,
        )
