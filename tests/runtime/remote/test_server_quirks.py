"""What real model servers do beside their documentation: endings, refusals, half marks, odd figures, TLS."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.model_server import Script, first_token_reply, model_server, said_reply, text, thought
from tests.runtime.remote.asking import CHAT, OPTIONS, QUESTION, ask, remote
from vaultrag.errors import ConfigError, GenerationFailed, RemoteFailed
from vaultrag.runtime.remote.protocol import ServerKind

TOO_LONG = {
    "llama-server": b'{"error": {"code": 400, "type": "exceed_context_size_error", "n_ctx": 8192}}',
    "vLLM": b'{"error": {"message": "This model\'s maximum context length is 4096 tokens. However, you requested"}}',
    "vLLM, prompt": b'{"error": {"message": "The decoder prompt (length 9) is longer than the maximum model length"}}',
    "vLLM, newer": b'{"error": {"message": "However, the model\'s context length is only 4096 tokens, resulting in"}}',
    "LM Studio": b'{"error": {"message": "Trying to keep the first 9 tokens when context the overflows. However, the'
    b' model is loaded with context length of only 4096 tokens, which is not enough."}}',
    "Ollama": b'{"error": {"message": "the input length exceeds the context length"}}',
    "OpenAI": b'{"error": {"message": "too long", "code": "context_length_exceeded"}}',
}


@pytest.mark.parametrize("refusal", TOO_LONG.values(), ids=TOO_LONG)
@pytest.mark.parametrize("status", [400, 200])
def test_a_prompt_that_is_too_long_is_understood_in_each_servers_words(refusal: bytes, status: int) -> None:
    script = Script(status=status, refusal=refusal, finish="", tail=b"event: error\ndata: " + refusal + b"\n\n")
    with model_server(script) as url, pytest.raises(GenerationFailed, match="longer than the context") as raised:
        ask(remote(url))
    assert "remote.context" in raised.value.remedy


def test_an_answer_is_whole_at_its_mark_though_the_connection_stays_open() -> None:
    with model_server(Script(deltas=text("да"), holds_end=True)) as url:
        texts, _, figures = ask(remote(url, timeout=2.0))
    assert (texts, figures.finish, figures.prompt_tokens) == (["да"], "stop", 44)


@pytest.mark.parametrize("finish", ["error", "abort"])
def test_an_answer_that_the_server_gave_up_is_no_answer(finish: str) -> None:
    with (
        model_server(Script(deltas=text("Ключи лежат"), finish=finish)) as url,
        pytest.raises(RemoteFailed, match="in the middle of its answer"),
    ):
        ask(remote(url))


def test_an_empty_field_for_errors_is_none() -> None:
    odd = b'data: {"error": null, "choices": [{"delta": {"content": "!"}, "finish_reason": "stop"}]}\n\n'
    with model_server(Script(deltas=text("да"), finish="", tail=odd)) as url:
        assert ask(remote(url))[0] == ["да", "!"]


@pytest.mark.parametrize("pieces", [("Думаю. </th", "ink>", "да"), ("Думаю.", " <", "/", "think", ">\n\nда")])
def test_a_thought_whose_closing_mark_comes_in_pieces_is_seen(pieces: tuple[str, ...]) -> None:
    with model_server(Script(deltas=text(*pieces))) as url, pytest.raises(RemoteFailed, match="unmarked"):
        ask(remote(url))


def test_what_only_looks_like_a_mark_is_text() -> None:
    with model_server(Script(deltas=text("a <", "/th", "ings> <", "think> b </think> c <"))) as url:
        assert "".join(ask(remote(url))[0]) == "a </things> <think> b </think> c <"


def test_who_has_asked_too_often_is_told_how_long_to_wait() -> None:
    for headers, words in (({"Retry-After": "17"}, "in 17 s"), ({"Retry-After": "Thu"}, "in a minute"), ({}, "minute")):
        script = Script(status=429, headers=headers)
        with model_server(script) as url, pytest.raises(RemoteFailed, match="too much to do") as raised:
            ask(remote(url))
        assert words in raised.value.remedy
        assert len(script.bodies(CHAT)) == 1
    script = Script(status=429, headers={"Retry-After": "9"})
    with model_server(script) as url, pytest.raises(RemoteFailed, match="too much to do") as raised:
        remote(url).score(QUESTION, OPTIONS)
    assert "in 9 s" in raised.value.remedy


@pytest.mark.parametrize("kind", [ServerKind.VLLM, ServerKind.OTHER])
def test_a_server_that_refuses_to_give_probabilities_is_asked_to_choose(kind: ServerKind) -> None:
    script = Script(kind, refuses="logprobs", replies=[said_reply('"нет"')])
    with model_server(script) as url:
        scores = remote(url).score(QUESTION, OPTIONS)
    assert (scores.best, scores.calibrated) == ("нет", False)


def test_probabilities_that_none_can_be_do_no_harm() -> None:
    with model_server(Script(replies=[first_token_reply(да=1000.0, нет=-3.0)])) as url:
        scores = remote(url).score(QUESTION, OPTIONS)
    assert scores.best == "да"
    assert all(logprob <= 0 for logprob in scores.logprobs)


def test_an_empty_thought_before_a_choice_is_no_part_of_it() -> None:
    replies = [said_reply("x"), said_reply("<think>\n\n</think>\n\nнет")]
    with model_server(Script(ServerKind.OTHER, replies=replies)) as url:
        assert remote(url).score(QUESTION, OPTIONS).best == "нет"


def test_a_server_that_says_nothing_of_itself_is_given_up_after_the_time_that_is_told() -> None:
    with model_server(Script(holds_aside=True)) as url, pytest.raises(RemoteFailed, match=r"silent for 0\.3 s"):
        _ = remote(url, timeout=0.3).context_length


def test_a_server_without_models_is_told_so() -> None:
    with model_server(Script(ServerKind.LM_STUDIO, models=())) as url, pytest.raises(RemoteFailed, match="no model"):
        _ = remote(url).context_length


@pytest.mark.parametrize("url", ["me:secret@192.168.1.5:8080", "ftp://me:secret@h", "http://me:secret@[::1"])
def test_a_key_in_the_address_is_never_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        remote(url)
    assert "secret" not in raised.value.message + raised.value.remedy


@pytest.mark.parametrize("key", ["a1b2c3d4e5f6", "sk_proj_4f9a8b"])
def test_a_key_in_place_of_its_variables_name_is_never_repeated(key: str) -> None:
    with model_server(Script()) as url, pytest.raises(ConfigError, match="api_key_env") as raised:
        _ = remote(url, api_key_env=key).context_length
    assert key not in raised.value.message + raised.value.remedy


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_the_address_that_a_server_listens_on_is_answered_with_the_one_it_has(host: str) -> None:
    with pytest.raises(ConfigError, match="listens") as raised:
        remote(f"http://{host}:8000")
    assert "127.0.0.1" in raised.value.remedy


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed but itself, with its key in one file."""
    path = tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=model"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(tmp_path / "public.pem")]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (tmp_path / "public.pem").read_bytes())
    return path


@contextmanager
def encrypted(script: Script, certificate: Path) -> Iterator[str]:
    with model_server(script, certificate) as url:
        yield url.replace("http://", "https://")


def test_a_certificate_that_this_machine_knows_is_trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(deltas=text("да"))
    with encrypted(script, certificate) as url:
        with pytest.raises(RemoteFailed, match="certificate"):
            _ = remote(url).context_length
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("public.pem")))
        assert ask(remote(url))[0] == ["да"]


def test_a_server_without_encryption_is_told_from_none_at_all() -> None:
    with model_server(Script()) as url, pytest.raises(RemoteFailed, match="does not speak https"):
        _ = remote(url.replace("http://", "https://")).context_length


def test_a_server_is_found_by_its_ipv6_address() -> None:
    script = Script(deltas=text("да"))
    with model_server(script, host="::1") as url:
        assert ask(remote(url))[0] == ["да"]
    assert "[::1]" in url


def test_thought_of_a_stranger_is_shown_as_thought() -> None:
    with model_server(Script(ServerKind.OTHER, deltas=[*thought("хм"), *text("да")])) as url:
        assert ask(remote(url))[:2] == (["да"], ["хм"])


def test_a_name_that_comes_to_mean_a_far_machine_gets_no_note(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(deltas=text("да"))
    with model_server(script) as url:
        model = remote(url.replace("127.0.0.1", "localhost"))
        assert ask(model)[0] == ["да"]
        sent = len(script.asked)
        far = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 0))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: far)
        for use in (lambda: ask(model), lambda: model.score(QUESTION, OPTIONS), lambda: model.count_tokens(["a"])):
            with pytest.raises(ConfigError, match="unencrypted"):
                use()
    assert len(script.asked) == sent


def test_a_cloud_model_under_another_name_is_refused() -> None:
    script = Script(ServerKind.OLLAMA, models=("mine:latest",), cloud=True, deltas=text("да"))
    with model_server(script) as url, pytest.raises(ConfigError, match="somebody else's machines"):
        ask(remote(url, model="mine"))
    assert script.bodies(CHAT) == []
