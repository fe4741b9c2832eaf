"""The server as a client meets it: a real socket, a real index, deterministic models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.served import NOTES, GatedModel, Served, serving
from vaultrag.api.guard import OPEN_PATHS
from vaultrag.cli.client import parse_sse
from vaultrag.errors import VaultError
from vaultrag.store.endpoint import PROOF_PATH

PASSAGE_KEYS = {"path", "heading", "lines", "columns", "block", "text", "score", "trace"}
ANSWER_KEYS = {"status", "text", "sentences", "citations", "passages", "model", "timings", "tokens"}
CITATION_KEYS = {"number", "path", "heading", "block", "lines", "columns", "quote", "verified"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.mark.slow
def test_health_needs_no_token_and_names_nothing(served: Served) -> None:
    response = httpx.get(f"{served.endpoint.url}/healthz", trust_env=False)
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["pending"] == 0
    assert str(served.config.vault) not in response.text
    assert "server" not in response.headers


def test_every_route_but_health_needs_the_token(served: Served) -> None:
    app = served.server.config.app.app  # type: ignore[union-attr]  # the app behind the guard
    routes = [
        (method, route.path) for route in app.routes if isinstance(route, APIRoute) for method in route.methods or ()
    ]
    assert len(routes) == len(app.routes) >= 7, "a route that is not one of ours, as /docs"
    for method, path in routes:
        query = {"nonce": "0" * 64} if path == PROOF_PATH else {}
        response = httpx.request(method, served.endpoint.url + path, params=query, trust_env=False)
        assert (response.status_code == 200) == (path in OPEN_PATHS), path
        if path not in OPEN_PATHS:
            assert response.status_code == 401
            assert response.json()["error"] == "TokenUnreadable"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/", "/search/", "/../token", "//search"])
def test_there_is_nothing_else(served: Served, path: str) -> None:
    with served.http() as http:
        response = http.get(path)
    assert response.status_code in {404, 405, 307}
    assert NOTES["Люди/Тата.md"] not in response.text


def test_an_unknown_route_names_those_there_are(served: Served) -> None:
    with served.http() as http:
        told = http.post("/forgot").json()
    assert told["error"] == "UsageError"
    assert {"GET /healthz", "POST /ask", "POST /forget/undo"} <= set(re.split(r", | are |\.$", told["remedy"]))


def test_search_answers_with_exact_places(served: Served) -> None:
    with served.http() as http:
        found = http.post("/search", json={"query": "картриджи бойлера", "k": 2}).json()
    first = found["passages"][0]
    assert set(first) >= PASSAGE_KEYS
    assert first["path"] == "Дом/Бойлер.md"
    lines = NOTES["Дом/Бойлер.md"].split("\n")
    assert first["text"].split("\n")[0] == lines[first["lines"][0] - 1][first["columns"][0] - 1 :]
    assert {share["lane"] for share in first["trace"]} >= {"keyword", "vector"}


def test_search_by_words_leaves_the_models_alone(served: Served) -> None:
    with served.http() as http:
        found = http.post("/search", json={"query": "restic", "reach": "words"}).json()
    assert "vector" not in found["lanes"]
    assert found["passages"][0]["path"] == "Servers/mayak.md"


def test_ask_streams_passages_text_sentences_and_the_answer(served: Served) -> None:
    events = served.events("/ask", {"question": "Когда поменяли картридж в бойлере?"})
    names = [name for name, _ in events]
    assert names[:2] == ["quotes", "passages"]
    assert names[-1] == "answer"
    assert set(names) == {"quotes", "passages", "text", "sentence", "answer"}
    sentence = next(data for name, data in events if name == "sentence")
    assert set(sentence) >= {"number", "state", "citations", "text"}
    answer = events[-1][1]
    assert set(answer) >= ANSWER_KEYS
    assert answer["status"] == "partly"
    citation = answer["citations"][0]  # type: ignore[index]
    assert set(citation) >= CITATION_KEYS
    assert citation["quote"] in NOTES["Дом/Бойлер.md"]
    assert citation["lines"] == [3, 3]


def test_question_about_nothing_is_not_in_the_vault(served: Served) -> None:
    name, answer = served.events("/ask", {"question": "Which zebra won the chess olympiad?"})[-1]
    assert (name, answer["status"]) == ("answer", "not_in_vault")


def test_index_streams_progress_and_reports_a_new_note(served: Served) -> None:
    (served.config.vault / "Новое.md").write_text("Свежая заметка про велосипед.\n", encoding="utf-8")
    events = served.events("/index", {})
    assert events[-1][0] == "report"
    assert events[-1][1]["added"] == 1
    with served.http() as http:
        found = http.post("/search", json={"query": "велосипед"}).json()
    assert found["passages"][0]["path"] == "Новое.md"


def test_status_and_check_answer(served: Served) -> None:
    with served.http() as http:
        status = http.get("/status").json()
        findings = http.get("/check").json()["findings"]
    assert status["notes"] >= len(NOTES)
    assert status["server"]["url"] == served.endpoint.url
    assert [finding for finding in findings if finding["severity"] == "error"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"query": ""}',
        b'{"query": 5}',
        b'{"query": "x", "k": 0}',
        b'{"query": "x", "k": true}',
        b'{"query": "x", "k": "5"}',
        b'{"query": "x", "other": 1}',
        b'{"query": "x", "reach": "all"}',
        b'{"query": "\\ud800"}',
        b'{"query": "' + b"x" * 5000 + b'"}',
        b"[" * 200_000,
        b"\xff" * 1000,
    ],
)
def test_bad_requests_are_explained_without_echo(served: Served, body: bytes) -> None:
    with served.http() as http:
        response = http.post("/search", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert set(response.json()) == {"error", "message", "remedy"}
    assert len(response.content) < 1000


def test_large_body_is_refused(served: Served) -> None:
    with served.http() as http:
        response = http.post("/search", json={"query": "x" * 1_100_000})
    assert response.status_code == 413


def test_page_with_a_rebound_name_gets_nothing(served: Served) -> None:
    with served.http(Host=f"evil.com:{served.endpoint.port}") as http:
        assert http.get("/healthz").status_code == 403
    with served.http(Origin="http://evil.com") as http:
        assert http.post("/search", json={"query": "кот"}).status_code == 403


@pytest.mark.slow
def test_error_of_the_workspace_has_its_status_and_remedy(served: Served) -> None:
    moved = served.config.vault.rename(served.config.vault.with_name("away"))
    try:
        name, fault = served.events("/index", {})[-1]
    finally:
        moved.rename(served.config.vault)
    assert name == "error"
    assert fault["error"] == VaultError.__name__
    assert fault["remedy"]


@pytest.mark.slow
def test_slow_answer_blocks_neither_health_nor_search_and_ends_with_its_client(tmp_path: Path) -> None:
    model = GatedModel()
    with serving(tmp_path, model) as running, running.http() as http:
        with http.stream("POST", "/ask", json={"question": "Когда поменяли картридж в бойлере?"}) as response:
            events = parse_sse(response.iter_bytes())
            assert [next(events)[0] for _ in range(3)] == ["quotes", "passages", "text"]
            with running.http() as other:
                assert other.get("/healthz").status_code == 200
                assert other.post("/search", json={"query": "кот"}).status_code == 200
            assert not model.left.is_set()
        assert model.left.wait(10), "the model goes on for nobody"


@pytest.mark.slow
def test_stopping_server_tells_its_streams(tmp_path: Path) -> None:
    with serving(tmp_path, GatedModel()) as running, running.http() as http:
        with http.stream("POST", "/ask", json={"question": "Когда поменяли картридж в бойлере?"}) as response:
            events = parse_sse(response.iter_bytes())
            assert [next(events)[0], next(events)[0]] == ["quotes", "passages"]
            with running.http() as other:
                assert other.post("/shutdown").json() == {"stopping": True}
            last = [(name, json.loads(data)) for name, data in events][-1]
        assert last[0] == "error"
        assert last[1]["message"] == "The server is stopping."
        running.thread.join(10)
        assert not running.thread.is_alive()


@pytest.mark.slow
def test_idle_server_ends_by_itself(tmp_path: Path) -> None:
    with serving(tmp_path, idle_seconds=0.3) as running:
        running.thread.join(10)
        assert not running.thread.is_alive()


@pytest.mark.slow
def test_deep_check_streams_progress_and_findings(served: Served) -> None:
    new = served.config.vault / "Ещё не прочитана.md"
    new.write_text("Тата переехала.\n", encoding="utf-8")
    events = served.events("/check", {})
    new.unlink()
    assert events[0][0] == "progress"
    name, body = events[-1]
    assert name == "findings"
    findings = body["findings"]
    assert isinstance(findings, list)
    assert {finding["invariant"] for finding in findings} == {"notes-current"}
