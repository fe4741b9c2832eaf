"""Who may speak to the server: a check of every request's raw ASGI scope, before anything routes it.

A web page in the user's browser can reach loopback, by DNS rebinding under a name of its own; other programs can too.
So Host and Origin must be ours, a bearer token is needed for all but /healthz and /proof, and bodies are small and
prompt.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from vaultrag.store.endpoint import PROOF_PATH, Tokens
from vaultrag.wire import Fault, dumps

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

OPEN_PATHS = frozenset({"/healthz", PROOF_PATH})
OBSIDIAN = "app://obsidian.md"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
BODY_LIMIT = 1_000_000  # bytes; a question is a few hundred
BODY_SECONDS = 10.0  # a body that takes longer holds a connection for nothing
DEFAULT_PORT = 80  # the port a Host header leaves out

_LOOPBACK_ORIGIN = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?")

log = logging.getLogger("vaultrag.server")


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request goes no further."""

    status: int
    fault: Fault


@dataclass(slots=True)
class Activity:
    """What keeps a server from being idle: requests under way, and when the last one ended."""

    running: int = 0
    last: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        self.running += 1

    def end(self) -> None:
        self.running -= 1
        self.touch()

    def touch(self) -> None:
        """Count this moment as in use."""
        self.last = time.monotonic()

    def idle_seconds(self) -> float:
        """Return for how long nothing was asked; 0 while something runs."""
        return 0.0 if self.running else time.monotonic() - self.last


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware around the whole app."""

    app: App
    tokens: Tokens
    port: int
    activity: Activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = _adding_headers(send, cors_headers(scope))
        refusal = refuse_caller(scope, self.port)
        if refusal is None and is_preflight(scope):
            await _answer_preflight(send)
            return
        refusal = refusal or refuse_token(scope, self.tokens) or refuse_size(scope)
        if refusal is not None:
            log.info("%s refused: %d %s", scope["method"], refusal.status, refusal.fault.error)
            await _send_fault(send, refusal)
            return
        if scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        self.activity.begin()
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self.activity.end()

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if isinstance(body, Denial):
            await _send_fault(send, body)
            return
        started = time.monotonic()
        try:
            await self.app(scope, _replaying(body, receive), send)
        except Exception as error:  # noqa: BLE001  # the outermost loop of a request; the message could hold note text
            log.error("%s %s failed: %s at %s", scope["method"], _path(scope), type(error).__name__, _place(error))
        else:
            log.info("%s %s took %.0f ms", scope["method"], _path(scope), (time.monotonic() - started) * 1000)


def refuse_caller(scope: Scope, port: int) -> Denial | None:
    """Refuse every Host but loopback with our port, and every Origin but loopback and Obsidian's."""
    hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
    if len(hosts) != 1 or not is_own_host(hosts[0], port):
        return _forbidden("The request names a host that is not this server.")
    if len(origins) > 1 or (origins and not is_trusted_origin(origins[0])):
        return _forbidden("Requests from this origin are not answered.")
    return None


def is_own_host(host: str, port: int) -> bool:
    """Tell whether a Host header means this server. No other spelling of loopback is accepted."""
    host = host.lower()
    allowed = {f"{name}:{port}" for name in LOOPBACK_HOSTS}
    if port == DEFAULT_PORT:
        allowed.update(LOOPBACK_HOSTS)
    return host in allowed


def is_trusted_origin(origin: str) -> bool:
    return origin == OBSIDIAN or _LOOPBACK_ORIGIN.fullmatch(origin) is not None


def refuse_token(scope: Scope, tokens: Tokens) -> Denial | None:
    """Refuse a request without one of our bearer tokens, unless its path is open to all."""
    if scope["path"] in OPEN_PATHS and scope["method"] in {"GET", "HEAD"}:
        return None
    given = _values(scope, b"authorization")
    scheme, _, value = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() == "bearer" and tokens.accept(value.strip()):
        return None
    message = "The request carries no valid bearer token."
    remedy = "Send `Authorization: Bearer TOKEN`; the token lies in the file `token` in the vault's home."
    return Denial(401, Fault(error="TokenUnreadable", message=message, remedy=remedy))


def refuse_size(scope: Scope) -> Denial | None:
    """Refuse a body that announces itself as too large."""
    lengths = _values(scope, b"content-length")
    if not lengths:
        return None
    if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
        return _usage(400, "The length of the body is not a number.")
    return _too_large() if len(lengths[0]) > 12 or int(lengths[0]) > BODY_LIMIT else None


def is_preflight(scope: Scope) -> bool:
    """Tell whether a browser asks for Obsidian whether it may send a request."""
    asks = _values(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and _values(scope, b"origin") == [OBSIDIAN] and bool(asks)


def cors_headers(scope: Scope) -> Headers:
    """Return what lets Obsidian's window read the answer; no other origin gets it."""
    headers = [(b"vary", b"Origin")]
    if _values(scope, b"origin") == [OBSIDIAN]:
        headers.append((b"access-control-allow-origin", OBSIDIAN.encode()))
    return headers


async def _answer_preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"Authorization, Content-Type"),
        (b"access-control-allow-private-network", b"true"),
        (b"access-control-max-age", b"600"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _send_fault(send: Send, refusal: Denial) -> None:
    body = dumps(refusal.fault).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Receive) -> bytes | Denial:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return _usage(400, "The request ended before its body did.")
                body += message.get("body", b"")
                if len(body) > BODY_LIMIT:
                    return _too_large()
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        return _usage(408, "The body of the request did not come in time.")


def _replaying(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


def _adding_headers(send: Send, extra: Headers) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            security = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
            message["headers"] = [*message.get("headers", []), *extra, *security]
        await send(message)

    return add


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _forbidden(message: str) -> Denial:
    remedy = "Speak to 127.0.0.1 with the server's port, from this machine or from Obsidian."
    return Denial(403, Fault(error="Forbidden", message=message, remedy=remedy))


def _too_large() -> Denial:
    return _usage(413, f"The body of the request is larger than {BODY_LIMIT:,} bytes.")


def _usage(status: int, message: str) -> Denial:
    return Denial(status, Fault(error="UsageError", message=message, remedy="Send a short JSON object."))


def _path(scope: Scope) -> str:
    """Return the route's path for the log; what a caller made up is not written there."""
    route = scope.get("route")
    return str(getattr(route, "path", "(no route)"))


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
