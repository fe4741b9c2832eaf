"""`vaultrag traces`: how longer answers were come by, straight from the index, whether a server runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from vaultrag.cli.commands.records.reading import index_to_read
from vaultrag.cli.options import HomeOption, JsonOption, VaultOption, session_of
from vaultrag.cli.terminal import Indented, harmless, local_time, one_line
from vaultrag.domain import Trace, counted

NOT_ENDED = "It goes no further: the answer was interrupted here, or is still being worked at."

traces_app = typer.Typer(
    help="How answers of `ask --deep`, `--agree` and `--cascade` were come by, step by step.", no_args_is_help=True
)


@traces_app.command("list", epilog="Example:  vaultrag traces list")
def list_traces(
    context: typer.Context,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the traces, the latest first; the oldest go by themselves."""
    from vaultrag.store.traces import read_traces
    from vaultrag.wire.records import Traces

    session = session_of(context)
    with index_to_read(session.config(vault, home)) as database:
        found = read_traces(database)
    if session.terminal.json:
        session.terminal.print_json(Traces.of(found))
        return
    session.terminal.print(*(_line(trace) for trace in found))
    if not found:
        session.terminal.print("There is no trace; `vaultrag ask --deep` leaves one.")


@traces_app.command("show", epilog="Example:  vaultrag traces show 7f3a")
def show_trace(
    context: typer.Context,
    beginning: Annotated[
        str, typer.Argument(metavar="[ID]", help="A trace's id, or the beginning of it. Default: the latest.")
    ] = "",
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print the steps to an answer, as far as it came."""
    from vaultrag.store.traces import find_trace
    from vaultrag.wire import records

    session = session_of(context)
    with index_to_read(session.config(vault, home)) as database:
        trace = find_trace(database, beginning)
    if session.terminal.json:
        session.terminal.print_json(records.Trace.of(trace))
    else:
        session.terminal.print(_line(trace), *_steps(trace))


def _line(trace: Trace) -> Text:
    said = f"  {trace.mode}, {counted(len(trace.steps), 'step')}" + ("" if trace.ended else ", not ended")
    return Text.assemble(
        (trace.id, "bold cyan"), (f"  {local_time(trace.at)}  ", "dim"), one_line(trace.question), (said, "dim")
    )


def _steps(trace: Trace) -> Iterator[RenderableType]:
    begun = datetime.fromisoformat(trace.at)
    for step in trace.steps:
        seconds = (datetime.fromisoformat(step.at) - begun).total_seconds()
        yield Text.assemble((f"{seconds:>6.1f} s  ", "dim"), (one_line(step.step), "bold"))
        if step.detail:
            yield Indented(Text(harmless(step.detail)), 10)
    if not trace.ended:
        yield Text(NOT_ENDED, style="yellow")
