"""`vaultrag index`: the vault's changes into the index, with a bar for each phase."""

from __future__ import annotations

from contextlib import closing

from vaultrag.cli import render
from vaultrag.cli.backend import open_writer
from vaultrag.cli.progress import Bars
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.wire import IndexReport


def bring_up_to_date(config: Config, terminal: Terminal, deletions: str) -> None:
    """Index what changed, in the running server or here, and print what was done."""
    with Bars(terminal) as bars, closing(open_writer(config)) as writer:
        report = writer.index(deletions, bars.show)
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
