"""A false server on the port of a true one hears neither the token nor a question, whatever it answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.cli.false_server import Answering, FalseServer, false_server, relaying_to, saying
from tests.served import Served, serving
from vaultrag.cli.client import find_server, server_health, stop_server
from vaultrag.config import Config, Settings
from vaultrag.errors import ServerError
from vaultrag.store.endpoint import PROOF_PATH, Endpoint, announce, prove
from vaultrag.store.owner import OwnerLock

DEAD = Endpoint(os.getpid(), "127.0.0.1", 1, "0", "kept")
QUESTION = "Какой пароль от роутера?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


def config_of(folder: Path) -> Config:
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())


def left_by_a_kill(folder: Path, endpoint: Endpoint) -> Config:
    """Return a home whose server was killed: its announcement is still there."""
    config = config_of(folder)
    config.home.mkdir(mode=0o700)
    announce(config.home, endpoint)
    return config


def kept_health(served: Served) -> bytes:
    return httpx.get(f"{served.endpoint.url}/healthz", trust_env=False).content


def assert_nothing_was_told(false: FalseServer, endpoint: Endpoint) -> None:
    assert b"nonce=" in false.heard, "it was not even asked to prove itself"
    for secret in (endpoint.secret.encode(), b"uthorization", QUESTION.encode(), b"/search", b"/shutdown", b"/healthz"):
        assert secret not in false.heard


ANSWERS = {
    "no HTTP": lambda _: b"\x00\xff" * 9,
    "another program": lambda _: saying(b"<html></html>"),
    "endless head": lambda _: b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000,
    "endless length": lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
    "no length": lambda _: b"HTTP/1.1 200 OK\r\n\r\n" + b'{"proofs": []}',
    "an error": lambda _: saying(b"{}", "404 Not Found"),
    "nested": lambda _: saying(b"[" * 9_000),
    "other types": lambda _: saying(b'{"proofs": 5}'),
    "no proof": lambda _: saying(b'{"proofs": []}'),
    "the nonce itself": lambda heard: saying(json.dumps({"proofs": [heard[17:81].decode()]}).encode()),
    "another server's proof": lambda heard: saying(
        json.dumps({"proofs": [prove("x" * 43, heard[17:81].decode(), DEAD.port)]}).encode()
    ),
    "letters": lambda _: saying('{"proofs": ["ъ"]}'.encode()),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_who_cannot_prove_itself_is_no_server(tmp_path: Path, answer: Answering) -> None:
    with false_server(answer) as false:
        endpoint = replace(DEAD, port=false.port)
        config = left_by_a_kill(tmp_path, endpoint)
        assert find_server(config) is None
        assert server_health(config) is None
        assert stop_server(config) is None
    assert_nothing_was_told(false, endpoint)


@pytest.mark.slow
def test_kept_answer_of_the_health_check_proves_nothing(served: Served, tmp_path: Path) -> None:
    body = kept_health(served)
    with false_server(lambda _: saying(body)) as false:
        endpoint = replace(served.endpoint, port=false.port)
        assert find_server(left_by_a_kill(tmp_path, endpoint)) is None
    assert_nothing_was_told(false, endpoint)


def test_answer_that_was_fetched_from_the_true_server_proves_nothing(served: Served, tmp_path: Path) -> None:
    with false_server(relaying_to(served.endpoint.port)) as false:
        endpoint = replace(served.endpoint, port=false.port)
        assert find_server(left_by_a_kill(tmp_path, endpoint)) is None
    assert_nothing_was_told(false, endpoint)


def test_answer_to_an_earlier_nonce_proves_nothing(served: Served, tmp_path: Path) -> None:
    nonce = "0" * 64
    url = f"{served.endpoint.url}{PROOF_PATH}"
    kept = httpx.get(url, params={"nonce": nonce}, trust_env=False).content
    assert prove(served.endpoint.secret, nonce, served.endpoint.port) in kept.decode()
    with false_server(lambda _: saying(kept)) as false:
        endpoint = replace(served.endpoint, port=false.port)
        assert find_server(left_by_a_kill(tmp_path, endpoint)) is None
    assert_nothing_was_told(false, endpoint)


@pytest.mark.slow
def test_who_keeps_us_waiting_is_a_server_only_where_that_one_owns_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaultrag.cli.client.HEALTH_SECONDS", 0.3)
    with false_server(lambda _: b"") as silent:
        config = left_by_a_kill(tmp_path, replace(DEAD, port=silent.port))
        assert find_server(config) is None
        with OwnerLock(config.lock_path):
            with pytest.raises(ServerError, match="does not answer"):
                find_server(config)  # DEAD bears this process's number, as a server would that hangs
            announce(config.home, replace(DEAD, port=silent.port, pid=DEAD.pid + 1))
            assert find_server(config) is None
    assert_nothing_was_told(silent, DEAD)


@pytest.mark.slow
def test_connection_that_is_made_anew_is_proved_anew(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        client = find_server(running.config)
        assert client is not None
        assert client.search("кот", 3, "full").passages
        body = kept_health(running)
    with closing(client), false_server(lambda _: saying(body), running.endpoint.port) as false:
        with pytest.raises(ServerError, match="ended before it had answered"):
            client.search(QUESTION, 3, "full")
        with pytest.raises(ServerError, match="ended before it had answered"):
            list(client.ask(QUESTION))
    assert_nothing_was_told(false, running.endpoint)


@pytest.mark.parametrize("nonce", ["", "x", "0" * 63, "0" * 65, "0" * 64 + "\n", "G" * 64, "A" * 64])
def test_only_a_nonce_is_signed(served: Served, nonce: str) -> None:
    response = httpx.get(f"{served.endpoint.url}{PROOF_PATH}", params={"nonce": nonce}, trust_env=False)
    assert response.status_code == 422
    assert response.json()["error"] == "UsageError"
    assert "`nonce`" in response.json()["message"]


@pytest.mark.slow
def test_other_clients_are_proved_to_by_their_own_token(served: Served) -> None:
    nonce = "5" * 64
    said = httpx.get(f"{served.endpoint.url}{PROOF_PATH}", params={"nonce": nonce}, trust_env=False).json()
    tokens = (served.endpoint.secret, served.token)
    assert said == {"proofs": [prove(token, nonce, served.endpoint.port) for token in tokens]}
