"""`vaultrag nightly --install` and `--uninstall`: what begins the night by itself, shown before it is written."""

from __future__ import annotations

import shlex
import sys

import typer
from rich.text import Text

from vaultrag import wire
from vaultrag.cli.terminal import Terminal, one_line
from vaultrag.config import Config, require_vault
from vaultrag.errors import UsageError
from vaultrag.maintenance.schedule import Schedule, ScheduleKind
from vaultrag.maintenance.scheduler import install, installed, kind_here, schedule_of, uninstall


def install_night(config: Config, terminal: Terminal, kind: str, at: str, confirmed: bool, only_show: bool) -> None:
    """Show what begins the night at its hour, and write it once the user has said yes."""
    require_vault(config)
    schedule = schedule_of(config, _kind(kind), at)
    if not terminal.json:
        _show(terminal, schedule)
    if only_show:
        _say(terminal, schedule, written=False)
        return
    _confirm(terminal, confirmed, "Write this?")
    install(schedule)
    _say(terminal, schedule, written=True)


def uninstall_night(config: Config, terminal: Terminal, confirmed: bool, only_show: bool) -> None:
    """Take out whatever begins the night of this vault."""
    found = installed(config)
    if found and not only_show:
        _confirm(terminal, confirmed, f"Take out what begins the night {', '.join(f'at {one.at}' for one in found)}?")
        uninstall(config)
    if terminal.json:
        schedules = [schedule_of(config, one.kind, one.at) for one in found]
        terminal.print_json({"removed": [one.name for one in schedules if not only_show]})
    elif not found:
        terminal.print("The night does not begin by itself; nothing was changed.")
    else:
        what = ", ".join(f"{one.kind} at {one.at}" for one in found)
        terminal.print(f"{'Would be taken out' if only_show else 'Taken out'}: {what}.")


def _kind(named: str) -> ScheduleKind:
    if not named:
        return kind_here()
    if named not in list(ScheduleKind):
        raise UsageError(f"“{named}” begins no nights.", f"Name one of {', '.join(ScheduleKind)}.")
    return ScheduleKind(named)


def _confirm(terminal: Terminal, confirmed: bool, question: str) -> None:
    if confirmed:
        return
    if terminal.json or not sys.stdin.isatty():
        raise UsageError("This must be confirmed.", "Say so with --yes, or only look: --dry-run")
    typer.confirm(question, abort=True)


def _show(terminal: Terminal, schedule: Schedule) -> None:
    for file in schedule.files:
        terminal.print(Text(f"{one_line(str(file.path))}:", style="bold"), Text(file.text))
    if schedule.line:
        terminal.print(Text("A line of your crontab:", style="bold"), Text(schedule.line))
    for command in schedule.begin:
        terminal.print(Text(f"Then: {shlex.join(command)}", style="dim"))


def _say(terminal: Terminal, schedule: Schedule, written: bool) -> None:
    if terminal.json:
        files = {str(file.path): file.text for file in schedule.files}
        commands = [shlex.join(command) for command in schedule.begin]
        terminal.print_json(
            wire.NightSchedule(
                kind=schedule.kind,
                name=schedule.name,
                files=files,
                line=schedule.line,
                commands=commands,
                written=written,
            )
        )
    elif written:
        terminal.print("The night begins by itself now; `vaultrag doctor` tells how the last one went.")
    else:
        terminal.print("Nothing was written.")
