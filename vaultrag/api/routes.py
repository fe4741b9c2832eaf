"""The routes. Each hands over to the workspace in a thread; none decides anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from vaultrag import wire
from vaultrag.api.background import follow
from vaultrag.api.finding_routes import add_finding_routes
from vaultrag.api.job_routes import add_job_routes
from vaultrag.api.pulse import Pulse
from vaultrag.api.record_routes import add_record_routes
from vaultrag.api.responses import event_stream, json_response
from vaultrag.api.runs import IndexRuns
from vaultrag.api.streams import UNEXPECTED, Streams
from vaultrag.domain import Keep
from vaultrag.errors import VaultragError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs.worker import JobWorker
from vaultrag.store.endpoint import NONCE, PROOF_PATH, Endpoint, Tokens
from vaultrag.workspace import Reach, Workspace
from vaultrag.workspace.readiness import Readiness

JSON_BODY = "Send one JSON object in UTF-8, with the header `Content-Type: application/json`."


def build_app(
    workspace: Workspace,
    endpoint: Endpoint,
    tokens: Tokens,
    runs: IndexRuns,
    jobs: JobWorker,
    streams: Streams,
    stop: Callable[[], None],
) -> FastAPI:
    """Build the app over one open workspace. It trusts its caller: the guard stands around it."""
    app = FastAPI(title="VaultRAG", version=endpoint.version, docs_url=None, redoc_url=None, openapi_url=None)

    def look() -> Readiness:
        return workspace.health.readiness()

    pulse = Pulse(look)

    @app.get("/healthz", response_model=wire.Health)
    async def healthz() -> Response:
        """Say that the server lives, and how far its models are. Needs no token."""
        readiness = await pulse.now()
        return json_response(
            wire.Health(
                status="ok",
                version=endpoint.version,
                pid=os.getpid(),
                instance=endpoint.instance,
                readiness=_readiness(readiness),
                pending=readiness.pending,
                indexing=runs.busy,
                watching=readiness.watching,
                attention=readiness.attention.kind if readiness.attention else "",
            )
        )

    @app.get(PROOF_PATH, response_model=wire.Proof)
    async def proof(nonce: Annotated[str, Query(pattern=f"^{NONCE}$")]) -> Response:
        """Prove that this server knows its tokens, before a caller sends one. Needs no token."""
        return json_response(wire.Proof(proofs=tokens.proofs(nonce, endpoint.port)))

    @app.post("/search", response_model=wire.SearchResult)
    def search(request: wire.SearchRequest) -> Response:
        """Find the passages nearest to a query."""
        k = request.k or workspace.config.settings.search.passages
        return json_response(wire.SearchResult.of(workspace.search(request.query, k, Reach(request.reach))))

    @app.post("/ask", response_class=StreamingResponse)
    async def ask(request: wire.AskRequest) -> StreamingResponse:
        """Answer a question: `step`, `passages`, `quotes`, `listing`, `text`, `sentence`; then `answer`, or `error`."""
        keep = Keep(request.save, request.chat)

        def events() -> Iterator[wire.Event]:
            with closing(workspace.ask(request.question, keep, request.manner())) as answering:
                for event in answering:
                    yield wire.answer_event(event)

        return event_stream(streams, events)

    @app.post("/index", response_class=StreamingResponse)
    async def index(request: wire.IndexRequest) -> StreamingResponse:
        """Bring the index up to date with the vault: events `progress`, then `report` or `error`."""
        return event_stream(streams, lambda: runs.follow(DeletionPolicy(request.deletions)))

    @app.get("/status", response_model=wire.IndexStatus)
    def status() -> Response:
        """Count what is indexed."""
        readiness = workspace.health.readiness()
        server = wire.Server(
            pid=endpoint.pid,
            url=endpoint.url,
            version=endpoint.version,
            embedder=readiness.embedder,
            model=readiness.model,
            residents=_readiness(readiness).residents,
            swap=readiness.swap,
            watching=readiness.watching,
        )
        return json_response(wire.IndexStatus.of(workspace.status(), server=server))

    @app.get("/check", response_model=wire.Findings)
    def check() -> Response:
        """Verify the index against itself and the vault."""
        return json_response(wire.Findings.of(workspace.upkeep.check()))

    @app.post("/check", response_class=StreamingResponse)
    async def check_deep() -> StreamingResponse:
        """Verify the index by reading every note again: events `progress`, then `findings` or `error`."""
        upkeep = workspace.upkeep
        return event_stream(streams, lambda: follow(lambda progress: wire.Findings.of(upkeep.check_deep(progress))))

    @app.post("/shutdown", response_model=wire.Stopping)
    async def shutdown() -> Response:
        """End the server."""
        stop()
        return json_response(wire.Stopping())

    add_finding_routes(app, workspace)
    add_record_routes(app, workspace, streams)
    add_job_routes(app, workspace, jobs, streams)
    app.add_exception_handler(VaultragError, _answer_fault)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unexpected)
    return app


def _readiness(readiness: Readiness) -> wire.Readiness:
    return wire.Readiness(
        embedder=readiness.embedder,
        model=readiness.model,
        residents=[
            wire.LoadedModel(
                name=model.name,
                roles=[role.value for role in model.roles],
                share=round(model.share, 3),
                bytes=model.loaded,
                reason=model.reason,
                warning=model.warning,
                stays=model.stays,
            )
            for model in readiness.residents
        ],
        swap=readiness.swap,
    )


def _answer_fault(_: Request, error: Exception) -> Response:
    assert isinstance(error, VaultragError)
    return json_response(wire.Fault.of(error), error.http_status)


def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["loc"] == ("body",) or fault["type"] == "json_invalid" for fault in faults):
        return json_response(
            wire.Fault(error="UsageError", message="The body is no JSON object.", remedy=JSON_BODY), 422
        )
    described = "; ".join(_describe(fault["loc"], fault["msg"]) for fault in faults)
    message = f"The request is not what this route takes: {described}."
    return json_response(wire.Fault(error="UsageError", message=message, remedy="Correct the request."), 422)


def _describe(place: tuple[int | str, ...], what: str) -> str:
    name = ".".join(str(part) for part in place if part not in {"body", "query"})
    return f"`{name}`: {what.lower()}" if name else what.lower()


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    unparsed = error.status_code == 400
    fault = wire.Fault(
        error="UsageError",
        message="The body cannot be parsed." if unparsed else f"{error.detail}.",
        remedy=JSON_BODY if unparsed else f"The routes are {_routes(request.app)}.",
    )
    return json_response(fault, error.status_code, error.headers)


def _routes(app: FastAPI) -> str:
    return ", ".join(
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    )


def _answer_unexpected(_: Request, __: Exception) -> Response:
    return json_response(UNEXPECTED, 500)
