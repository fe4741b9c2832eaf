"""An analysis as a job: handed over to the running server, or left for later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from vaultrag import wire
from vaultrag.cli.client import Client, find_server
from vaultrag.cli.commands.night.job_lines import next_step
from vaultrag.cli.commands.night.later import NOBODY
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import Analysis, JobBudget
from vaultrag.errors import JobStopped, ServerError
from vaultrag.jobs.analyses import analysis_order
from vaultrag.jobs.later import budget_of
from vaultrag.records.analyses import AnalysisArchive
from vaultrag.records.archive import open_for_records
from vaultrag.records.queue import JobQueue
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.workspace.analysing import AnalysisRequest


def leave(config: Config, terminal: Terminal, request: AnalysisRequest) -> None:
    """Leave an analysis in the queue, and say how to get at it."""
    minutes = request.seconds / 60 if request.seconds is not None else None
    order = analysis_order(request, budget_of(config.settings.jobs, minutes, request.tokens))
    with open_for_records(config) as database:
        job = wire.Job.of(JobQueue(config, database).submit(order))
    server = find_server(config)
    if terminal.json:
        terminal.print_json(job)
    else:
        terminal.print(f"Left as job {job.id}. The analysis will be kept: vaultrag analyse --kept {job.id}")
        terminal.note(NOBODY if server is None else next_step(job))
    if server is not None:
        server.close()


def by_server(server: Client, config: Config, terminal: Terminal, request: AnalysisRequest) -> Analysis:
    """Have the server that owns the index make an analysis, and wait for it. Leaving cancels it."""
    section = config.settings.answering
    seconds = section.deep_seconds if request.seconds is None else request.seconds
    order = analysis_order(request, JobBudget(seconds / 60, request.tokens or section.deep_tokens), is_awaited=True)
    with closing(server):
        with open_for_records(config) as database:
            key = JobQueue(config, database).submit(order).id
        try:
            _ended(terminal, server.follow_job(key))
        except KeyboardInterrupt:
            server.cancel_job(key)
            raise
    with open_database(config.database_path, Access.READ) as database:
        return AnalysisArchive(config, database).find(key).analysis


def _ended(terminal: Terminal, news: Iterator[wire.Job]) -> None:
    """Wait for the end of the job. Raises what it failed by."""
    last: wire.Job | None = None
    for job in news:
        if not terminal.json and job.stage and (last is None or job.stage != last.stage):
            terminal.note(f"{job.stage} …")
        last = job
    if last is None or last.state in ("queued", "running"):
        raise ServerError("The server ended before the analysis did.", "It goes on where it was: vaultrag jobs list")
    if last.state == "failed" and last.failure is not None:
        raise last.failure.exception()
    if last.state != "done":
        raise JobStopped(f"The analysis was {last.state}.", f"It goes on: vaultrag jobs resume {last.id}")
