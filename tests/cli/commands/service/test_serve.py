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

from tests.cli.false_server import false_server, saying
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
    with subprocess.Popen(
        [*command, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=_without_models(home),
    ) as process:
        try:
            assert process.stdout is not None
            assert "on http://127.0.0.1:" in process.stdout.readline()
            endpoint = read_endpoint(home)
            assert endpoint is not None
            yield process, endpoint
        finally:
            process.kill()


def _without_models(home: Path) -> dict[str, str]:
    return {**os.environ, "VAULTRAG_MODELS": str(home / "no models"), "PYTHONUNBUFFERED": "1"}


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_server_outlives_nothing_of_a_killed_one(command: list[str], home: Path) -> None:
    with _running(command, home) as (process, _):
        process.kill()
        process.wait(20)
    assert read_endpoint(home) is not None
    with _running(command, home) as (process, endpoint):
        assert endpoint.pid == process.pid


@pytest.mark.slow
def test_who_takes_the_port_of_a_killed_server_hears_no_question_and_gets_no_token(
    command: list[str], vault: Path, home: Path
) -> None:
    with _running(command, home) as (process, endpoint):
        token = read_token(home / "token")
        with httpx.Client(
            base_url=endpoint.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        ) as http:
            http.post("/index", json={})
            kept = http.get("/healthz").content
        process.kill()
        process.wait(20)
    search = [*command[:3], "search", "картридж в бойлере", "--json", "--vault", str(vault), "--home", str(home)]
    with false_server(lambda _: saying(kept), endpoint.port) as false:
        done = subprocess.run(
            search, capture_output=True, encoding="utf-8", check=False, timeout=60, env=_without_models(home)
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["passages"][0]["path"] == "Дом/Бойлер.md"
        with _running(command, home) as (_, after):
            assert after.port != endpoint.port
            assert _status(after, endpoint.secret) == 401
            assert _status(after, after.secret) == _status(after, token) == 200
    for secret in (endpoint.secret, after.secret, token, "uthorization", "картридж", "search"):
        assert secret.encode() not in false.heard
    assert b"nonce=" in false.heard


def _status(endpoint: Endpoint, token: str) -> int:
    return httpx.get(
        f"{endpoint.url}/status", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
    ).status_code


@pytest.mark.slow
def test_rotated_token_opens_a_running_server_and_the_old_one_does_not(
    command: list[str], vault: Path, home: Path
) -> None:
    with _running(command, home) as (_, endpoint):
        old = read_token(home / "token")
        token = [*command[:3], "token", "--json", "--vault", str(vault), "--home", str(home)]
        for arguments, kept in ((token, True), ([*token, "--rotate"], False)):
            done = subprocess.run(arguments, capture_output=True, encoding="utf-8", check=True, timeout=60)
            new = json.loads(done.stdout)["token"]
            assert (new == old) == kept
        assert (_status(endpoint, old), _status(endpoint, new)) == (401, 200)


@pytest.mark.slow
def test_server_of_the_version_before_can_be_stopped(command: list[str], home: Path) -> None:
    with _running(command, home) as (process, endpoint):
        values = {name: getattr(endpoint, name) for name in ("pid", "host", "port", "version", "instance")}
        (home / "server.json").write_text(json.dumps(values), encoding="utf-8")
        stop = subprocess.run([*command, "--stop"], capture_output=True, encoding="utf-8", check=False, timeout=60)
        assert (stop.returncode, process.wait(20)) == (0, 0)
    assert f"process {process.pid}" in stop.stdout


@pytest.mark.slow
def test_server_without_its_token_file_can_still_be_stopped(command: list[str], home: Path) -> None:
    with _running(command, home) as (process, _):
        (home / "token").unlink()
        stop = subprocess.run([*command, "--stop"], capture_output=True, encoding="utf-8", check=False, timeout=60)
        assert (stop.returncode, process.wait(20)) == (0, 0)
    assert f"process {process.pid}" in stop.stdout


@pytest.mark.slow
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


@pytest.mark.slow
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
