"""Models of other servers: a real server on loopback in the shapes of the four programs, and its every refusal."""

from __future__ import annotations

import json
import math
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server import Json, Script, first_token_reply, model_server, said_reply, text, thought
from tests.runtime.remote.asking import CHAT, OPTIONS, QUESTION, ask, remote
from vaultrag.config import Config, Settings
from vaultrag.domain import THINK_FREELY, Message, Piece, Purity, Role, Sampling
from vaultrag.errors import ConfigError, GenerationFailed, RemoteFailed, VaultragError
from vaultrag.runtime.pool import ModelPool
from vaultrag.runtime.remote.protocol import ServerKind


@pytest.mark.parametrize("kind", ServerKind)
def test_an_answer_of_each_program_comes_in_pieces_with_its_figures(kind: ServerKind) -> None:
    script = Script(kind, deltas=text("В синей ", "банке 🔑", "."))
    with model_server(script) as url:
        texts, thoughts, figures = ask(remote(url))
    assert (texts, thoughts) == (["В синей ", "банке 🔑", "."], [])
    assert (figures.finish, figures.prompt_tokens, figures.cached_tokens) == ("stop", 44, 40)
    assert (figures.completion_tokens, figures.prefill_seconds, figures.decode_seconds) == (7, 0.03, 0.14)


@pytest.mark.parametrize(
    ("kind", "context"),
    [
        (ServerKind.LLAMA, 8192),
        (ServerKind.VLLM, 8192),
        (ServerKind.OLLAMA, 8192),
        (ServerKind.LM_STUDIO, 8192),
        (ServerKind.OTHER, 4096),
    ],
)
def test_the_context_is_what_each_program_says(kind: ServerKind, context: int) -> None:
    with model_server(Script(kind)) as url:
        assert remote(url).context_length == context
        assert remote(url, context=1000).context_length == 1000


def test_the_context_is_asked_again_once_the_model_is_loaded() -> None:
    script = Script(ServerKind.OLLAMA, loaded=False, deltas=text("да"))
    with model_server(script) as url:
        model = remote(url)
        assert model.context_length == 4096
        script.loaded = True
        ask(model)
        assert model.context_length == 8192


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_the_address_may_end_as_people_write_it(suffix: str) -> None:
    with model_server(Script(deltas=text("да"))) as url:
        assert ask(remote(url + suffix))[0] == ["да"]


def test_nothing_is_sent_before_the_first_use() -> None:
    script = Script()
    with model_server(script) as url:
        model = remote(url)
        assert model.name == "remote"
        assert script.asked == []


def test_what_is_sent_follows_the_sampling_and_the_program() -> None:
    sampling = Sampling(max_tokens=50, temperature=0.7, top_k=20, seed=3, stop=("\n\n",), schema='{"type": "object"}')
    sent: dict[ServerKind, Json] = {}
    for kind in ServerKind:
        script = Script(kind, deltas=text("{}"))
        with model_server(script) as url:
            ask(remote(url), sampling)
        (sent[kind],) = script.bodies(CHAT)
    for body in sent.values():
        assert (body["model"], body["temperature"], body["seed"], body["stop"]) == ("qwen3-32b", 0.7, 3, ["\n\n"])
        assert body["messages"] == [{"role": m.role, "content": m.content} for m in QUESTION]
        assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
        assert 50 <= body["max_tokens"] < 8192
    assert sent[ServerKind.LLAMA]["chat_template_kwargs"] == {"enable_thinking": False}
    assert sent[ServerKind.VLLM]["top_k"] == sent[ServerKind.LLAMA]["top_k"] == 20
    assert sent[ServerKind.OLLAMA]["reasoning_effort"] == "none"
    assert not {"top_k", "chat_template_kwargs", "reasoning_effort"} & sent[ServerKind.OTHER].keys()


@pytest.mark.parametrize(
    "deltas",
    [
        [*thought("Надо ", "подумать"), *text("Ответ")],
        [{"reasoning": "Надо "}, {"reasoning": "подумать"}, *text("Ответ")],
        text("<thi", "nk>\nНадо ", "подумать</", "think>\n\n", "Ответ"),
    ],
)
def test_thought_and_answer_are_apart_however_the_server_sends_them(deltas: list[Json]) -> None:
    with model_server(Script(deltas=deltas)) as url:
        texts, thoughts, figures = ask(remote(url), Sampling(max_tokens=50, thinking_tokens=THINK_FREELY))
    assert ("".join(thoughts).strip(), "".join(texts)) == ("Надо подумать", "Ответ")
    assert figures.thought_tokens >= 2


def test_past_its_budget_the_thought_is_closed_and_the_answer_asked_for() -> None:
    script = Script(deltas=thought(*["слово "] * 30), second=text("Короткий ответ"), holds_body=True)
    with model_server(script) as url:
        script.waits.set()
        texts, thoughts, _ = ask(remote(url), Sampling(max_tokens=50, thinking_tokens=10))
    assert (len(thoughts), texts) == (10, ["Короткий ответ"])
    switches = [body["chat_template_kwargs"]["enable_thinking"] for body in script.bodies(CHAT)]
    assert switches == [True, False]


def test_a_thought_that_nothing_marks_is_an_error_with_the_way_out() -> None:
    with (
        model_server(Script(deltas=text("Надо подумать", "</think>", "Ответ"))) as url,
        pytest.raises(RemoteFailed, match="unmarked") as raised,
    ):
        ask(remote(url))
    assert "reasoning parser" in raised.value.remedy


def test_a_thought_that_leaves_no_room_is_not_an_empty_answer() -> None:
    script = Script(deltas=thought("долго ", "думал"), finish="length")
    with model_server(script) as url, pytest.raises(GenerationFailed, match="thought for 2 tokens"):
        ask(remote(url))


def test_an_answer_ends_at_its_length_and_the_server_is_let_go() -> None:
    script = Script(deltas=text(*["да "] * 100), finish="", holds_body=True)
    with model_server(script) as url:
        texts, _, figures = ask(remote(url), Sampling(max_tokens=10))
        assert script.left.wait(10)
    assert (len(texts), figures.finish) == (10, "length")


def test_no_chinese_character_comes_out_where_none_is_wanted() -> None:
    with model_server(Script(deltas=text("Ключи 在 сарае", "。ok"))) as url:
        assert ask(remote(url), Sampling(max_tokens=50, purity=Purity.NO_CJK))[0] == ["Ключи  сарае", "ok"]
        assert ask(remote(url))[0] == ["Ключи 在 сарае", "。ok"]


@pytest.mark.parametrize("holds", ["holds_head", "holds_body"])
def test_closing_the_answer_ends_the_connection_while_the_server_is_silent(holds: str) -> None:
    script = Script(deltas=text("да"), **{holds: True})  # type: ignore[arg-type]
    with model_server(script) as url:
        answer = remote(url).generate(QUESTION, Sampling())
        assert next(answer) in ("", "да")
        if holds == "holds_body":
            while next(answer) != "":
                pass
        answer.close()
        assert script.left.wait(10)


@pytest.mark.parametrize("kind", [ServerKind.LLAMA, ServerKind.VLLM])
def test_tokens_are_counted_by_the_server(kind: ServerKind) -> None:
    with model_server(Script(kind)) as url:
        assert remote(url).count_tokens(["шесть букв??", "", "\ud800bc"]) == [4, 0, 1]


def test_tokens_are_estimated_where_no_server_counts_them() -> None:
    with model_server(Script(ServerKind.OLLAMA)) as url:
        english, russian = remote(url).count_tokens(["where is the key of the shed " * 10, "где ключ от сарая " * 10])
    assert 60 < english < 120
    assert 60 < russian < 120


@pytest.mark.parametrize(
    ("likeliest", "expected"),
    [
        ({"да": math.log(0.7), "нет": math.log(0.2), "не": math.log(0.05)}, (0.7, 0.25)),
        ({" Да": math.log(0.9), "Но": math.log(0.06)}, (0.9, 0.04)),
        ({"д": math.log(0.8), "н": math.log(0.1)}, (0.8, 0.1)),
    ],
)
def test_options_are_scored_by_the_first_tokens(likeliest: dict[str, float], expected: tuple[float, float]) -> None:
    script = Script(replies=[first_token_reply(**likeliest)])
    with model_server(script) as url:
        scores = remote(url).score(QUESTION, OPTIONS)
    assert scores.calibrated
    assert [math.exp(logprob) for logprob in scores.logprobs] == pytest.approx(expected)
    assert (scores.best, scores.prompt_tokens, scores.cached_tokens) == ("да", 44, 40)
    (body,) = script.bodies(CHAT)
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 20)


@pytest.mark.parametrize(
    "first",
    [
        said_reply("ну"),  # no probabilities at all
        first_token_reply(Я=math.log(0.99), да=math.log(0.001)),  # it was about to say something else
        first_token_reply(н=math.log(0.9), да=math.log(0.1)),  # «нет» and «не знаю» begin alike
    ],
)
def test_where_first_tokens_do_not_tell_one_option_is_forced(first: Json) -> None:
    script = Script(replies=[first, said_reply('"не знаю"')])
    options = ("да", "нет", "не знаю")
    with model_server(script) as url:
        scores = remote(url).score(QUESTION, options)
    assert not scores.calibrated
    assert scores.best == "не знаю"
    assert sum(map(math.exp, scores.logprobs)) == pytest.approx(1.0)
    assert script.bodies(CHAT)[1]["response_format"]["json_schema"]["schema"]["enum"] == list(options)


@pytest.mark.parametrize("said", ['"нет"', "Нет.", " нет, это не так", '"Нет"'])
def test_a_stranger_is_asked_without_a_schema_and_understood(said: str) -> None:
    script = Script(ServerKind.OTHER, replies=[said_reply("x"), said_reply(said)])
    with model_server(script) as url:
        scores = remote(url).score(QUESTION, OPTIONS)
    assert (scores.best, scores.calibrated) == ("нет", False)
    assert all("response_format" not in body for body in script.bodies(CHAT))


def test_each_conversation_is_scored() -> None:
    replies = [first_token_reply(да=-0.1, нет=-3.0), first_token_reply(да=-3.0, нет=-0.1)]
    with model_server(Script(replies=replies)) as url:
        scores = remote(url).score_each([QUESTION, QUESTION], OPTIONS)
    assert [score.best for score in scores] == ["да", "нет"]


def test_an_option_that_the_server_invents_is_an_error() -> None:
    with (
        model_server(Script(replies=[said_reply("x"), said_reply('"нетто"')])) as url,
        pytest.raises(GenerationFailed, match="none of the 2 options"),
    ):
        remote(url).score(QUESTION, OPTIONS)


def test_the_key_comes_from_the_environment_and_is_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(deltas=text("да"), key="secret-123")
    with model_server(script) as url:
        model = remote(url, api_key_env="MY_MODEL_KEY")
        with pytest.raises(ConfigError, match="MY_MODEL_KEY"):
            ask(model)
        monkeypatch.setenv("MY_MODEL_KEY", "wrong-key")
        with pytest.raises(RemoteFailed, match="another key") as raised:
            ask(model)
        assert "wrong-key" not in raised.value.message + raised.value.remedy
        monkeypatch.setenv("MY_MODEL_KEY", "secret-123")
        assert ask(model)[0] == ["да"]


@pytest.mark.parametrize(
    ("status", "refusal", "words"),
    [
        (401, b"{}", "another key"),
        (404, b"{}", "no such model or path"),
        (503, b'{"error": {"message": "Loading model"}}', "loading"),
        (500, b"<html>", "status 500"),
        (302, b"", "points elsewhere"),
    ],
)
def test_each_refusal_is_one_sentence_without_the_servers_words(status: int, refusal: bytes, words: str) -> None:
    script = Script(status=status, refusal=refusal or b"", headers={"Location": "http://127.0.0.1:1/x"})
    with model_server(script) as url, pytest.raises(RemoteFailed, match=words) as raised:
        ask(remote(url))
    assert raised.value.remedy
    assert refusal.decode() not in raised.value.message or not refusal
    assert len(script.bodies(CHAT)) == 1  # asked once, and nowhere else


@pytest.mark.parametrize(
    "refusal",
    [
        b'{"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192}}',
        b'{"object": "error", "message": "This model\'s maximum context length is 4096 tokens. However, you..."}',
    ],
)
def test_a_prompt_that_is_too_long_is_told_from_other_refusals(refusal: bytes) -> None:
    with (
        model_server(Script(status=400, refusal=refusal)) as url,
        pytest.raises(GenerationFailed, match="longer than the context") as raised,
    ):
        ask(remote(url))
    assert "remote.context" in raised.value.remedy


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"data: {broken\n\n", "not JSON"),
        (b"data: [1]\n\n", "no object"),
        (b'data: {"error": {"message": "out of memory"}}\n\n', "an error in the middle"),
        (b'data: {"hello": 1}\n\n', "no part of an answer"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "not JSON"),
        (b"", "ended in the middle"),
    ],
)
def test_a_broken_stream_is_one_clear_error(tail: bytes, words: str) -> None:
    with (
        model_server(Script(deltas=text("да"), finish="", tail=tail)) as url,
        pytest.raises(RemoteFailed, match=words),
    ):
        ask(remote(url))


def test_an_event_without_end_is_given_up() -> None:
    with (
        model_server(Script(finish="", tail=b"data: " + b"x" * 3_000_000)) as url,
        pytest.raises(RemoteFailed, match="an event without end"),
    ):
        ask(remote(url))


def test_events_are_read_in_all_the_spellings_of_the_standard() -> None:
    odd = b': ping\r\ndata:{"choices": [{"delta": {"content": "!"}, "finish_reason": "stop"}]}\r\n\r\nid: 3\n\n'
    with model_server(Script(deltas=text("да"), finish="", tail=odd)) as url:
        assert ask(remote(url))[0] == ["да", "!"]


def test_a_silent_server_is_given_up_after_the_time_of_the_settings() -> None:
    with model_server(Script(holds_body=True)) as url, pytest.raises(RemoteFailed, match=r"silent for 0\.3 s"):
        ask(remote(url, timeout=0.3))


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    model = remote(url)
    for use in (lambda: model.context_length, lambda: model.count_tokens(["a"]), lambda: ask(model)):
        with pytest.raises(RemoteFailed, match="No model server answers") as raised:
            use()
        assert url in raised.value.message
    with model_server(Script()) as other:
        assert remote(other).context_length == 8192


def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with model_server(Script(deltas=text("да"))) as url:
        assert ask(remote(url))[0] == ["да"]


@pytest.mark.parametrize(
    ("models", "named", "error", "words"),
    [
        (("a", "b"), "", ConfigError, "2 models, and none is named"),
        (("a", "b"), "c", RemoteFailed, "no model `c`"),
        ((), "", RemoteFailed, "has no model"),
        (("gpt-oss:120b-cloud",), "", ConfigError, "somebody else's machines"),
    ],
)
def test_the_model_has_to_be_clear(models: tuple[str, ...], named: str, error: type[VaultragError], words: str) -> None:
    with model_server(Script(ServerKind.OLLAMA, models=models)) as url, pytest.raises(error, match=words) as raised:
        _ = remote(url, model=named).context_length
    assert not models[1:] or "a, b" in raised.value.remedy


def test_a_name_without_its_tag_is_understood_as_ollama_does() -> None:
    with model_server(Script(ServerKind.OLLAMA, models=("qwen3:latest", "gemma3:27b"), deltas=text("да"))) as url:
        assert ask(remote(url, model="qwen3"))[0] == ["да"]


def test_llama_server_calls_its_one_model_as_it_likes() -> None:
    script = Script(models=("/models/Qwen3-32B-Q4_K_M.gguf",), deltas=text("да"))
    with model_server(script) as url:
        ask(remote(url, model="qwen3-32b"))
    assert script.bodies(CHAT)[0]["model"] == "/models/Qwen3-32B-Q4_K_M.gguf"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no server is named"),
        ("192.168.1.5:8080", "http"),
        ("ftp://192.168.1.5", "http"),
        ("http://", "http"),
        ("http://me:secret@192.168.1.5", "api_key_env"),
        ("http://192.168.1.5/?key=1", "api_key_env"),
        ("http://[::1", "cannot be used"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_once(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        remote(url)
    assert "secret" not in raised.value.message


@pytest.mark.parametrize("host", ["8.8.8.8", "[2001:4860:4860::8888]", "172.32.0.1", "[::ffff:8.8.8.8]"])
def test_notes_are_never_sent_unencrypted_beyond_private_networks(host: str) -> None:
    with pytest.raises(ConfigError, match="unencrypted") as raised:
        _ = remote(f"http://{host}:8080").context_length
    assert "https://" in raised.value.remedy


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(RemoteFailed, match=r"nowhere\.invalid"):
        _ = remote("http://nowhere.invalid:8080").context_length


def test_a_cloud_model_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigError, match="somebody else's machines"):
        remote("http://127.0.0.1:11434", model="qwen3-coder:480b-cloud")


@pytest.fixture
def models(tmp_path: Path) -> Iterator[ModelPool]:
    script = Script(deltas=text("да"), models=("qwen3-32b", "gemma3"))
    with model_server(script) as url:
        roles = {"answer": "remote", "judge": "remote:gemma3", "final": "remote:gemma3"}
        settings = Settings.model_validate({"roles": roles, "remote": {"url": url, "model": "qwen3-32b"}})
        yield ModelPool.of(Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path, settings=settings))


def test_roles_that_name_the_server_are_answered_by_it(models: ModelPool) -> None:
    assert models.chat(Role.ANSWER).name == "remote:qwen3-32b"
    assert models.chat(Role.JUDGE).name == "remote:gemma3"
    assert models.chat(Role.JUDGE) is models.chat(Role.FINAL)
    assert models.prompt_budget() == 8192
    models.close()


@pytest.mark.parametrize("role", ["embed", "draft", "rerank"])
def test_only_models_that_write_may_lie_elsewhere(tmp_path: Path, role: str) -> None:
    settings = Settings.model_validate({"roles": {role: "remote"}})
    models = ModelPool.of(Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path, settings=settings))
    with pytest.raises(ConfigError, match=f"role {role}"):
        models.chat(Role.ANSWER)


def test_many_answers_at_once_do_not_mix(models: ModelPool) -> None:
    model, found = models.chat(Role.ANSWER), list[list[Piece]]()
    threads = [
        threading.Thread(target=lambda: found.append(list(model.generate(QUESTION, Sampling(max_tokens=5)))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all([piece for piece in pieces if isinstance(piece, str) and piece] == ["да"] for pieces in found)


def test_what_is_sent_is_json_whatever_the_notes_hold() -> None:
    script = Script(deltas=text("да"))
    with model_server(script) as url:
        list(remote(url).generate([Message("user", '\ud800 "кавычки" \x00 </s>')], Sampling(max_tokens=5)))
    assert json.dumps(script.bodies(CHAT)[0]["messages"], ensure_ascii=False) == (
        '[{"role": "user", "content": "? \\"кавычки\\" \\u0000 </s>"}]'
    )
