"""A real server over a real index of a small vault, with deterministic models."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.api.server import VaultServer, build_server
from vaultrag.cli.client import parse_sse
from vaultrag.config import Config, Settings
from vaultrag.domain import ChatModel, Generation, Message, Piece, Priority, Sampling, Scores
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.endpoint import LOOPBACK, Endpoint, announce, ensure_token, withdraw
from vaultrag.workspace import Ownership, Workspace

NOTES = {
    "Дом/Бойлер.md": "# Бойлер\n\nКартридж в бойлере поменяли 12 мая 2024 года.\n\nНовый стоил 95 лари. ^price\n",
    "Servers/mayak.md": "# mayak\n\n## Backups\n\nThe restic backup of mayak runs every night at 03:30.\n",
    "Люди/Тата.md": "Тата живёт на третьем этаже и кормит кота, когда мы уезжаем.\n",
}
REPLY = "Картридж в бойлере поменяли 12 мая 2024 года. Рыбы летают над морем."


@dataclass(slots=True)
class GatedModel:
    """Says one word, then waits at the gate before each further one. `left` is set once it is closed early."""

    name: str = "gated"
    context_length: int = 8192
    gate: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 + 1 for text in texts]

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        finished = False
        try:
            yield "Картридж "
            while not self.gate.wait(0.02):
                yield ""
            yield "в бойлере поменяли 12 мая 2024 года."
            yield Generation("", "stop", 10, 0, 8, 0.0, 0.0)
            finished = True
        finally:
            if not finished:
                self.left.set()

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        return Scores(tuple(options), (0.0,) * len(options), calibrated=False)

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        return [self.score(messages, options, priority) for messages in conversations]


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, and how to speak to it."""

    config: Config
    endpoint: Endpoint
    token: str
    server: VaultServer
    workspace: Workspace
    thread: threading.Thread

    def http(self, **headers: str) -> httpx.Client:
        """Return a client that carries the token, and these headers."""
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return httpx.Client(base_url=self.endpoint.url, headers=sent, trust_env=False, timeout=20)

    def events(self, path: str, body: dict[str, object]) -> list[tuple[str, dict[str, object]]]:
        """Return all events that a route streams."""
        with self.http() as http, http.stream("POST", path, json=body) as response:
            return [(name, json.loads(data)) for name, data in parse_sse(response.iter_bytes())]


def write_notes(vault: Path, notes: Mapping[str, str] = NOTES) -> None:
    (vault / ".obsidian").mkdir(parents=True, exist_ok=True)
    for path, text in notes.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8")


@contextlib.contextmanager
def serving(
    folder: Path,
    model: ChatModel | None = None,
    idle_seconds: float = 0.0,
    notes: Mapping[str, str] = NOTES,
) -> Iterator[Served]:
    """Serve these notes from `folder`, until the block ends."""
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    write_notes(config.vault, notes)
    model = model or ScriptedModel([REPLY])
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), model) as workspace, socket.socket() as listener:
        workspace.index(lambda *_: None, DeletionPolicy.GUARD)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a test takes the port afterwards
        listener.bind((LOOPBACK, 0))
        listener.listen()
        endpoint = Endpoint(os.getpid(), LOOPBACK, listener.getsockname()[1], "0.0.test", "instance-1")
        token = ensure_token(config.token_path)
        server = build_server(workspace, endpoint, idle_seconds)
        announce(config.home, endpoint)
        thread = threading.Thread(target=_run, args=(server, listener, config.home, endpoint), daemon=True)
        thread.start()
        try:
            yield Served(config, endpoint, token, server, workspace, thread)
        finally:
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive()


def _run(server: VaultServer, listener: socket.socket, home: Path, endpoint: Endpoint) -> None:
    server.run(sockets=[listener])
    withdraw(home, endpoint)
