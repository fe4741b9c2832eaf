"""`vaultrag analyse`: the analysis of a note by a template, printed or written where the user says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.status import Status
from rich.text import Text

from vaultrag.cli.options import (
    ComboOption,
    CommandRun,
    HomeOption,
    JsonOption,
    StyleOption,
    VaultOption,
    session_of,
)
from vaultrag.cli.terminal import Terminal, local_time, one_line
from vaultrag.config import Config
from vaultrag.domain import Analysis, AnalysisReady, AnswerStyle, ModelLoading, StepTaken, encodable
from vaultrag.errors import GenerationFailed, UsageError

if TYPE_CHECKING:
    from vaultrag.workspace import Workspace
    from vaultrag.workspace.analysing import AnalysisRequest

STAGES = {
    "note": "Reading the note",
    "related": "Found what belongs to it",
    "section": "Working at",
    "draft": "Writing",
    "check": "Checked",
    "reasons": "Saying why",
    "listed": "Listed",
    "lost": "Going on by the notes' own lines",
}
USUAL = "problem"


def analyse(
    context: typer.Context,
    note: Annotated[
        str, typer.Argument(metavar="[NOTE]", help="A note: its path, its name, or the end of its path.")
    ] = "",
    role: Annotated[
        str, typer.Option("--as", metavar="ROLE", help='Who looks at it, as "systems architect".', show_default=False)
    ] = "",
    template: Annotated[str, typer.Option("--template", metavar="NAME", help="What is asked of it.")] = USUAL,
    style: StyleOption = None,
    tokens: Annotated[
        int | None,
        typer.Option("--tokens", min=1, help="Tokens it may cost, else `answering.deep_tokens`.", show_default=False),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0.01, help="Minutes, else `answering.deep_seconds`.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="A new file for it.", show_default=False, readable=False),
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="List the notes that the template wants analysed again.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Leave it as a job, and keep what comes of it.")] = False,
    kept: Annotated[
        bool, typer.Option("--kept", help="Show the kept analysis of NOTE, or with this id; without one list them.")
    ] = False,
    combo: ComboOption = None,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say what a note's problem is, what follows if it stays, and how to solve it, with the notes that belong to it.

    In the note's language. Each listed note has its reason, which stands on a line of it; footnotes lead there. It is
    printed as Markdown, or written to a new file, in the vault only into `reports.folder`. Templates are Markdown files
    in the folder `analyses` of the home; `problem` and `decision` come with VaultRAG. A running server does the work,
    behind what persons ask it. With --later nobody waits: the analysis lies in `reports.folder`, else in the home.
    """
    session = session_of(context)
    config = session.config(vault, home, combo)
    if due:
        _print_due(config, session.terminal, template)
        return
    if kept:
        from vaultrag.cli.commands.night.kept import print_kept

        print_kept(config, session.terminal, note)
        return
    if not note.strip():
        raise UsageError("No note is named.", "Name one: vaultrag analyse NOTE; or list those that are due: --due.")
    if later and file is not None:
        raise UsageError("--later and --output exclude each other.", "Leave one out: what comes of a job is kept.")
    _analyse(session, config, note, encodable(role), template, style, tokens, minutes, file, later=later)


def _analyse(
    session: CommandRun,
    config: Config,
    note: str,
    role: str,
    template: str,
    style: AnswerStyle | None,
    tokens: int | None,
    minutes: float | None,
    file: Path | None,
    *,
    later: bool,
) -> None:
    from vaultrag.cli.client import find_server
    from vaultrag.cli.commands.night.analyse_job import by_server, leave
    from vaultrag.cli.commands.vault.links import find_path
    from vaultrag.records.reports import place_where_named
    from vaultrag.store.database import Access
    from vaultrag.store.opening import open_database
    from vaultrag.workspace.analysing import AnalysisRequest, checked_request

    if file is not None:
        place_where_named(config, file)  # before a model works for nothing
    with open_database(config.database_path, Access.READ) as database:
        path = find_path(database, config, note)
    seconds = minutes * 60 if minutes is not None else None
    request = checked_request(config, AnalysisRequest(path, role, template, style, tokens, seconds))
    if later:
        leave(config, session.terminal, request)
        return
    server = find_server(config)
    analysis = by_server(server, config, session.terminal, request) if server else _here(config, session, request)
    _tell(session.terminal, config, analysis, file)


def _here(config: Config, session: CommandRun, request: AnalysisRequest) -> Analysis:
    from vaultrag.workspace import Ownership, Workspace

    with Workspace.open(config, Ownership.READ) as workspace:
        return _followed(session.terminal, workspace, request)


def _tell(terminal: Terminal, config: Config, analysis: Analysis, file: Path | None) -> None:
    from vaultrag.reanalysis.report import analysis_markdown
    from vaultrag.records.reports import links_from, write_where_named
    from vaultrag.store.database import Access
    from vaultrag.store.opening import open_database
    from vaultrag.wire.analyses import Analysis as AnalysisJson

    with open_database(config.database_path, Access.READ) as database:
        markdown = analysis_markdown(analysis, links_from(config, database, file or Path("analysis.md")))
    written = write_where_named(config, file, markdown) if file is not None else None
    if terminal.json:
        terminal.print_json(AnalysisJson.of(analysis, markdown=markdown, file=str(written or "")))
        return
    if written is None:
        terminal.print_plain(markdown.rstrip("\n"))
    else:
        terminal.print(f"Written: {written}")
    _remark(terminal, analysis)


def _remark(terminal: Terminal, analysis: Analysis) -> None:
    for warning in analysis.warnings:
        terminal.warn(warning)
    if analysis.stopped:
        terminal.warn(analysis.stopped)
    if analysis.trace:
        terminal.note(f"How it was come by: vaultrag traces show {analysis.trace}")


def _followed(terminal: Terminal, workspace: Workspace, request: AnalysisRequest) -> Analysis:
    """Show the steps to whoever watches, and return the analysis."""
    from vaultrag.workspace.analysing import analyse_note

    with _status(terminal) as status, closing(analyse_note(workspace, request)) as events:
        for event in events:
            if isinstance(event, AnalysisReady):
                return event.analysis
            if status is None:
                continue
            if isinstance(event, ModelLoading):
                status.update(Text(f"Loading the model, {event.share:.0%} …"))
            elif isinstance(event, StepTaken) and event.step:
                detail = one_line(event.detail.partition("\n")[0])
                status.update(Text(f"{STAGES.get(event.step, event.step.capitalize())}: {detail} …"))
    raise GenerationFailed("The analysis ended before it was complete.", "Run the command again.")


@contextlib.contextmanager
def _status(terminal: Terminal) -> Iterator[Status | None]:
    if not terminal.err.is_terminal:
        yield None
        return
    with terminal.err.status(Text("Opening the vault …"), spinner="dots") as status:
        yield status


def _print_due(config: Config, terminal: Terminal, template: str) -> None:
    from vaultrag.reanalysis.due import due_notes
    from vaultrag.reanalysis.templates import find_template
    from vaultrag.store.database import Access
    from vaultrag.store.opening import open_database
    from vaultrag.wire.analyses import DueForAnalysis, DueNotes

    wanted = find_template(config, template)
    with open_database(config.database_path, Access.READ) as database:
        found = due_notes(database, wanted, time.time())
    if terminal.json:
        terminal.print_json(DueNotes(template=wanted.name, notes=[DueForAnalysis.of(one) for one in found]))
        return
    for one in found:
        since = (
            f", analysed {local_time(datetime.fromtimestamp(one.analysed_at, UTC).isoformat())}"
            if one.analysed_at
            else ""
        )
        role = f" ({one_line(one.role)})" if one.role else ""
        terminal.print(Text.assemble(one_line(one.path), (f"{role}  {one.why}{since}", "dim")))
    if not found:
        terminal.print("No note is due.")
