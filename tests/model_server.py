"""A small HTTP server that speaks as llama-server, vLLM, Ollama, LM Studio or a stranger does, in the shapes of their
documentation. What it says is set beforehand; what it was asked is kept."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

from vaultrag.runtime.remote.protocol import ServerKind

Json: TypeAlias = dict[str, Any]

CHARACTERS_PER_TOKEN = 3  # of its tokenizer


@dataclass(slots=True)
class Script:
    """How the server behaves. `deltas` are streamed one an event; a chat that is not streamed gives one of `replies`.

    A chat whose request holds the field `refuses` gets a 400.
    """

    kind: ServerKind = ServerKind.LLAMA
    models: tuple[str, ...] = ("qwen3-32b",)
    context: int = 8192
    loaded: bool = True
    cloud: bool = False
    deltas: list[Json] = field(default_factory=list)
    second: list[Json] | None = None
    finish: str = "stop"
    tail: bytes = b"data: [DONE]\n\n"
    replies: list[Json] = field(default_factory=list)
    status: int = 200
    refusal: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    key: str = ""
    waits: threading.Event = field(default_factory=threading.Event)
    holds_head: bool = False
    holds_body: bool = False
    holds_end: bool = False
    holds_aside: bool = False
    refuses: str = ""
    asked: list[tuple[str, Json]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    def bodies(self, path: str) -> list[Json]:
        return [body for asked, body in self.asked if asked == path]


@contextmanager
def model_server(script: Script, certificate: Path | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve on loopback; yield the address. With a certificate (and its key in the same file) it speaks https."""
    handler = type("Handler", (_Handler,), {"script": script})
    with _Server((host, 0), handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}"
        finally:
            script.waits.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep the tests' output clean: clients leave, and some do not trust the certificate."""


class _Handler(BaseHTTPRequestHandler):
    script: Script
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the tests' output clean."""

    def _answer(self, body: Json) -> None:
        script = self.script
        script.asked.append((self.path, body))
        script.keys.append(self.headers.get("Authorization", ""))
        if script.key and self.headers.get("Authorization") != f"Bearer {script.key}":
            self._send(401, b'{"error": {"type": "authentication_error"}}')
        elif self.path == "/v1/chat/completions":
            self._chat(body)
        elif script.holds_aside:
            self._hold()
        else:
            aside = self._aside(body)
            self._send(200 if aside is not None else 404, json.dumps(aside or {}).encode())

    def _aside(self, body: Json) -> Json | None:
        """What each program says beside the chat, None where it has no such path."""
        script, path = self.script, self.path.partition("?")[0]
        match script.kind, path:
            case _, "/v1/models":
                return {"object": "list", "data": [self._model(name) for name in script.models]}
            case ServerKind.LLAMA, "/props":
                return {"default_generation_settings": {"n_ctx": script.context}, "total_slots": 1}
            case ServerKind.LLAMA, "/tokenize":
                return {"tokens": list(range(len(body["content"]) // CHARACTERS_PER_TOKEN))}
            case ServerKind.VLLM, "/tokenize":
                tokens = list(range(len(body["prompt"]) // CHARACTERS_PER_TOKEN))
                return {"count": len(tokens), "max_model_len": script.context, "tokens": tokens}
            case ServerKind.OLLAMA, "/api/version":
                return {"version": "0.13.0"}
            case ServerKind.OLLAMA, "/api/tags":
                far = {"remote_model": "gpt-oss:120b", "remote_host": "https://ollama.com:443"} if script.cloud else {}
                return {"models": [{"name": name, "model": name, **far} for name in script.models]}
            case ServerKind.OLLAMA, "/api/ps":
                loaded = script.models if script.loaded else ()
                return {"models": [{"name": name, "context_length": script.context} for name in loaded]}
            case ServerKind.LM_STUDIO, "/api/v0/models":
                models = [{"id": name, "loaded_context_length": script.context} for name in script.models]
                return {"object": "list", "data": models}
        return None

    def _model(self, name: str) -> Json:
        match self.script.kind:
            case ServerKind.LLAMA:
                return {"id": name, "object": "model", "owned_by": "llamacpp", "meta": {"n_ctx_train": 40960}}
            case ServerKind.VLLM:
                return {"id": name, "object": "model", "owned_by": "vllm", "max_model_len": self.script.context}
            case ServerKind.OLLAMA:
                return {"id": name, "object": "model", "owned_by": "library"}
        return {"id": name, "object": "model", "owned_by": "organization_owner"}

    def _chat(self, body: Json) -> None:
        script = self.script
        if script.holds_head:
            self._hold()
        if script.status != 200:
            self._send(script.status, script.refusal)
        elif script.refuses and script.refuses in body:
            self._send(400, b'{"error": {"message": "no such field"}}')
        elif body.get("stream"):
            self._stream()
        else:
            self._send(200, json.dumps(script.replies.pop(0)).encode())

    def _stream(self) -> None:
        script = self.script
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        again = len(script.bodies("/v1/chat/completions")) > 1 and script.second is not None
        try:
            for delta in (script.second or []) if again else script.deltas:
                self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            if script.holds_body:
                self._hold()
            if script.finish:
                self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": script.finish}]})
                self._event(USAGE)
            self.wfile.write(script.tail)
            self.wfile.flush()
            if script.holds_end:
                self._hold()
        except OSError:
            script.left.set()

    def _event(self, body: Json) -> None:
        self.wfile.write(b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n")
        self.wfile.flush()

    def _hold(self) -> None:
        """Wait until the test goes on or the client has left."""
        self.connection.settimeout(0.05)
        while not self.script.waits.is_set():
            try:
                if self.connection.recv(1) == b"":
                    self.script.left.set()
                    raise ConnectionAbortedError
            except TimeoutError:
                continue

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in self.script.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


USAGE: Json = {
    "choices": [],
    "usage": {
        "prompt_tokens": 44,
        "completion_tokens": 7,
        "total_tokens": 51,
        "prompt_tokens_details": {"cached_tokens": 40},
    },
    "timings": {"cache_n": 40, "prompt_n": 4, "prompt_ms": 30.0, "predicted_n": 7, "predicted_ms": 140.0},
}


def text(*pieces: str) -> list[Json]:
    """Return the deltas of a plain answer."""
    return [{"role": "assistant", "content": None}, *({"content": piece} for piece in pieces)]


def thought(*pieces: str) -> list[Json]:
    """Return the deltas of a thought, as llama-server and vLLM name it."""
    return [{"reasoning_content": piece} for piece in pieces]


def first_token_reply(**likeliest: float) -> Json:
    """Return an answer with the logarithms of its first token."""
    listed = [{"token": token, "logprob": logprob, "bytes": []} for token, logprob in likeliest.items()]
    content = [{"token": "x", "logprob": -0.1, "top_logprobs": listed}]
    return {"choices": [{"message": {"content": "x"}, "logprobs": {"content": content}}], "usage": USAGE["usage"]}


def said_reply(content: str) -> Json:
    """Return an answer without probabilities."""
    return {"choices": [{"message": {"content": content}, "logprobs": None}], "usage": USAGE["usage"]}
