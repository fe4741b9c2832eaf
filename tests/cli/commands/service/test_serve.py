"""`vaultrag serve` as a process: how it begins, what it leaves behind, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.served import NOTES, write_notes
from vaultrag import __version__
from vaultrag.errors import PortTaken
from vaultrag.store.endpoint import Endpoint, announce, read_endpoint, read_token

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.fixture
def command(vault: Path, home: Path) -> list[str]:
    write_notes(vault)
    return [sys.executable, "-m", "vaultrag", "serve", "--vault", str(vault), "--home", str(home)]


@contextlib.contextmanager
def _running(command: list[str], home: Path) -> Iterator[tuple[subprocess.Popen[str], Endpoint]]:
    environment = {**os.environ, "VAULTRAG_MODELS": str(home / "no models"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment
    ) as process:
        try:
            assert process.stdout is not None
            assert "on http://127.0.0.1:" in process.stdout.readline()
            endpoint = read_endpoint(home)
            assert endpoint is not None
            yield process, endpoint
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signal_ends_the_server_cleanly(command: list[str], home: Path, number: int, code: int) -> None:
    with _running(command, home) as (process, endpoint):
        assert (endpoint.pid, endpoint.version) == (process.pid, __version__)
        health = httpx.get(f"{endpoint.url}/healthz", trust_env=False).json()
        assert health["instance"] == endpoint.instance
        process.send_signal(number)
        assert process.wait(20) == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert read_endpoint(home) is None


def test_server_indexes_by_itself_and_logs_neither_notes_nor_token(command: list[str], home: Path) -> None:
    with _running(command, home) as (process, endpoint):
        token = read_token(home / "token")
        with httpx.Client(
            base_url=endpoint.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20
        ) as http:
            http.post("/index", json={})
            found = http.post("/search", json={"query": "картриджи"}).json()
            assert found["passages"][0]["path"] == "Дом/Бойлер.md"
            http.get(f"/секрет?token={token}")
            http.post("/ask", json={"question": "картриджи"})
        process.terminate()
        process.wait(20)
    log = (home / "server.log").read_text(encoding="utf-8")
    assert "POST /search took" in log
    for secret in (token, "картридж", "секрет", *NOTES):
        assert secret not in log


def test_server_outlives_nothing_of_a_killed_one(command: list[str], home: Path) -> None:
    with _running(command, home) as (process, _):
        process.kill()
        process.wait(20)
    assert read_endpoint(home) is not None
    with _running(command, home) as (process, endpoint):
        assert endpoint.pid == process.pid


def test_server_without_its_token_file_can_still_be_stopped(command: list[str], home: Path) -> None:
    with _running(command, home) as (process, _):
        (home / "token").unlink()
        stop = subprocess.run([*command, "--stop"], capture_output=True, encoding="utf-8", check=False, timeout=60)
        assert (stop.returncode, process.wait(20)) == (0, 0)
    assert f"process {process.pid}" in stop.stdout


def test_a_damaged_announcement_ends_nobody_else(command: list[str], home: Path) -> None:
    with (
        _running(command, home) as (process, endpoint),
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as other,
    ):
        announce(home, replace(endpoint, pid=other.pid))
        (home / "token").unlink()
        stop = subprocess.run([*command, "--stop"], capture_output=True, encoding="utf-8", check=False, timeout=60)
        assert (stop.returncode, process.wait(20)) == (0, 0)
        assert other.poll() is None
        other.communicate(b"\n")
    assert f"process {process.pid}" in stop.stdout
    assert read_endpoint(home) is None


def test_taken_port_names_the_remedy(command: list[str], home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [*command, "--port", str(port), "--json"], capture_output=True, encoding="utf-8", check=False, timeout=60
        )
    assert done.returncode == PortTaken.exit_code
    fault = json.loads(done.stderr)
    assert fault["error"] == "PortTaken"
    assert "--port 0" in fault["remedy"]
    assert not (home / "server.json").exists()
