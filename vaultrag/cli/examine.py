"""`vaultrag check` and `vaultrag doctor`: findings, and an exit code that scripts can use."""

from __future__ import annotations

from contextlib import closing

from vaultrag import wire
from vaultrag.cli import render
from vaultrag.cli.bars import Bars
from vaultrag.cli.client import find_server
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


def examine_machine(config: Config, terminal: Terminal) -> int:
    """Print what VaultRAG needs and what of it is here; return 0 when no finding is an error."""
    from vaultrag.doctor import examine

    with terminal.waiting("Looking"):
        found = wire.Findings.of(examine(config))
    _print(found, terminal)
    return _exit_code(found, VaultragError)


def _print_checked(found: wire.Findings, terminal: Terminal) -> int:
    _print(found, terminal)
    if not terminal.json and not found.findings:
        terminal.print("Everything that must hold does hold.")
    return _exit_code(found, IndexDamaged)


def _print(found: wire.Findings, terminal: Terminal) -> None:
    if terminal.json:
        terminal.print_json(found)
    else:
        terminal.print(*render.finding_blocks(found.findings))


def _exit_code(found: wire.Findings, kind: type[VaultragError]) -> int:
    return kind.exit_code if any(finding.severity == "error" for finding in found.findings) else 0
