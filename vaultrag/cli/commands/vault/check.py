"""`vaultrag check` and `vaultrag doctor`: findings, and an exit code that scripts can use."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from vaultrag import wire
from vaultrag.cli import render
from vaultrag.cli.client import find_server, stop_server
from vaultrag.cli.progress import Bars
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.errors import IndexDamaged, VaultragError


def check_index(config: Config, terminal: Terminal) -> int:
    """Print what is wrong with the index; return 0 when no finding is an error."""
    from vaultrag.cli.local import open_for_reading

    with closing(find_server(config) or open_for_reading(config)) as backend, terminal.waiting("Checking"):
        found = backend.check()
    return _print_checked(found, terminal)


def check_deep(config: Config, terminal: Terminal) -> int:
    """Read every note again, compare it with the index, and print what is wrong; return 0 when nothing is an error."""
    from vaultrag.cli.local import open_to_check

    with closing(find_server(config) or open_to_check(config)) as backend, Bars(terminal) as bars:
        found = backend.check_deep(bars.show)
    return _print_checked(found, terminal)


def repair_index(config: Config, terminal: Terminal) -> int:
    """End the running server, repair the index, and print what was done; return 0 when no error is left."""
    from vaultrag.cli.local import repair

    with terminal.waiting("Waiting for the server to end"):
        process = stop_server(config)
    if process is not None:
        terminal.note(f"The server (process {process}) was ended; `vaultrag serve` starts it again.")
    with Bars(terminal) as bars:
        report = repair(config, bars.show)
    if terminal.json:
        terminal.print_json(report)
    else:
        terminal.print(*(render.plain_line(sentence) for sentence in report.done or ["There was nothing to repair."]))
        terminal.print(*render.finding_blocks(report.left))
    return _exit_code(report.left, IndexDamaged)


def examine_machine(config: Config, terminal: Terminal) -> int:
    """Print what VaultRAG needs and what of it is here; return 0 when no finding is an error."""
    from vaultrag.maintenance.doctor import examine

    with terminal.waiting("Looking"):
        found = wire.Findings.of(examine(config))
    _print(found, terminal)
    return _exit_code(found.findings, VaultragError)


def _print_checked(found: wire.Findings, terminal: Terminal) -> int:
    _print(found, terminal)
    if not terminal.json and not found.findings:
        terminal.print("Everything that must hold does hold.")
    return _exit_code(found.findings, IndexDamaged)


def _print(found: wire.Findings, terminal: Terminal) -> None:
    if terminal.json:
        terminal.print_json(found)
    else:
        terminal.print(*render.finding_blocks(found.findings))


def _exit_code(findings: Sequence[wire.Finding], kind: type[VaultragError]) -> int:
    return kind.exit_code if any(finding.severity == "error" for finding in findings) else 0
