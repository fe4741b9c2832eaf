"""The commands that the kill harness kills, each over a vault that has changed."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from tests.deaths import Kill, ended
from tests.killing import CLIENTS, MOST_CHANGES, PATIENCE, SERVED_SECONDS, WATCHED_SECONDS, Harness
from tests.living_vault import SENTENCES
from vaultrag.config import Config
from vaultrag.endpoint import read_endpoint, read_token

POLL_SECONDS = 0.02
SAVED = re.compile(r'"saved": ?"(\w*)"')  # in the last event of an answer


def kill_index(harness: Harness, kill: Kill) -> None:
    harness.run_command(["index"], kill)


def kill_watcher(harness: Harness, kill: Kill) -> None:
    """The vault goes on changing while it is watched."""
    pid = harness.start(["watch", "--json", *harness.places], kill.death)
    left = kill.death.seconds if kill.death.by == "time" else WATCHED_SECONDS
    for _ in range(harness.random.randint(0, 3)):
        pause = min(left, harness.random.uniform(0, WATCHED_SECONDS / 2))
        left -= pause
        if ended(pid, pause):
            break
        kill.changes += harness.living.change(harness.random.randint(1, MOST_CHANGES // 2))
    if not ended(pid, left):
        harness.end(pid, kill.death)
    harness.note_end(pid, kill)


def kill_server(harness: Harness, kill: Kill) -> None:
    """Two clients search and ask, and have the changed vault indexed, while the server is killed."""
    answered = harness.scratch / "answered"
    answered.write_bytes(b"")
    pid = harness.start(["serve", "--port", "0", *harness.places], kill.death)
    clients = [_fork_client(harness.config, pid, answered, turn) for turn in range(CLIENTS)]
    _wait_until_ready(harness.config, pid)
    if not ended(pid, kill.death.seconds if kill.death.by == "time" else SERVED_SECONDS):
        harness.end(pid, kill.death)
    for client in clients:
        os.waitpid(client, 0)
    harness.note_end(pid, kill)
    replies = answered.read_text(encoding="utf-8").splitlines()
    kill.answers = len(replies)
    harness.saved.update(filter(None, replies))


OPERATIONS: dict[str, Callable[[Harness, Kill], None]] = {
    "index": kill_index,
    "watch": kill_watcher,
    "serve": kill_server,
}


def _fork_client(config: Config, server: int, answered: Path, turn: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            if _wait_until_ready(config, server):
                _ask_until_gone(config, answered, turn)
        finally:
            os._exit(0)
    return pid


def _wait_until_ready(config: Config, server: int) -> bool:
    """Wait until the server has announced itself; return whether it lives."""
    while (endpoint := read_endpoint(config.home)) is None or endpoint.pid != server:
        if ended(server, POLL_SECONDS):
            return False
    return True


def _ask_until_gone(config: Config, answered: Path, turn: int) -> None:
    """Ask the server without end; each reply that came whole is a line in `answered`, with the id of what it saved."""
    endpoint = read_endpoint(config.home)
    assert endpoint is not None
    token = read_token(config.token_path)
    requests: tuple[tuple[str, dict[str, str | bool]], ...] = (
        ("/search", {"query": SENTENCES[turn]}),
        ("/ask", {"question": SENTENCES[turn + 5], "save": True}),
        ("/index", {}),
        ("/ask", {"question": SENTENCES[turn + 2], "save": True}),
    )
    with answered.open("ab", buffering=0) as log:
        for number in range(turn, 1_000_000):
            path, body = requests[number % len(requests)]
            try:
                connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=PATIENCE)
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                connection.request("POST", path, json.dumps(body), headers)
                reply = connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                return
            saved = SAVED.search(reply.decode("utf-8", "replace"))
            log.write(((saved[1] if saved else "") + "\n").encode())
