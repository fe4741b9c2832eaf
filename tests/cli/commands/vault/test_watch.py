"""`vaultrag watch` as a person runs it, in a process of its own, and `serve`, which does the same."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vaultrag.cli.client import find_server, server_health
from vaultrag.config import Config, load_config
from vaultrag.errors import IndexLocked
from vaultrag.store.attention import read_attention
from vaultrag.store.database import Access
from vaultrag.store.endpoint import read_endpoint
from vaultrag.store.opening import open_database
from vaultrag.store.owner import OwnerLock

DEADLINE = 60.0
QUICK = "[watch]\nquiet_seconds = 0.05\n"


@pytest.fixture
def config(vault: Path, home: Path) -> Config:
    vault.mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(QUICK)
    (vault / "Кот.md").write_text("# Кот\n\nБублик спит.\n", encoding="utf-8")
    return load_config(vault, home)


@contextlib.contextmanager
def running(config: Config, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the product until the block ends, without any model."""
    arguments = [sys.executable, "-m", "vaultrag", *command, "--vault", str(config.vault), "--home", str(config.home)]
    environment = os.environ | {"VAULTRAG_MODELS": str(config.home / "models"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, encoding="utf-8"
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise AssertionError(process.stderr.read() if process.stderr else "")


@pytest.mark.slow
def test_watch_prints_a_line_for_each_change_set_and_ends_cleanly_by_ctrl_c(config: Config) -> None:
    with running(config, "watch", "--json") as process:
        told = lines(process)
        first = next(told)
        assert (first["added"], bool(first["reason"]), first["error"]) == (1, True, None)
        (config.vault / "Кот.md").rename(config.vault / "Кошка.md")
        assert next(step for step in told if step["moved"])["added"] == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.slow
def test_watch_says_once_what_stays_as_it_was(config: Config) -> None:
    (config.home / "config.toml").write_text(f'{QUICK}mode = "polling"\npoll_seconds = 1\n')
    (config.vault / "никуда.md").symlink_to("nowhere")
    for number in range(11):
        (config.vault / f"n{number}.md").write_text("Бублик.\n", encoding="utf-8")
    with running(config, "watch") as process:
        assert process.stdout is not None
        assert "12 added" in process.stdout.readline()
        for number in range(2):
            (config.vault / "Кот.md").write_text(f"# Кот\n\nБублик ест {number}.\n", encoding="utf-8")
            assert "1 modified" in process.stdout.readline()
        for number in range(11):
            (config.vault / f"n{number}.md").unlink()
        until(lambda: read_held(config) == "deletions_held", process)
        for number in range(11):
            (config.vault / f"n{number}.md").write_text("Бублик.\n", encoding="utf-8")
        until(lambda: not read_held(config), process)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=DEADLINE)[1]
    assert said.count("leads nowhere") == 1
    assert said.count("--accept-deletions") == said.count("Ctrl-C): it owns the index") == 1


def read_held(config: Config) -> str:
    with open_database(config.database_path, Access.READ) as database:
        held = read_attention(database)
    return held.kind if held else ""


@pytest.mark.slow
def test_server_follows_the_vault_and_says_what_it_holds_back(config: Config) -> None:
    for number in range(30):
        (config.vault / f"n{number}.md").write_text(f"номер{number}\n", encoding="utf-8")
    with running(config, "serve", "--port", "0") as process:
        until(lambda: server_health(config) is not None, process)
        client = find_server(config)
        assert client is not None
        with contextlib.closing(client):
            until(lambda: client.status().notes == 31 and client.health().watching == "events", process)
            (config.vault / "new.md").write_text("A marmot.\n")
            until(lambda: [p.path for p in client.search("marmot", 3, "words").passages] == ["new.md"], process)
            for number in range(30):
                (config.vault / f"n{number}.md").unlink()
            until(lambda: client.health().attention == "deletions_held", process)
            status = client.status()
            assert status.notes == 32
            assert status.attention is not None
            assert "--accept-deletions" in status.attention.remedy
            assert str(config.vault) not in client.health().model_dump_json()
            assert client.index("accept", lambda *_: None).removed == 30
            assert client.health().attention == ""
            with running(config, "watch") as second:
                assert second.wait(DEADLINE) == 0
                assert second.stderr is not None
                assert "follows the vault already" in second.stderr.read()
            endpoint = read_endpoint(config.home)
            assert endpoint is not None
            with pytest.raises(IndexLocked, match=f"process {process.pid} on .*, port {endpoint.port}"):
                OwnerLock(config.lock_path).acquire()
            client.ask_to_stop()
        assert process.wait(DEADLINE) == 0
