"""A server that a command starts in the background, as a process."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.served import write_notes
from tests.waiting import wait_until
from vaultrag.cli.client import stop_server
from vaultrag.cli.launch import start_server
from vaultrag.config import CONFIG_NAME, START_LOG_NAME, load_config
from vaultrag.store.endpoint import free_port


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")  # as it is meant to be
@pytest.mark.skipif(os.name != "posix", reason="a file that is open may be looked at")
def test_a_port_that_is_taken_between_the_look_and_the_start_costs_nothing(
    vault: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notes(vault)
    monkeypatch.setenv("VAULTRAG_MODELS", str(home / "no models"))
    port = free_port(30_000 + os.getpid() % 20_000)
    home.mkdir()
    (home / CONFIG_NAME).write_text(f"[server]\nport = {port}\n", encoding="utf-8")
    config = load_config(home=home, vault=vault)

    with socket.socket() as other, ThreadPoolExecutor(1) as beside:

        def take_the_port() -> None:
            wait_until((home / START_LOG_NAME).exists)  # its process begins now, and reads its modules first
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", port))
            other.listen()

        taken = beside.submit(take_the_port)
        client = start_server(config)
        taken.result()
    try:
        assert client.endpoint.port != port
        assert client.health().pid == client.endpoint.pid
    finally:
        client.close()
        stop_server(config)
