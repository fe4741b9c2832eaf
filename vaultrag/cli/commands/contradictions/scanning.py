"""`vaultrag contradictions --scan`: what is owed is read and compared now, by the running server or here."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType

import typer

from vaultrag import wire
from vaultrag.cli.client import Client, find_server
from vaultrag.cli.commands.night.job_lines import next_step
from vaultrag.cli.progress import Bars
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import Job, JobBudget
from vaultrag.errors import JobStopped, ServerError
from vaultrag.jobs.later import budget_of
from vaultrag.jobs.scanning import SCAN, scan_order
from vaultrag.records.archive import open_for_records
from vaultrag.records.queue import JobQueue
from vaultrag.workspace import Ownership, Workspace

INTERRUPTED = 130  # as of every command that Ctrl-C ends
NO_BOUND = JobBudget(0, 0)  # whoever waits ends it when it has taken long enough
STOPPING = "Stopping at the next statement; what is done is kept …"
STOPPED = "Stopped. What is done is kept; to go on: vaultrag contradictions --scan"
NOBODY = "No server runs, so nobody works at it yet: `vaultrag jobs wait` does, and so does `vaultrag serve`."


def scan_now(config: Config, terminal: Terminal) -> None:
    """Read and compare what is owed; a running server does it as a job.

    Raises Exit where Ctrl-C ended it, IndexLocked while another process owns the index, ModelError where a judge
    failed.
    """
    server = find_server(config)
    if server is None:
        _scan_here(config, terminal)
        return
    with closing(server):
        _scan_there(server, config, terminal)


def scan_later(config: Config, terminal: Terminal) -> None:
    """Leave the scan as a job within the budget of the settings, and say how it goes on."""
    server = find_server(config)
    if server is not None:
        server.close()
    job = wire.Job.of(_submitted(config, budget_of(config.settings.jobs)))
    if terminal.json:
        terminal.print_json(job)
        return
    terminal.print(f"Left as job {job.id}. What it finds: vaultrag contradictions")
    terminal.note(next_step(job) if server else NOBODY)


def _scan_here(config: Config, terminal: Terminal) -> None:
    with closing(Workspace.open(config, Ownership.OWN)) as workspace, stoppable(terminal) as must_stop:
        with Bars(terminal) as bars:
            workspace.findings.extract(bars.show, must_stop)
            workspace.findings.compare(bars.show, must_stop)
        if must_stop():
            terminal.note(STOPPED)
            raise typer.Exit(INTERRUPTED)


def _scan_there(server: Client, config: Config, terminal: Terminal) -> None:
    """Have the server do it, and say how far it is. It goes on when whoever waits for it leaves."""
    key = _submitted(config, NO_BOUND).id
    last: wire.Job | None = None
    try:
        with terminal.waiting("The server reads and compares"):
            for job in server.follow_job(key):
                if job.stage and (last is None or job.stage != last.stage) and not terminal.err.is_terminal:
                    terminal.note(f"{job.stage.capitalize()} …")
                last = job
    except KeyboardInterrupt:
        terminal.note(f"The server goes on with it; to end it: vaultrag jobs cancel {key}")
        raise
    if last is None or last.state in ("queued", "running"):
        raise ServerError("The server ended before the scan did.", f"It goes on: vaultrag jobs wait {key}")
    if last.state == "failed" and last.failure is not None:
        raise last.failure.exception()
    if last.state != "done":
        raise JobStopped(f"The scan was {last.state}.", f"To go on: vaultrag jobs resume {key}")


def _submitted(config: Config, budget: JobBudget) -> Job:
    """Return the scan that waits already, else a new one."""
    with open_for_records(config) as database:
        queue = JobQueue(config, database)
        with database.atomic():
            waiting = [job for job in queue.jobs() if job.order.kind == SCAN and not job.state.ended]
        return waiting[0] if waiting else queue.submit(scan_order(budget))


@contextmanager
def stoppable(terminal: Terminal) -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end the work where it can be left; the second ends the program at once."""
    stopped: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)
        terminal.note(STOPPING)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: bool(stopped)
    finally:
        signal.signal(signal.SIGINT, before)
