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
from vaultrag.store.endpoint import read_endpoint, read_token
from vaultrag.store.opening import open_database

POLL_SECONDS = 0.02
PAGE = 4096  # bytes, SQLite's default
DAMAGED_ROWS = (
    "UPDATE chunks SET text = text || 'x' WHERE id = (SELECT max(id) FROM chunks)",
    "UPDATE chunks SET stems = 'x' WHERE id = (SELECT min(id) FROM chunks)",
    "DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks)",
    "DELETE FROM links WHERE id % 3 = 0",
    "DELETE FROM names WHERE id = (SELECT max(id) FROM names)",
    "UPDATE embeddings SET vector = zeroblob(256) WHERE id % 5 = 0",
    "DELETE FROM embeddings WHERE id % 4 = 0",
    "INSERT INTO keywords (keywords) VALUES ('delete-all')",
    "DELETE FROM outbox",
)
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


def kill_repair(harness: Harness, kill: Kill) -> None:
    """Something of the home is damaged first; a second repair ends what the killed one began."""
    damage = harness.random.choice(DAMAGES)
    kill.changes.append(damage.__name__)
    if harness.config.database_path.exists():
        damage(harness)
    harness.run_command(["repair", "--json"], kill)
    kill.faults += harness.run_whole(["repair", "--json"])


def damage_rows(harness: Harness) -> None:
    """Change what a flipped bit in a page could change: a text, a vector, a link, words."""
    with open_database(harness.config.database_path) as database, database.atomic():
        database.run(harness.random.choice(DAMAGED_ROWS))


def damage_page(harness: Harness) -> None:
    """Fill a page of the index file with noise."""
    path = harness.config.database_path
    page = harness.random.randrange(path.stat().st_size // PAGE)
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(harness.random.randbytes(PAGE))


def damage_length(harness: Harness) -> None:
    path = harness.config.database_path
    os.truncate(path, harness.random.randrange(path.stat().st_size))


def damage_chroma(harness: Harness) -> None:
    """Spoil or remove one of Chroma's files."""
    files = [path for path in harness.config.chroma_path.rglob("*") if path.is_file()]
    for path in harness.random.sample(files, min(1, len(files))):
        if harness.random.random() < 0.5:
            path.unlink()
        else:
            path.write_bytes(harness.random.randbytes(path.stat().st_size))


DAMAGES = (damage_rows, damage_page, damage_length, damage_chroma)
OPERATIONS: dict[str, Callable[[Harness, Kill], None]] = {
    "index": kill_index,
    "watch": kill_watcher,
    "serve": kill_server,
    "repair": kill_repair,
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
