"""What every test stands on: no network but loopback, no settings from outside, a vault and a home of its own."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from vaultrag.config import models_dir as models_folder
from vaultrag.runtime.models.catalogue import load_catalogue
from vaultrag.runtime.models.installed import is_present

KEPT_VARIABLES = frozenset({"VAULTRAG_MODELS", "VAULTRAG_BENCH_DATA"})
SMALL_MODELS = ("qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct", "multilingual-e5-small")

# The same examples each time, and no time limit: this machine may be busy.
hypothesis.settings.register_profile("vaultrag", deadline=None, derandomize=True)
hypothesis.settings.load_profile("vaultrag")

# A run in the background of a shell is told to ignore Ctrl-C, and the commands that it starts would be, too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _require_loopback(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _require_loopback(self, address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own VAULTRAG_ variables from the tests."""
    for name in os.environ:
        if name.startswith("VAULTRAG_") and name not in KEPT_VARIABLES:
            monkeypatch.delenv(name)


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """An empty vault that Obsidian has opened."""
    folder = tmp_path / "vault"
    (folder / ".obsidian").mkdir(parents=True)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of the real small models, all of them pulled."""
    folder = models_folder()
    catalogue = load_catalogue(folder)
    missing = [name for name in SMALL_MODELS if not is_present(catalogue[name], folder)]
    if missing:
        pytest.fail(f"Not in {folder}: {', '.join(missing)}. Run: vaultrag models pull {' '.join(missing)}")
    return folder


def _require_loopback(sock: socket.socket, address: Any) -> None:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = address[0]
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host.split("%")[0]).is_loopback:
            return
    except ValueError:
        pass
    raise AssertionError(f"a test connected to {host}, which is not this machine")
