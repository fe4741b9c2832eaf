"""Who is let through: hosts, origins, tokens, bodies. The app behind the guard always answers 200."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from vaultrag.api.guard import BODY_LIMIT, OBSIDIAN, Activity, Guard, is_own_host, is_trusted_origin
from vaultrag.store.endpoint import Tokens

PORT = 27182
TOKEN = "t" * 43
HOST = f"127.0.0.1:{PORT}"

OWN_HOSTS = [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"]
FOREIGN_HOSTS = [
    "",
    " ",
    "evil.com",
    f"evil.com:{PORT}",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "127.0.0.1:80",
    "127.0.0.1:",
    f"127.0.0.1:{PORT}0",
    f"127.0.0.1:0{PORT}",
    f"127.0.0.1:+{PORT}",
    f" 127.0.0.1:{PORT}",
    f"127.0.0.1:{PORT} ",
    f"127.0.0.1:{PORT}, evil.com",
    f"127.0.0.1:{PORT}@evil.com",
    f"user@127.0.0.1:{PORT}",
    f"127.0.0.1.evil.com:{PORT}",
    f"127.0.0.1.nip.io:{PORT}",
    f"localhost.evil.com:{PORT}",
    f"evil-localhost:{PORT}",
    f"localhost.:{PORT}",
    f"localhost.localdomain:{PORT}",
    f"127.0.0.2:{PORT}",
    f"127.1:{PORT}",
    f"0.0.0.0:{PORT}",
    f"0:{PORT}",
    f"2130706433:{PORT}",
    f"0x7f000001:{PORT}",
    f"0177.0.0.1:{PORT}",
    f"192.168.0.10:{PORT}",
    f"169.254.169.254:{PORT}",
    f"::1:{PORT}",
    f"[::1]evil.com:{PORT}",
    f"[::]:{PORT}",
    f"[::ffff:127.0.0.1]:{PORT}",
    f"http://127.0.0.1:{PORT}",
    f"127.0.0.1:{PORT}/",
    f"127.0.0.1:{PORT}#",
    f"127.0.0.1:{PORT}\u0661",
    f"１２７.0.0.1:{PORT}",
    f"lоcalhost:{PORT}",  # a Cyrillic о
]
TRUSTED_ORIGINS = [
    OBSIDIAN,
    f"http://127.0.0.1:{PORT}",
    f"http://localhost:{PORT}",
    "http://localhost",
    "https://localhost:8443",
    f"http://[::1]:{PORT}",
]
FOREIGN_ORIGINS = [
    "",
    "null",
    "*",
    "http://evil.com",
    "https://evil.com:27182",
    "http://127.0.0.1.evil.com",
    "http://localhost.evil.com",
    "http://evil.com/127.0.0.1",
    "http://evil.com#localhost",
    "http://localhost@evil.com",
    "http://localhost:80@evil.com",
    "http://localhost/",
    "http://localhost:",
    "http://localhost:999999",
    "http://LOCALHOST.evil.com",
    "http://127.0.0.2",
    "http://0.0.0.0",
    "http://192.168.0.10",
    "file://",
    "app://obsidian.md.evil.com",
    "app://obsidian.md/",
    "app://obsidian",
    "app://evil.md",
    "APP://OBSIDIAN.MD",
    "http://obsidian.md",
    "https://obsidian.md",
    "capacitor://localhost",
    "chrome-extension://abcdef",
    "http://localhost http://evil.com",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_own_hosts_pass(host: str) -> None:
    assert is_own_host(host, PORT)


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_foreign_hosts_are_refused_before_routing(host: str) -> None:
    assert not is_own_host(host, PORT)
    assert _ask({"host": host}).status == 403


@pytest.mark.parametrize("origin", TRUSTED_ORIGINS)
def test_trusted_origins_pass(origin: str) -> None:
    assert is_trusted_origin(origin)
    assert _ask({"host": HOST, "origin": origin}).status == 200


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_foreign_origins_are_refused_even_with_the_token(origin: str) -> None:
    assert _ask({"host": HOST, "origin": origin}).status == 403


@pytest.mark.parametrize("path", ["/healthz", "/search", "/docs", "/openapi.json", "/anything"])
def test_foreign_host_is_refused_on_every_path(path: str) -> None:
    assert _ask({"host": "evil.com"}, path=path).status == 403


def test_host_must_be_there_once() -> None:
    assert _ask({}).status == 403
    assert _ask({"host": HOST}, more=[(b"host", b"evil.com")]).status == 403


def test_two_origins_are_refused() -> None:
    assert _ask({"host": HOST, "origin": OBSIDIAN}, more=[(b"origin", b"http://evil.com")]).status == 403


def test_host_without_port_means_port_80_only() -> None:
    assert is_own_host("localhost", 80)
    assert not is_own_host("evil.com", 80)


@pytest.mark.parametrize(
    "authorization",
    ["", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer т"],
)
def test_wrong_token_is_refused(authorization: str) -> None:
    answer = _ask({"host": HOST}, authorization=authorization)
    assert answer.status == 401
    assert answer.headers[b"www-authenticate"] == b"Bearer"
    assert TOKEN.encode() not in answer.body


def test_missing_or_doubled_token_is_refused() -> None:
    assert _ask({"host": HOST}, authorization=None).status == 401
    assert _ask({"host": HOST}, more=[(b"authorization", b"Bearer other")]).status == 401


def test_token_in_the_url_counts_for_nothing() -> None:
    assert _ask({"host": HOST}, path=f"/search?token={TOKEN}", authorization=None).status == 401


def test_health_is_open_to_readers_only() -> None:
    assert _ask({"host": HOST}, path="/healthz", method="GET", authorization=None).status == 200
    assert _ask({"host": HOST}, path="/healthz", authorization=None).status == 401
    assert _ask({"host": HOST}, path="/healthz/", method="GET", authorization=None).status == 401


def test_obsidian_may_ask_first_and_read_the_answer() -> None:
    asked = {"host": HOST, "origin": OBSIDIAN, "access-control-request-method": "POST"}
    preflight = _ask(asked, method="OPTIONS", authorization=None)
    assert preflight.status == 204
    assert preflight.headers[b"access-control-allow-origin"] == OBSIDIAN.encode()
    assert b"Authorization" in preflight.headers[b"access-control-allow-headers"]
    assert preflight.headers[b"access-control-allow-private-network"] == b"true"
    answer = _ask({"host": HOST, "origin": OBSIDIAN})
    assert answer.headers[b"access-control-allow-origin"] == OBSIDIAN.encode()
    assert answer.headers[b"vary"] == b"Origin"


def test_no_other_origin_may_read_the_answer() -> None:
    for origin in ("http://localhost:3000", "http://evil.com"):
        asked = {"host": HOST, "origin": origin, "access-control-request-method": "POST"}
        assert b"access-control-allow-origin" not in _ask(asked, method="OPTIONS", authorization=None).headers
        assert b"access-control-allow-origin" not in _ask({"host": HOST, "origin": origin}).headers


def test_large_body_is_refused_by_its_announced_and_by_its_true_size() -> None:
    assert _ask({"host": HOST, "content-length": str(BODY_LIMIT + 1)}).status == 413
    assert _ask({"host": HOST}, body=[b"x" * 600_000, b"x" * 600_000]).status == 413
    assert _ask({"host": HOST}, body=[b"x" * BODY_LIMIT]).status == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "", "9" * 40, "١٢"])
def test_nonsense_length_is_refused(length: str) -> None:
    assert _ask({"host": HOST, "content-length": length}).status in {400, 413}


def test_body_reaches_the_app_whole() -> None:
    assert _ask({"host": HOST}, body=[b"one ", b"two"]).body == b"one two"


def test_websockets_are_closed() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    asyncio.run(_guard()({"type": "websocket", "headers": []}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_activity_is_idle_only_when_nothing_runs() -> None:
    activity = Activity(last=-1000.0)
    assert activity.idle_seconds() > 1000
    activity.begin()
    assert activity.idle_seconds() == 0
    activity.end()
    assert activity.idle_seconds() < 100


class _Answer:
    def __init__(self, sent: list[MutableMapping[str, Any]]) -> None:
        self.status = sent[0]["status"]
        self.headers = dict(sent[0]["headers"])
        self.body = b"".join(message.get("body", b"") for message in sent[1:])


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def _guard() -> Guard:
    return Guard(_echo, Tokens(TOKEN, Path("no file")), PORT, Activity())


def _ask(
    headers: dict[str, str],
    *,
    path: str = "/search",
    method: str = "POST",
    authorization: str | None = f"Bearer {TOKEN}",
    body: list[bytes] | None = None,
    more: list[tuple[bytes, bytes]] | None = None,
) -> _Answer:
    sent: list[MutableMapping[str, Any]] = []
    parts = list(body or [b""])
    raw = [(name.encode(), value.encode("utf-8")) for name, value in headers.items()]
    if authorization is not None:
        raw.append((b"authorization", authorization.encode("utf-8")))
    scope = {"type": "http", "method": method, "path": path, "headers": raw + (more or [])}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(_guard()(scope, receive, send))
    return _Answer(sent)
