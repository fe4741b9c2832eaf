"""`vaultrag jobs`: work that nobody waits for. A running server does it, and is asked; without one the index is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from vaultrag import wire
from vaultrag.cli.options import HomeOption, JsonOption, VaultOption, session_of
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.errors import JobStopped, ServerError

if TYPE_CHECKING:
    from vaultrag.cli.client import Client
    from vaultrag.cli.commands.night.here import JobsHere

jobs_app = typer.Typer(help="Work that nobody waits for, as `ask --later` leaves it.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A job's id, or the beginning of it.")]
AnyArgument = Annotated[
    str, typer.Argument(metavar="[ID]", help="A job's id, or the beginning of it. Default: the one that came last.")
]


@jobs_app.command("list", epilog="Example:  vaultrag jobs list --all")
def list_jobs(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that are done or cancelled, too.")] = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the jobs in the order they came: those that go on, wait, or were put aside."""
    from vaultrag.cli.commands.night.job_lines import job_line

    session = session_of(context)
    with _queue(session.config(vault, home)) as queue:
        found = [job for job in queue.jobs().jobs if everything or job.state not in ("done", "cancelled")]
    if session.terminal.json:
        session.terminal.print_json(wire.Jobs(jobs=found))
        return
    session.terminal.print(*map(job_line, found))
    if not found:
        session.terminal.print('There is no job to be done; `vaultrag ask --deep --later "…"` leaves one.')


@jobs_app.command("show", epilog="Example:  vaultrag jobs show 7f3a")
def show_job(
    context: typer.Context,
    beginning: AnyArgument = "",
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say how far a job is, what it cost, and why it failed."""
    session = session_of(context)
    with _queue(session.config(vault, home)) as queue:
        _print(session.terminal, queue.job(beginning))


@jobs_app.command("wait", epilog="Example:  vaultrag jobs wait 7f3a")
def wait_for_job(
    context: typer.Context,
    beginning: AnyArgument = "",
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Wait until a job has ended; where no server runs, work at it here. Ctrl-C leaves it in the queue.

    Exits as the job ended: 0 when it is done, with the code of its failure, 24 when it was cancelled or its budget is
    spent.
    """
    session = session_of(context)
    with _queue(session.config(vault, home)) as queue:
        job = _waited(session.terminal, queue, beginning)
    _raise_end(job)
    _print(session.terminal, job)


@jobs_app.command("cancel", epilog="Example:  vaultrag jobs cancel 7f3a")
def cancel_job(
    context: typer.Context,
    beginning: IdArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """End a job, the one that is worked at, too. What it has done is kept: `jobs resume` goes on."""
    session = session_of(context)
    with _queue(session.config(vault, home)) as queue:
        _print(session.terminal, queue.cancel_job(beginning))


@jobs_app.command("resume", epilog="Example:  vaultrag jobs resume 7f3a")
def resume_job(
    context: typer.Context,
    beginning: IdArgument,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Have a job that failed, was cancelled or spent its budget go on where it stopped. One that waits begins now."""
    session = session_of(context)
    with _queue(session.config(vault, home)) as queue:
        _print(session.terminal, queue.resume_job(beginning))


@contextmanager
def _queue(config: Config) -> Iterator[Client | JobsHere]:
    from vaultrag.cli.client import find_server

    queue = find_server(config) or _here(config)
    with closing(queue):
        yield queue


def _here(config: Config) -> JobsHere:
    from vaultrag.cli.commands.night.here import JobsHere  # brings the workspace, and numpy with it

    return JobsHere(config)


def _waited(terminal: Terminal, queue: Client | JobsHere, beginning: str) -> wire.Job:
    """Return a job when it has ended; meanwhile say on stderr how far it is."""
    from vaultrag.cli.commands.night.job_lines import standing

    last: wire.Job | None = None
    for job in queue.follow_job(beginning):
        if not terminal.json and (last is None or (job.state, job.stage) != (last.state, last.stage)):
            terminal.note(" ".join(filter(None, (f"{job.state.capitalize()}.", standing(job)))))
        last = job
    if last is None or last.state in ("queued", "running"):
        raise ServerError("The server ended before the job did.", f"It is kept: vaultrag jobs wait {beginning}")
    return last


def _raise_end(job: wire.Job) -> None:
    """Raise what keeps a job that has ended from being done."""
    if job.state == "failed" and job.failure is not None:
        raise job.failure.exception()
    if job.state != "done":
        why = "was cancelled" if job.state == "cancelled" else "has spent its budget"
        raise JobStopped(f"The job {job.id} {why}.", f"To go on: vaultrag jobs resume {job.id}")


def _print(terminal: Terminal, job: wire.Job) -> None:
    from vaultrag.cli.commands.night.job_lines import job_details, job_line

    if terminal.json:
        terminal.print_json(job)
    else:
        terminal.print(job_line(job), *job_details(job))
