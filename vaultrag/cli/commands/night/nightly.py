"""`vaultrag nightly`: one night now, by the running server or here, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from vaultrag import wire
from vaultrag.cli.client import Client, find_server
from vaultrag.cli.terminal import Terminal, one_line
from vaultrag.config import Config
from vaultrag.domain import JobOrder, StageState
from vaultrag.errors import JobStopped, ServerError
from vaultrag.jobs.nightly import night_order, open_night, refuse_battery
from vaultrag.jobs.worker import JobWorker
from vaultrag.records.archive import open_for_records
from vaultrag.records.queue import JobQueue
from vaultrag.store.database import Access
from vaultrag.store.night.nights import NightRow, read_nights
from vaultrag.store.opening import open_database
from vaultrag.workspace import Ownership, Workspace


def run_night(config: Config, terminal: Terminal, minutes: float | None, battery: bool) -> int:
    """Do what a night does, and say what came of it; return the exit code of what failed first, else 0.

    A night that was interrupted goes on. Raises NightNotRun on the battery, IndexLocked while another process owns the
    index, and what kept the night from its end.
    """
    allowed = battery or config.settings.night.on_battery
    refuse_battery(allowed)
    order = night_order(minutes or config.settings.night.minutes, allowed)
    server = find_server(config)
    key = _followed(terminal, _by(server, config, order) if server else _here(config, order))
    night = _night(config, key)
    if terminal.json:
        terminal.print_json(night_json(night))
    else:
        _print(terminal, night)
    return next((stage.exit_code for stage in night.stages if stage.exit_code), 0)


def _by(server: Client, config: Config, order: JobOrder) -> Iterator[wire.Job]:
    """Hand the night over to the server that owns the index."""
    with closing(server):
        with open_for_records(config) as database:
            key = open_night(JobQueue(config, database), order)
        yield from server.follow_job(key)


def _here(config: Config, order: JobOrder) -> Iterator[wire.Job]:
    with closing(Workspace.open(config, Ownership.OWN)) as workspace, closing(JobWorker(workspace)) as worker:
        key = open_night(worker.queue, order)
        worker.start()
        for news in worker.follow(key):
            if news is not None:
                yield wire.Job.of(news)


def _followed(terminal: Terminal, news: Iterator[wire.Job]) -> str:
    """Wait for the end of a night; return its id. Raises what it failed by, or waits for."""
    last: wire.Job | None = None
    with closing(news):  # type: ignore[type-var]  # a generator
        for job in news:
            if not terminal.json and job.stage and (last is None or job.stage != last.stage):
                terminal.note(f"{STAGES_SAID.get(job.stage, job.stage)} …")
            last = job
            if job.state == "queued" and job.failure is not None:
                raise job.failure.exception()  # it is tried again, by whoever works at the queue then
    if last is None or last.state in ("queued", "running"):
        raise ServerError("The server ended before the night did.", "It goes on where it was: vaultrag nightly")
    if last.state == "failed" and last.failure is not None:
        raise last.failure.exception()
    if last.state != "done":
        raise JobStopped(f"The night was {last.state}.", "Begin a new one: vaultrag nightly")
    return last.id


STAGES_SAID = {
    "index": "Reading the vault",
    "embed": "Embedding",
    "check": "Comparing the index with the notes",
    "living": "Looking at kept answers",
    "links": "Looking for links",
    "questions": "Looking for tasks and questions",
    "stale": "Looking for notes that were left alone",
    "analyses": "Analysing the notes that are due",
    "jobs": "Working at what was left for later",
}


def _night(config: Config, key: str) -> NightRow:
    with open_database(config.database_path, Access.READ) as database:
        found = next((night for night in read_nights(database) if night.id == key), None)
    if found is None:
        raise JobStopped("The night ended, and what it did is not known any more.", "See: vaultrag jobs list --all")
    return found


def night_json(night: NightRow) -> wire.Night:
    """Return a night as JSON knows it."""
    stages = [wire.NightStage.of(stage) for stage in night.stages]
    began, ended = _moment(night.began_at), _moment(night.ended_at)
    return wire.Night(id=night.id, began_at=began, ended_at=ended, report=night.report, stages=stages)


def _print(terminal: Terminal, night: NightRow) -> None:
    for stage in night.stages:
        name = STAGES_SAID.get(stage.name, stage.name)
        if stage.error:
            terminal.warn(one_line(f"{name}: {stage.message} {stage.remedy}".rstrip()))
        elif stage.state is StageState.NOT_REACHED:
            terminal.warn(f"{name}: not reached.")
        elif stage.left:
            terminal.warn(f"{name}: {stage.left} left for the next night.")
    terminal.print(f"The report: {one_line(night.report)}")


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat(timespec="seconds")
