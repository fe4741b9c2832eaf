"""The client: event streams however they are cut, and servers that are not there, not ours, or lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.served import Served, serving
from vaultrag import wire
from vaultrag.cli.client import Client, find_server, parse_sse
from vaultrag.config import Config, Settings
from vaultrag.errors import ServerError, UsageError, VaultError
from vaultrag.store.endpoint import Endpoint, announce

STREAM = (
    b": the model is reading\n\n"
    b'event: text\ndata: {"text": "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xe2\x80\xa8 \xc2\x85"}\n\n'
    b"event: text\r\ndata: one\r\ndata:two\r\n\r\n"
    b"data: unnamed\r\r"
    b"event: empty\n\n"
    b"id: 5\nretry: 10\nevent:last\ndata:  kept space\n\n"
    b"event: unfinished\ndata: lost"
)
EVENTS = [
    ("text", '{"text": "привет \u2028 \u0085"}'),
    ("text", "one\ntwo"),
    ("message", "unnamed"),
    ("last", " kept space"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 10_000])
def test_events_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert list(parse_sse(chunks)) == EVENTS


@pytest.mark.slow
@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_at_any_cuts(cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(borders)]
    assert list(parse_sse(chunks)) == EVENTS


@given(st.text(), st.integers(1, 9))
def test_any_text_survives_the_stream(text: str, size: int) -> None:
    sent = wire.sse(wire.TextPiece.model_construct(text=text))
    ((name, data),) = parse_sse([sent[start : start + size] for start in range(0, len(sent), size)])
    received = wire.parse_event(name, data)
    assert isinstance(received, wire.TextPiece)
    assert received.text == text


@pytest.mark.slow
def test_running_server_is_found_and_answers(served: Served) -> None:
    client = find_server(served.config)
    assert client is not None
    assert client.search("restic", 3, "full").passages[0].path == "Servers/mayak.md"
    events = list(client.ask("Когда поменяли картридж в бойлере?"))
    assert isinstance(events[-1], wire.Answer)
    report = client.index("guard", lambda *_: None)
    assert report.notes == 3
    assert client.status().notes == 3
    client.close()


def test_no_server_is_no_server(tmp_path: Path) -> None:
    config = _config(tmp_path)
    assert find_server(config) is None
    announce_dead(config, port=1)
    assert find_server(config) is None


def test_error_of_the_server_keeps_its_kind(served: Served) -> None:
    client = find_server(served.config)
    assert client is not None
    with pytest.raises(UsageError):
        client.search("", 3, "full")
    client.close()


def test_stale_secret_is_not_sent(served: Served) -> None:
    client = Client(replace(served.endpoint, secret="x" * 43), served.config.home)
    with pytest.raises(ServerError, match="ended before it had answered"):
        client.status()
    client.close()


@pytest.mark.slow
def test_damaged_token_of_other_clients_keeps_no_command_out(served: Served) -> None:
    token = served.config.token_path.read_bytes()
    served.config.token_path.write_bytes(b"")
    try:
        client = find_server(served.config)
        assert client is not None
        assert client.status().notes == 3
        client.close()
    finally:
        served.config.token_path.write_bytes(token)


@pytest.mark.slow
def test_server_without_notes_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, notes={}) as running:
        client = find_server(running.config)
        assert client is not None
        with pytest.raises(VaultError):
            client.search("кот", 3, "full")
        with pytest.raises(VaultError):
            list(client.ask("Где кот?"))
        client.close()


@pytest.mark.slow
def test_lost_server_is_one_clear_sentence(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        client = find_server(running.config)
        assert client is not None
    with pytest.raises(ServerError, match="ended before it had answered"):
        client.search("кот", 3, "full")
    client.close()


def _config(folder: Path) -> Config:
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())


def announce_dead(config: Config, port: int) -> None:
    config.home.mkdir()
    config.token_path.write_text("t" * 43, encoding="ascii")
    announce(config.home, Endpoint(os.getpid(), "127.0.0.1", port, "0", "dead"))
