"""`vaultrag contradictions` as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vaultrag.cli.commands.contradictions.choices import Decided, ExportFormat
from vaultrag.cli.options import HomeOption, JsonOption, VaultOption, session_of
from vaultrag.domain import FindingKind
from vaultrag.errors import UsageError

MOST_DAYS = 3650

KindOption = Annotated[
    list[FindingKind] | None,
    typer.Option("--kind", help="Only of this kind; may be repeated.", show_default=False),
]
NoteOption = Annotated[
    str, typer.Option("--note", metavar="NOTE", help="Only those of a note: its path, or its name.", show_default=False)
]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="A finding's key, or the beginning of it.")]

contradictions_app = typer.Typer(invoke_without_command=True)


@contradictions_app.callback(epilog='Example:  vaultrag contradictions --note "Ремонт"')
def contradictions(
    context: typer.Context,
    only_open: Annotated[
        bool, typer.Option("--open", help="Those that wait for a decision, as without --all.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided or kept back, too.")] = False,
    note: NoteOption = "",
    kind: KindOption = None,
    scan: Annotated[bool, typer.Option("--scan", help="First read and compare what is owed.")] = False,
    later: Annotated[bool, typer.Option("--later", help="With --scan: leave it as a job.")] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show where the notes disagree: what differs, then both sides with quote, place, day and whose it is.

    What only changed is shown as superseded; what a model alone takes for a contradiction as possible; what assistants
    said in imported chats apart. None of these is counted. The last line tells what was not compared yet: `--scan` does
    it, in the running server if there is one, and Ctrl-C keeps what is done.

    A first form: what it shows is mostly right, but of 54 contradictions that it was not made with it found nine.
    """
    session = session_of(context)
    session.vault, session.home = vault or session.vault, home or session.home
    if context.invoked_subcommand is not None:
        return
    if only_open and everything:
        raise UsageError("--open and --all are opposites.", "Name one of them.")
    if later and not scan:
        raise UsageError("--later leaves a scan as a job.", "Say --scan, too.")
    from vaultrag.cli.commands.contradictions.listing import Wanted, print_findings

    config = session.config(None, None)
    if scan:
        from vaultrag.cli.commands.contradictions.scanning import scan_later, scan_now

        if later:
            scan_later(config, session.terminal)
            return
        scan_now(config, session.terminal)
    print_findings(config, session.terminal, Wanted(everything, note, tuple(kind or ())))


@contradictions_app.command("review", epilog="Example:  vaultrag contradictions review --kind contradiction")
def review(
    context: typer.Context,
    note: NoteOption = "",
    kind: KindOption = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=MOST_DAYS, help="For how long the key z puts one off.")
    ] = 14,
    vault: VaultOption = None,
    home: HomeOption = None,
) -> None:
    """Go through the open findings, one key for each decision, both sides in view with the lines around them.

    What was only superseded needs no decision and comes with --kind superseded. A decision holds for all copies.
    Decisions are kept in the journal; a finding comes back only when the words of a side change. The notes are never
    written to: keys open them in Obsidian or in the editor that VISUAL or EDITOR names.
    """
    from vaultrag.cli.commands.contradictions.listing import Wanted
    from vaultrag.cli.commands.contradictions.reviewing import review_findings

    session = session_of(context)
    wanted = Wanted(note=note, kinds=tuple(kind or (one for one in FindingKind if one is not FindingKind.SUPERSEDED)))
    review_findings(session.config(vault, home), session.terminal, wanted, days)


@contradictions_app.command("decide", epilog="Example:  vaultrag contradictions decide 7f3a resolved --right 2")
def decide_one(
    context: typer.Context,
    key: KeyArgument,
    decision: Annotated[Decided, typer.Argument(help="What is decided; open takes back what was.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, or since when.", show_default=False)] = "",
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, max=MOST_DAYS, help="With snoozed: for how long. Else 14 days.", show_default=False
        ),
    ] = None,
    right: Annotated[
        int | None,
        typer.Option("--right", min=1, max=2, help="With resolved: which side is right, 1 or 2.", show_default=False),
    ] = None,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Decide on one finding without being asked, for scripts.

    dismissed: it is no contradiction. snoozed: it comes back later. resolved: one side is right, or both were put
    right. accepted: it is one, and stays. None of these comes back before the words, the day or the holder of a side
    change, but what is snoozed.
    """
    from vaultrag.cli.commands.contradictions.deciding import decide

    session = session_of(context)
    decide(session.config(vault, home), session.terminal, key, decision, note, days, right)


@contradictions_app.command("export", epilog="Example:  vaultrag contradictions export -o ~/contradictions.md")
def export(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="A new file for it.", show_default=False, readable=False),
    ] = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="Markdown or JSON.")] = ExportFormat.MARKDOWN,
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided, too.")] = False,
    note: NoteOption = "",
    kind: KindOption = None,
    vault: VaultOption = None,
    home: HomeOption = None,
) -> None:
    """Write what the notes disagree on as Markdown or JSON: both quotes, links to their places, and what was decided.

    To stdout, or into a new file; in the vault only into `reports.folder`. Nothing is written over.
    """
    from vaultrag.cli.commands.contradictions.exporting import export_findings
    from vaultrag.cli.commands.contradictions.listing import Wanted

    session = session_of(context)
    wanted = Wanted(everything, note, tuple(kind or ()))
    export_findings(session.config(vault, home), session.terminal, wanted, form, file)
