"""The routes of work that nobody waits for. Whoever asks speaks to the one who works at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse

from vaultrag import wire
from vaultrag.api.responses import event_stream, json_response
from vaultrag.api.streams import SIGN_OF_LIFE, Streams
from vaultrag.config import Config
from vaultrag.domain import JobOrder
from vaultrag.errors import UsageError
from vaultrag.jobs.later import budget_of, question_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.workspace import Workspace


def add_job_routes(app: FastAPI, workspace: Workspace, worker: JobWorker, streams: Streams) -> None:
    """Add the routes of jobs."""

    @app.get("/jobs", response_model=wire.Jobs)
    def jobs() -> Response:
        """List the jobs in the order they came; the oldest of those that have ended go by themselves."""
        return json_response(wire.Jobs.of(worker.queue.jobs()))

    @app.post("/jobs", response_model=wire.Job)
    def submit(request: wire.SubmitRequest) -> Response:
        """Leave work to be done when nobody waits for it; it survives the end of the server."""
        return json_response(wire.Job.of(worker.submit(_order(workspace.config, request))))

    @app.post("/jobs/show", response_model=wire.Job)
    def show_job(request: wire.JobRequest) -> Response:
        """Say how far a job is."""
        return json_response(wire.Job.of(worker.queue.job(request.id)))

    @app.post("/jobs/cancel", response_model=wire.Job)
    def cancel_job(request: wire.JobRequest) -> Response:
        """End a job, the one that is worked at, too; what it has done is kept for `/jobs/resume`."""
        return json_response(wire.Job.of(worker.cancel(request.id)))

    @app.post("/jobs/resume", response_model=wire.Job)
    def resume_job(request: wire.JobRequest) -> Response:
        """Have a job go on where it stopped; one whose budget is spent is given it anew."""
        return json_response(wire.Job.of(worker.resume(request.id)))

    @app.post("/jobs/follow", response_class=StreamingResponse)
    async def follow_job(request: wire.JobRequest) -> StreamingResponse:
        """Follow a job: an event `job` each time it got on, the last one when it has ended; or `error`."""

        def events() -> Iterator[wire.Event]:
            with closing(worker.follow(request.id)) as news:
                for job in news:
                    yield SIGN_OF_LIFE if job is None else wire.Job.of(job)

        return event_stream(streams, events)


def _order(config: Config, request: wire.SubmitRequest) -> JobOrder:
    ask = request.ask
    if ask.earlier:
        raise UsageError("A question for later leans on no exchanges that come with it.", "Name the chat instead.")
    budget = budget_of(config.settings.jobs, request.minutes, request.tokens)
    return question_order(ask.question, ask.manner(), budget, ask.chat)
