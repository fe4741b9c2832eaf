"""`vaultrag serve`: one open vault on 127.0.0.1 until it is told to stop, or nobody asks any more."""

from __future__ import annotations

import contextlib
import errno
import logging
import logging.handlers
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from types import FrameType

import uvicorn

from vaultrag import __version__
from vaultrag.api.connections import most_connections, protocol
from vaultrag.api.guard import Activity, Guard
from vaultrag.api.night_window import NightWatch
from vaultrag.api.routes import build_app
from vaultrag.api.runs import IndexRuns
from vaultrag.api.streams import Streams
from vaultrag.config import Config
from vaultrag.domain import unwatched
from vaultrag.errors import PortTaken, ServerError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs.follow import Follower
from vaultrag.jobs.nightly import RANK
from vaultrag.jobs.worker import JobWorker
from vaultrag.store.endpoint import (
    LOOPBACK,
    Endpoint,
    Tokens,
    announce,
    ensure_token,
    withdraw,
    withdraw_dead,
    writing_into,
)
from vaultrag.store.jobs.rows import Ranks
from vaultrag.store.privacy import private_opener
from vaultrag.text.steering import escaped, escaped_line
from vaultrag.workspace import Ownership, Workspace

BACKLOG = 32  # so many are taken at once, before one of them can be sent away again
SWITCH_SECONDS = 0.001  # a fifth of the default: who reads notes must not keep requests waiting
LEAVE_SECONDS = 3  # streams were told to end; a client that keeps its connection is cut off
LOG_BYTES = 1_000_000  # four files of this size hold months of one user's requests
LOG_FILES = 3

log = logging.getLogger("vaultrag.server")


def serve(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    """Own the index and answer requests. Returns after SIGTERM, /shutdown or the idle time (0: never).

    Raises PortTaken, IndexLocked, KeyboardInterrupt after Ctrl-C, and what opening the workspace raises.
    """
    with _listening(port) as listener, contextlib.closing(Workspace.open(config, Ownership.OWN)) as workspace:
        withdraw_dead(config.home)
        with writing_into(config.home):
            _log_to(config.log_path)
        endpoint = Endpoint(
            os.getpid(), LOOPBACK, listener.getsockname()[1], __version__, instance=secrets.token_hex(8)
        )
        workspace.publish(endpoint.port)
        ensure_token(config.token_path)
        server = build_server(workspace, endpoint, idle_seconds)
        sys.setswitchinterval(SWITCH_SECONDS)
        announce(config.home, endpoint)
        try:
            on_ready(endpoint)
            log.info("serving on port %d, version %s", endpoint.port, __version__)
            workspace.warm()
            server.runs.request(DeletionPolicy.GUARD)
            nights = NightWatch(server.jobs, config.settings.night)
            awaited = JobWorker(workspace, ranks=Ranks(before=RANK))  # whoever looks on does not wait for a night's end
            with _following(workspace), _working(server.jobs), _working(awaited), contextlib.closing(nights):
                nights.start()
                server.run(sockets=[listener])
        finally:
            withdraw(config.home, endpoint)
            log.info("ended")
    if server.interrupted:
        raise KeyboardInterrupt


def build_server(workspace: Workspace, endpoint: Endpoint, idle_seconds: float) -> VaultServer:
    """Put guard, routes and workspace together; nothing runs yet."""
    activity, streams, told_to_stop = Activity(), Streams(), threading.Event()
    runs, jobs = IndexRuns(workspace.index), JobWorker(workspace)
    tokens = Tokens(endpoint.secret, workspace.config.token_path)
    app = build_app(workspace, endpoint, tokens, runs, jobs, streams, told_to_stop.set)
    guard = Guard(app, tokens, endpoint.port, activity)
    settings = uvicorn.Config(
        guard,
        loop="asyncio",
        http=protocol(most_connections()),  # over h11, which bounds the size of a request's head
        backlog=BACKLOG,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,  # the guard logs requests, without what callers made up
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=LEAVE_SECONDS,
    )
    return VaultServer(settings, activity, streams, runs, jobs, Ending(told_to_stop, idle_seconds))


@dataclass(frozen=True, slots=True)
class Ending:
    """When a server ends: told to, or idle for so many seconds (0: never)."""

    told: threading.Event
    idle_seconds: float

    def reason(self, idle_for: float) -> str:
        """Return why the server should end now, or nothing."""
        if self.told.is_set():
            return "told to"
        return "idle" if self.idle_seconds and idle_for > self.idle_seconds else ""


class VaultServer(uvicorn.Server):
    """A uvicorn server that ends its streams with a word, and itself when there is a reason."""

    def __init__(
        self,
        settings: uvicorn.Config,
        activity: Activity,
        streams: Streams,
        runs: IndexRuns,
        jobs: JobWorker,
        ending: Ending,
    ) -> None:
        super().__init__(settings)
        self.activity = activity
        self.streams = streams
        self.runs = runs
        self.jobs = jobs
        self.ending = ending
        self.interrupted = False

    async def on_tick(self, counter: int) -> bool:
        if self.runs.busy or self.jobs.busy:
            self.activity.touch()
        reason = self.ending.reason(self.activity.idle_seconds())
        if reason and not self.should_exit:
            log.info("ending: %s", reason)
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.streams.stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turn SIGINT and SIGTERM into an orderly end. Uvicorn's own would raise them again before our clean-up."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self.interrupted = number == signal.SIGINT
        self.force_exit = self.should_exit and self.interrupted  # Ctrl-C twice waits for nothing
        self.should_exit = True


@contextlib.contextmanager
def _working(worker: JobWorker) -> Iterator[None]:
    """Have the queue worked at meanwhile."""
    with contextlib.closing(worker):
        worker.start()
        yield


@contextlib.contextmanager
def _following(workspace: Workspace) -> Iterator[None]:
    """Have the index follow the vault meanwhile, unless the settings say otherwise."""
    if workspace.config.settings.watch.mode == "off":
        yield
        return
    follower = Follower(workspace, unwatched)
    threading.Thread(target=follower.run, name="follow", daemon=True).start()
    try:
        yield
    finally:
        follower.close()


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """Bind the port before anything is loaded, so that a taken port costs nothing. Raises PortTaken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        if os.name == "posix" and sys.platform != "cygwin":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port left a minute ago is free
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:
            listener.setsockopt(socket.SOL_SOCKET, exclusive, 1)  # Windows would let others listen there, too
        try:
            listener.bind((LOOPBACK, port))
            listener.listen(BACKLOG)
        except OSError as error:
            raise _bind_error(port, error) from error
        yield listener


def _bind_error(port: int, error: OSError) -> ServerError:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"Another program listens on port {port}.",
            "Take any free port with `vaultrag serve --port 0`, or set another one as `server.port`.",
        )
    return ServerError(
        f"Port {port} cannot be opened: {error.strerror}.", "Take any free port with `vaultrag serve --port 0`."
    )


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log whose lines are lost while the disk is full; logging's own way prints a stack for each."""

    def _open(self) -> TextIOWrapper:
        os.close(private_opener(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _Lines(logging.Formatter):
    """One line for each message, whatever the names in it hold: the log is read in a terminal, too."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = escaped_line(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return escaped(super().format(record))


def _log_to(path: Path) -> None:
    file = _LogFile(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    file.setFormatter(_Lines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name, level in (("vaultrag", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.handlers = [file]
        logger.propagate = False
