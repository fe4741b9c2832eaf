"""`vaultrag ask --later`: the question is left in the queue, and a server started for it where the settings allow."""

from __future__ import annotations

from contextlib import closing

from vaultrag import wire
from vaultrag.cli.backend import ServerUse, announce_start, may_start_server
from vaultrag.cli.client import Client, find_server
from vaultrag.cli.commands.night.here import JobsHere
from vaultrag.cli.commands.night.job_lines import next_step
from vaultrag.cli.launch import start_server
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import JobBudget, Keep, Manner
from vaultrag.errors import IndexLocked

NOBODY = "No server runs, so nobody works at it yet: `vaultrag jobs wait` does, and so does `vaultrag serve`."


def leave_question(
    config: Config,
    terminal: Terminal,
    question: str,
    keep: Keep,
    manner: Manner,
    budget: JobBudget,
    server_use: ServerUse,
) -> None:
    """Leave a question to be answered when nobody waits for it, and say how to get at the answer."""
    here = JobsHere(config)
    server = None if server_use is ServerUse.NONE else find_server(config)
    with closing(server or here) as queue:
        job = queue.submit_question(question, keep, manner, budget)
    started = server or _started(config, terminal, server_use)
    _say(terminal, job, nobody=started is None)
    if started is not None:
        started.close()


def _started(config: Config, terminal: Terminal, server_use: ServerUse) -> Client | None:
    """Start a server that works at the queue, where the settings allow one; it takes up what is there."""
    if not may_start_server(config, server_use):
        return None
    announce_start(config, terminal, server_use)
    try:
        return start_server(config)
    except IndexLocked:
        return None  # another command writes the index just now


def _say(terminal: Terminal, job: wire.Job, *, nobody: bool) -> None:
    if terminal.json:
        terminal.print_json(job)
    else:
        terminal.print(f"Left as job {job.id}. The answer will be kept: vaultrag answers show {job.id}")
        terminal.note(NOBODY if nobody else next_step(job))
