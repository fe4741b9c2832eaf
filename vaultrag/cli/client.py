"""The running server, seen from a command."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from vaultrag import wire
from vaultrag.cli.proving import Unproven, prover
from vaultrag.config import LOG_NAME, Config
from vaultrag.domain import NOT_KEPT, USUAL, JobBudget, Keep, Manner, Progress
from vaultrag.errors import ServerBusy, ServerError, TokenUnreadable
from vaultrag.store.endpoint import ENDPOINT_NAME, Endpoint, read_endpoint
from vaultrag.store.owner import living_owner

HEALTH_SECONDS = 5.0  # loopback: whoever needs longer is busy, or the machine is
PATIENCE_SECONDS = 60.0  # with a server that is busy; reading a large vault at once takes less
CALL_SECONDS = 300.0  # a search may wait until the embedder has been imported and loaded
SILENCE_SECONDS = 60.0  # streams send a heartbeat every five seconds
LEAVE_SECONDS = 15.0  # children get three seconds each
POLL_SECONDS = 0.05
UNAUTHORIZED = 401

Body = TypeVar("Body", bound=BaseModel)


def no_word() -> None:
    """Say nothing."""


class Client:
    """Speaks to one server, on connections where it has proved that it is ours before anything is said.

    Raises the errors that the server met, ServerError when it is lost, also to somebody else.
    """

    def __init__(self, endpoint: Endpoint, home: Path) -> None:
        self.endpoint = endpoint
        self.home = home
        self._http = _http(endpoint, {"Authorization": f"Bearer {endpoint.secret}"})
        self._proved = {"trace": prover(endpoint, HEALTH_SECONDS)}

    def search(self, query: str, k: int, reach: str) -> wire.SearchResult:
        return self._call("POST", "/search", wire.SearchResult, {"query": query, "k": k, "reach": reach})

    def ask(self, question: str, keep: Keep = NOT_KEPT, manner: Manner = USUAL) -> wire.Events:
        """Yield the events of an answer. Closing the iterator aborts it."""
        body: dict[str, object] = {"question": question, "save": keep.saved, "chat": keep.chat, **_as_asked(manner)}
        if manner.earlier is not None:
            body["earlier"] = [
                {
                    "question": one.question,
                    "answer": one.answer[: wire.ANSWER_LENGTH],
                    "paths": one.paths[: wire.PATHS_MOST],
                }
                for one in manner.earlier
            ]
        return self._stream("/ask", body)

    def index(self, deletions: str, progress: Progress) -> wire.IndexReport:
        """Have the index brought up to date, and wait for it. Leaving does not end the server's work."""
        return self._follow("/index", {"deletions": deletions}, wire.IndexReport, progress)

    def status(self) -> wire.IndexStatus:
        return self._call("GET", "/status", wire.IndexStatus)

    def check(self) -> wire.Findings:
        return self._call("GET", "/check", wire.Findings)

    def check_deep(self, progress: Progress) -> wire.Findings:
        """Have every note compared with the index, and wait for it."""
        return self._follow("/check", {}, wire.Findings, progress)

    def forget(self, path: str, progress: Progress) -> wire.Forgotten:
        """Have a note or folder forgotten, and wait for it."""
        return self._follow("/forget", {"path": path}, wire.Forgotten, progress)

    def jobs(self) -> wire.Jobs:
        return self._call("GET", "/jobs", wire.Jobs)

    def job(self, beginning: str) -> wire.Job:
        return self._call("POST", "/jobs/show", wire.Job, {"id": beginning})

    def submit_question(self, question: str, keep: Keep, manner: Manner, budget: JobBudget) -> wire.Job:
        """Leave a question to be answered when nobody waits for it."""
        ask = {"question": question, "chat": keep.chat, **_as_asked(manner)}
        body = {"kind": "ask", "ask": ask, "minutes": budget.minutes, "tokens": budget.tokens}
        return self._call("POST", "/jobs", wire.Job, body)

    def cancel_job(self, beginning: str) -> wire.Job:
        return self._call("POST", "/jobs/cancel", wire.Job, {"id": beginning})

    def resume_job(self, beginning: str) -> wire.Job:
        return self._call("POST", "/jobs/resume", wire.Job, {"id": beginning})

    def follow_job(self, beginning: str) -> Iterator[wire.Job]:
        """Yield a job each time it got on, until it has ended."""
        for event in self._stream("/jobs/follow", {"id": beginning}):
            if isinstance(event, wire.Job):
                yield event

    def health(self) -> wire.Health:
        return self._call("GET", "/healthz", wire.Health)

    def ask_to_stop(self) -> None:
        """Have the server end; it does so soon after."""
        self._call("POST", "/shutdown", wire.Stopping)

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, kind: type[Body], body: Mapping[str, object] | None = None) -> Body:
        with self._translated():
            response = self._http.request(
                method,
                path,
                json=body,
                timeout=httpx.Timeout(CALL_SECONDS, connect=HEALTH_SECONDS),
                extensions=self._proved,
            )
        self._raise_fault(response.status_code, response.content)
        return kind.model_validate_json(response.content)

    def _follow(self, path: str, body: Mapping[str, object], kind: type[Body], progress: Progress) -> Body:
        """Tell the progress of long work until its result comes."""
        for event in self._stream(path, body):
            if isinstance(event, wire.Progress):
                progress(event.phase, event.done, event.total)
            elif isinstance(event, kind):
                return event
        raise self._lost()

    def _stream(self, path: str, body: Mapping[str, object]) -> wire.Events:
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=HEALTH_SECONDS)
        sending = self._http.stream("POST", path, json=body, timeout=timeout, extensions=self._proved)
        with self._translated(), sending as response:
            if response.status_code >= 400:
                self._raise_fault(response.status_code, response.read())
            for name, data in parse_sse(response.iter_bytes()):
                event = wire.parse_event(name, data)
                if isinstance(event, wire.Fault):
                    raise event.exception()
                if event is not None:
                    yield event

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise _busy(self.endpoint) from error
        except (httpx.HTTPError, Unproven) as error:
            raise self._lost() from error

    def _raise_fault(self, status: int, body: bytes) -> None:
        if status < 400:
            return
        if status == UNAUTHORIZED:
            raise TokenUnreadable(
                f"The secret in {self.home / ENDPOINT_NAME} is not the one that the server was started with.",
                "End the server with `vaultrag serve --stop`; the next one starts with a secret that works.",
            )
        try:
            fault = wire.Fault.model_validate_json(body)
        except ValidationError as error:
            raise ServerError(f"The server answered {status}.", "Restart it: vaultrag serve --stop.") from error
        raise fault.exception()

    def _lost(self) -> ServerError:
        return ServerError(
            "The server ended before it had answered.",
            f"Run the command again; {self.home / LOG_NAME} says what happened.",
        )


def _as_asked(manner: Manner) -> dict[str, object]:
    return {"scope": manner.scope, "style": manner.style or "", "mode": manner.mode}


def find_server(config: Config, on_busy: Callable[[], None] = no_word) -> Client | None:
    """Return the server that owns this home's index, None where none runs, or where somebody else answers in its place.

    One that lives and does not answer is waited for, after `on_busy` was called. Raises ServerBusy after a minute.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    told = False
    while True:
        try:
            running = server_health(config)
            return Client(running[0], config.home) if running else None
        except ServerBusy:
            if time.monotonic() > deadline:
                raise
            if not told:
                on_busy()
            told = True


def server_health(config: Config) -> tuple[Endpoint, wire.Health] | None:
    """Return how the running server is, None where none runs. Raises ServerBusy for one that does not answer."""
    endpoint = read_endpoint(config.home)
    health = _health(config, endpoint) if endpoint else None
    return (endpoint, health) if endpoint and health else None


def stop_server(config: Config) -> int | None:
    """End the running server and wait until it has gone; return its process id, None where none runs.

    One that cannot be spoken to is ended by the system, if it owns the index. Raises ServerError if it stays.
    """
    try:
        running = server_health(config)
    except ServerBusy:
        running = None
    if running is None:
        return _end_owner(config)
    endpoint, health = running
    try:
        with contextlib.closing(Client(endpoint, config.home)) as client:
            client.ask_to_stop()
    except TokenUnreadable:
        _end_owner(config)
    _wait_until(lambda: read_endpoint(config.home) != endpoint, health.pid)
    return health.pid


def _end_owner(config: Config) -> int | None:
    """End the server that holds the index's lock, whatever `server.json` says: the system vouches for the lock."""
    owner = living_owner(config.lock_path)
    if owner is None or owner.port is None or owner.host != socket.gethostname():
        return None
    os.kill(owner.pid, signal.SIGTERM)
    _wait_until(lambda: living_owner(config.lock_path) != owner, owner.pid)
    return owner.pid


def _wait_until(gone: Callable[[], bool], pid: int) -> None:
    deadline = time.monotonic() + LEAVE_SECONDS
    while not gone():
        if time.monotonic() > deadline:
            raise ServerError(f"The server (process {pid}) does not end.", f"End process {pid}.")
        time.sleep(POLL_SECONDS)


def parse_sse(chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield (event, data) from the bytes of an event stream, however they were cut. Comments are left out."""
    name = "message"
    data: list[str] = []
    for line in _lines(chunks):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield name, "\n".join(data)
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield lines that end at `\\n`, `\\r\\n` or `\\r` only; an unfinished last one is dropped."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        held = rest.endswith(b"\r")  # perhaps the first half of a line's end
        lines = rest[: -1 if held else None].splitlines(keepends=True)
        rest = b"\r" if held else b""
        if lines and not lines[-1].endswith((b"\n", b"\r")):
            rest = lines.pop() + rest
        for line in lines:
            yield line.rstrip(b"\r\n").decode("utf-8", "replace")


def _health(config: Config, endpoint: Endpoint) -> wire.Health | None:
    """Ask a server how it is; None when nobody, or somebody else, listens there."""
    proved = {"trace": prover(endpoint, HEALTH_SECONDS)}
    try:
        with _http(endpoint, {}) as http:
            response = http.get("/healthz", timeout=HEALTH_SECONDS, extensions=proved)
            return wire.Health.model_validate_json(response.content)
    except httpx.TimeoutException as error:
        owner = living_owner(config.lock_path)
        if owner is None or owner.pid != endpoint.pid:
            return None  # that server has ended: whoever keeps us waiting took its port
        raise _busy(endpoint) from error
    except (httpx.HTTPError, Unproven, ValidationError):
        return None


def _http(endpoint: Endpoint, headers: Mapping[str, str]) -> httpx.Client:
    return httpx.Client(base_url=endpoint.url, headers=headers, trust_env=False)  # no proxy comes between


def _busy(endpoint: Endpoint) -> ServerBusy:
    return ServerBusy(
        f"The server on port {endpoint.port} (process {endpoint.pid}) lives and does not answer:"
        " it, or the machine, is busy.",
        "Run the command again in a while, or with --no-server; `vaultrag serve --stop` would end the server.",
    )
