"""Whoever opens connections and asks for nothing keeps nobody else out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.served import write_notes
from vaultrag.api.connections import protocol
from vaultrag.store.endpoint import LOOPBACK, read_endpoint

HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"
WAIT = 20.0
LIMITED = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256));"
    "from vaultrag.__main__ import main; main()"
)


@contextlib.contextmanager
def bounded(most: int, head_seconds: float, gate: threading.Event | None = None) -> Iterator[int]:
    """Serve `hello` at a port; with a gate, /slow waits until it is open."""

    async def app(scope: Any, _: Any, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        if scope["path"] == "/slow":
            await asyncio.to_thread((gate or threading.Event()).wait, WAIT)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})

    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        settings = uvicorn.Config(app, http=protocol(most, head_seconds), ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        listener.listen()
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(WAIT)


def connected(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection((LOOPBACK, port), WAIT)
    connection.sendall(sent)
    return connection


def is_ended(connection: socket.socket) -> bool:
    """Wait until the server ends the connection; False when it answers instead."""
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", [b"", b"G", HALF_A_HEAD], ids=["nothing", "a letter", "half a head"])
def test_connection_without_a_request_is_ended(sent: bytes) -> None:
    with bounded(9, 0.3) as port, connected(port, sent) as connection:
        assert is_ended(connection)


def test_half_a_head_after_a_whole_request_is_ended_too() -> None:
    with bounded(9, 0.3) as port, connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        received = b""
        while not received.endswith(b"hello"):
            received += connection.recv(1000)
        connection.sendall(HALF_A_HEAD)
        assert is_ended(connection)


def test_slow_answer_is_waited_for() -> None:
    gate = threading.Event()
    with bounded(2, 0.2, gate) as port, connected(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") as slow:
        for _ in range(6):  # each takes the place of the one before, not of the one that is answered
            with connected(port, HALF_A_HEAD) as idle:
                assert is_ended(idle)
        gate.set()
        assert slow.recv(1000).startswith(b"HTTP/1.1 200")


def test_the_longest_idle_gives_way_to_a_new_one() -> None:
    with bounded(3, WAIT) as port, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(port, HALF_A_HEAD)) for _ in range(3)]
        assert httpx.get(f"http://{LOOPBACK}:{port}/", trust_env=False).text == "hello"
        assert is_ended(idle[0])


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of files")
@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD], ids=["nothing", "half a head"])
def test_three_hundred_idle_connections_at_a_limit_of_256_files_keep_nobody_out(
    vault: Path, home: Path, sent: bytes
) -> None:
    write_notes(vault)
    command = [sys.executable, "-c", LIMITED, "serve", "--port", "0", "--vault", str(vault), "--home", str(home)]
    environment = {**os.environ, "VAULTRAG_MODELS": str(home / "no models"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as process:
        try:
            assert process.stdout is not None
            assert "on http://127.0.0.1:" in process.stdout.readline()
            endpoint = read_endpoint(home)
            assert endpoint is not None
            with contextlib.ExitStack() as stack:
                for _ in range(300):
                    stack.enter_context(connected(endpoint.port, sent))
                headers = {"Authorization": f"Bearer {endpoint.secret}"}
                with httpx.Client(base_url=endpoint.url, headers=headers, trust_env=False, timeout=WAIT) as http:
                    assert http.get("/healthz").json()["status"] == "ok"
                    assert "report" in http.post("/index", json={}).text
                    found = http.post("/search", json={"query": "картридж"}).json()
                    assert json.dumps(found, ensure_ascii=False).count("Дом/Бойлер.md") >= 1
        finally:
            process.kill()
    assert "accept" not in (home / "server.log").read_text(encoding="utf-8")
