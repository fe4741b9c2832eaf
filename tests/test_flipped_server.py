"""A server whose files are damaged under it: it answers, or says what is wrong, and never dies."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import flips
from tests.served import write_notes
from vaultrag.store.endpoint import read_endpoint, read_token
from vaultrag.wire import Fault, SearchResult

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name != "posix", reason="signals")]

QUERIES = ("картридж бойлер", "restic backup", "Тата кот", "осмотр ульев", "queue pronounce")
FILES = ("index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm", "journal.jsonl", "server.json", "lock", "token")


@contextlib.contextmanager
def serving(command: list[str], home: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run `vaultrag serve` and hand over a client that carries its token."""
    environment = {**os.environ, "VAULTRAG_MODELS": str(home / "no models"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            assert "on http://127.0.0.1:" in process.stdout.readline()
            endpoint = read_endpoint(home)
            assert endpoint is not None
            headers = {"Authorization": f"Bearer {read_token(home / 'token')}"}
            with httpx.Client(base_url=endpoint.url, headers=headers, trust_env=False, timeout=60) as http:
                http.post("/index", json={})
                yield process, http
        finally:
            process.kill()


def found(http: httpx.Client) -> list[list[tuple[str, str]]]:
    """Search for everything; an answer is what it should be, or one clear fault."""
    results = []
    for query in QUERIES:
        response = http.post("/search", json={"query": query, "k": 10})
        if response.status_code == 200:
            passages = SearchResult.model_validate_json(response.content).passages
            results.append([(passage.path, passage.text) for passage in passages])
        else:
            fault = Fault.model_validate_json(response.content)
            assert (response.status_code, fault.error) in {(503, "IndexDamaged"), (500, "StoreError")}, fault
            assert fault.remedy
    return results


@pytest.mark.parametrize("seed", range(3))
def test_server_outlives_flipped_bits_and_repair_brings_its_answers_back(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "folder"
    flips.build(folder)
    write_notes(folder / "vault")
    config = flips.config_of(folder)
    command = [sys.executable, "-m", "vaultrag", "--vault", str(config.vault), "--home", str(config.home)]
    with serving(command, config.home) as (process, http):
        expected = found(http)
        assert len(expected) == len(QUERIES)
        for number in range(25):
            path = config.home / FILES[number % len(FILES)]
            if path.exists() and path.stat().st_size:
                flips.flip(path, *flips.places(path, 1, seed * 1000 + number)[0])
            found(http)
            assert process.poll() is None
            assert http.get("/healthz").status_code == 200
        http.get("/status")
        http.post("/index", json={})
        found(http)
        assert process.poll() is None
        process.terminate()
        process.wait(30)
    environment = {**os.environ, "VAULTRAG_MODELS": str(config.home / "no models")}
    done = subprocess.run(
        [*command, "repair", "--json"], capture_output=True, encoding="utf-8", check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    with serving(command, config.home) as (_, http):
        assert found(http) == expected
    assert flips.records(config) == flips.RECORDS
