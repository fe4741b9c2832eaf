"""A server whose process lives and does not answer: it is waited for, and nobody is told to end it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.served import write_notes
from vaultrag.cli import client
from vaultrag.cli.client import find_server, server_health, stop_server
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.errors import ServerBusy
from vaultrag.store.endpoint import Endpoint, free_port, read_endpoint

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a process is halted by a signal")


@dataclass(frozen=True, slots=True)
class Halted:
    """A server that is halted: its process lives, its port listens, nobody answers."""

    config: Config
    process: subprocess.Popen[str]

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def run(self, *arguments: str) -> int:
        return main(["--vault", str(self.config.vault), "--home", str(self.config.home), *arguments], _no_server)


def _no_server(config: Config, port: int, idle_seconds: float, on_ready: Callable[[Endpoint], None]) -> None:
    raise AssertionError("no server is started here")


@contextlib.contextmanager
def served(folder: Path, *options: str) -> Iterator[Halted]:
    write_notes(folder / "vault")
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "none", settings=Settings())
    places = ["--vault", str(config.vault), "--home", str(config.home)]
    environment = {**os.environ, "VAULTRAG_MODELS": str(config.models), "PYTHONUNBUFFERED": "1"}
    subprocess.run([sys.executable, "-m", "vaultrag", "index", *places], check=True, env=environment, timeout=120)
    serve = [sys.executable, "-m", "vaultrag", "serve", *places, *options]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as process:
        try:
            assert process.stdout is not None
            assert "Serving" in process.stdout.readline()
            yield Halted(config, process)
        finally:
            process.kill()


@pytest.fixture
def halted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Halted]:
    monkeypatch.setattr(client, "HEALTH_SECONDS", 0.3)
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 3.0)
    with served(tmp_path, "--port", "0") as server:
        server.process.send_signal(signal.SIGSTOP)
        yield server


@pytest.mark.slow
def test_a_busy_server_is_waited_for_and_then_used(halted: Halted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "HEALTH_SECONDS", 1.0)
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 60.0)
    found = find_server(halted.config, halted.go_on)
    assert found is not None
    assert found.status().notes == 3
    found.close()


@pytest.mark.slow
def test_nobody_is_told_to_end_a_process_that_lives(halted: Halted) -> None:
    told: list[str] = []
    with pytest.raises(ServerBusy) as met:
        find_server(halted.config, lambda: told.append("busy"))
    assert told == ["busy"]
    assert "End process" not in met.value.remedy
    with pytest.raises(ServerBusy):
        server_health(halted.config)


@pytest.mark.slow
def test_search_tells_what_words_find_meanwhile(halted: Halted, capsys: pytest.CaptureFixture[str]) -> None:
    assert halted.run("search", "картридж") == 0
    shown = capsys.readouterr()
    assert "Дом/Бойлер.md" in shown.out
    assert "by words and links only" in shown.err
    assert halted.run("search", "картридж", "--json") == 0
    assert json.loads(capsys.readouterr().out)["warnings"]


@pytest.mark.slow
def test_status_says_that_the_server_is_busy(halted: Halted, capsys: pytest.CaptureFixture[str]) -> None:
    assert halted.run("status") == 0
    assert f"process {halted.process.pid}; it lives, and is too busy" in " ".join(capsys.readouterr().out.split())
    assert halted.run("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["server"]["watching"] == "unknown"


@pytest.mark.slow
def test_serve_stop_ends_a_server_that_does_not_answer(halted: Halted, monkeypatch: pytest.MonkeyPatch) -> None:
    kill = os.kill

    def wake_and_kill(pid: int, number: int) -> None:
        kill(pid, number)  # is pending while the process is halted
        kill(pid, signal.SIGCONT)

    monkeypatch.setattr(os, "kill", wake_and_kill)
    assert stop_server(halted.config) == halted.process.pid
    assert halted.process.wait(20) in (0, -signal.SIGTERM)  # the latter before it listens to signals


@pytest.mark.slow
def test_a_second_vault_is_served_on_the_next_free_port(tmp_path: Path) -> None:
    default = Settings().server.port
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # somebody has it already: as good
            other.bind(("127.0.0.1", default))
            other.listen()
        with served(tmp_path) as server:
            endpoint = read_endpoint(server.config.home)
            assert endpoint is not None
            assert endpoint.port != default
            assert server_health(server.config) is not None


def test_the_next_free_port_is_near_the_wanted_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        assert free_port(wanted) != wanted
