"""`vaultrag nightly` as it is typed."""

from __future__ import annotations

from typing import Annotated

import typer

from vaultrag.cli.options import HomeOption, JsonOption, VaultOption, session_of
from vaultrag.errors import UsageError


def nightly(
    context: typer.Context,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0.1, help="Work so long at most. Else `night.minutes`.", show_default=False),
    ] = None,
    on_battery: Annotated[bool, typer.Option("--on-battery", help="Work on the battery, too.")] = False,
    install: Annotated[bool, typer.Option("--install", help="Have the night begin by itself each day.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Have it begin by itself no more.")] = False,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="When, by this machine's clock.")] = "02:00",
    kind: Annotated[
        str,
        typer.Option("--kind", help="systemd, launchd, cron or task. Default: this system's own.", show_default=False),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be written or removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Do what a night does, and write one report of what is new: contradictions, links, tasks, questions.

    A running server does it, behind everything that a person asks. A night that was killed goes on where it was. Exits
    with the code of what failed; the report says so, too.
    """
    session = session_of(context)
    config = session.config(vault, home)
    if install or uninstall:
        from vaultrag.cli.commands.night.schedule import install_night, uninstall_night

        if install and uninstall:
            raise UsageError("--install and --uninstall are opposites.", "Name one of them.")
        if install:
            install_night(config, session.terminal, kind, at, yes, dry_run)
        else:
            uninstall_night(config, session.terminal, yes, dry_run)
        return
    if dry_run or yes or kind:
        raise UsageError(
            "--dry-run, --yes and --kind go with --install or --uninstall.", "See: vaultrag nightly --help"
        )
    from vaultrag.cli.commands.night.nightly import run_night

    raise typer.Exit(run_night(config, session.terminal, minutes, on_battery))
