"""The connection to a model server: requests, its own facts, and its refusals as errors a person understands."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from vaultrag.config import RemoteSection
from vaultrag.domain import encodable
from vaultrag.errors import ConfigError, GenerationFailed, RemoteFailed
from vaultrag.runtime.remote.address import parse_address, require_nearby
from vaultrag.runtime.remote.exchange import RETRY_AFTER, Head, ServerExchange, TooLong
from vaultrag.runtime.remote.protocol import (
    Delta,
    EventReader,
    Json,
    ServerKind,
    UnreadableReply,
    is_about_context,
    read_delta,
    read_json,
)
from vaultrag.runtime.remote.refusals import FIELD_REFUSED, refused, translated

CONNECT_SECONDS = 5.0  # a machine in the same network answers in milliseconds
ASIDE_SECONDS = 30.0  # for small questions about the server; one that is loading a model may be slow to answer
MAX_BODY = 4_000_000  # bytes of a response that is not streamed
MAX_REFUSAL = 65_536  # bytes of an error that are read
NAMES_SHOWN = 12
CLOUD = ("-cloud", ":cloud")  # Ollama passes such models' prompts on to the internet
REMOTE_HOST = "remote_host"  # Ollama's field for where that is, whatever a model is called here
OK = 200
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server is, and what it says of the model: its name there, and the context, 0 where it says nothing."""

    kind: ServerKind
    model: str
    context: int


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    content: bytes
    retry_after: str


class RemoteServer:
    """One server and one of its models. Nothing is sent before the first use; nothing is tried twice.

    `timeout` in seconds bounds the wait for each sign of life. Raises ConfigError for settings that cannot be used,
    RemoteFailed where the server cannot be reached or refuses, GenerationFailed for a prompt that is too long.
    """

    def __init__(self, settings: RemoteSection, model: str, timeout: float) -> None:
        self._address = parse_address(settings.url)
        # made once: reading the certificates takes longer than a request; without encryption there is nothing to verify
        self._verify = _trusted() if self._address.encrypted else False
        self._key_variable = settings.api_key_env
        self._timeout = timeout
        self._facts: ServerFacts | None = None
        self._asking = threading.Lock()
        self.model = model
        _refuse_cloud(model)

    def facts(self) -> ServerFacts:
        """Say what the server is; asked once, and again after an answer or refusal where it said nothing of a context.

        Ollama and LM Studio know it only once the model is loaded.
        """
        with self._asking:
            require_nearby(self._address)  # each time: what a name means changes with the network a laptop is in
            if self._facts is None:
                self._facts = self._ask_facts()
            return self._facts

    def complete(self, body: Json) -> Json:
        """Return a whole answer, not streamed."""
        with self._client() as client:
            return self._get(client, f"{self._address.api}/chat/completions", body)

    def try_complete(self, body: Json) -> Json | None:
        """Return a whole answer; None where the server refuses a field of the request."""
        with self._client() as client, self._translated(self._timeout):
            response = _fetch(client, f"{self._address.api}/chat/completions", body, self._timeout)
            if response.status in FIELD_REFUSED and not is_about_context(response.content):
                return None
            return self._read(response)

    def stream(self, body: Json) -> Generator[Delta | None, None, None]:
        """Yield the parts of a streamed answer, and None while the server is silent.

        Closing the iterator ends the connection, and so the server's work.
        """
        timeout = httpx.Timeout(self._timeout, connect=CONNECT_SECONDS)
        exchange = ServerExchange(f"{self._address.api}/chat/completions", body, self._headers(), timeout, self._verify)
        reader, head, refusal = EventReader(), Head(OK), b""
        with self._translated(self._timeout), contextlib.closing(exchange.parts()) as parts:
            for part in parts:
                if isinstance(part, Head):
                    head = part
                elif part is None:
                    yield None
                elif head.status == OK:
                    yield from map(read_delta, reader.feed(part))
                    if reader.ended:
                        break  # some servers leave the connection open
                else:
                    refusal = (refusal + part)[:MAX_REFUSAL]
        if self._facts is not None and not self._facts.context:
            self._facts = None
        if head.status != OK:
            raise self._refused(_Response(head.status, refusal, head.retry_after))

    def count_tokens(self, texts: Sequence[str]) -> list[int | None]:
        """Count by the server's own tokenizer; None where it has none to ask."""
        facts = self.facts()
        if facts.kind not in (ServerKind.LLAMA, ServerKind.VLLM):
            return [None] * len(texts)
        with self._client() as client:
            return [self._count(client, facts, encodable(text)) for text in texts]

    def _ask_facts(self) -> ServerFacts:
        with self._client() as client:
            entries = _entries(self._get(client, f"{self._address.api}/models"))
            kind = self._kind(client, entries)
            model = self._choose(kind, [entry["id"] for entry in entries])
            if kind is ServerKind.OLLAMA and _named(_entries(self._probe(client, "/api/tags")), model).get(REMOTE_HOST):
                raise _in_the_cloud(model)
            return ServerFacts(kind, model, self._context(client, kind, model, entries))

    def _kind(self, client: httpx.Client, entries: Sequence[Json]) -> ServerKind:
        owners = {entry.get("owned_by") for entry in entries}
        for owner, kind in (("llamacpp", ServerKind.LLAMA), ("vllm", ServerKind.VLLM)):
            if owner in owners:
                return kind
        if "version" in self._probe(client, "/api/version"):
            return ServerKind.OLLAMA
        if "data" in self._probe(client, "/api/v0/models"):
            return ServerKind.LM_STUDIO
        return ServerKind.OTHER

    def _choose(self, kind: ServerKind, names: Sequence[str]) -> str:
        """Return the model's name on the server. Raises ConfigError or RemoteFailed when it is not clear."""
        if not names:
            raise RemoteFailed(f"The model server at {self._address.root} has no model.", "Load one there.")
        if len(names) == 1 and (not self.model or kind is ServerKind.LLAMA):
            chosen = names[0]  # llama-server calls its only model by its path, and takes any name for it
        elif not self.model:
            raise ConfigError(
                f"The model server at {self._address.root} has {len(names)} models, and none is named.",
                f"Name one in remote.model: {_listed(names)}.",
            )
        elif self.model in names or f"{self.model}:latest" in names:
            chosen = self.model
        else:
            raise RemoteFailed(
                f"The model server at {self._address.root} has no model `{self.model}`.", f"It has: {_listed(names)}."
            )
        _refuse_cloud(chosen)
        return chosen

    def _context(self, client: httpx.Client, kind: ServerKind, model: str, entries: Sequence[Json]) -> int:
        """Return what the server says of the context; 0 where it says nothing."""
        match kind:
            case ServerKind.LLAMA:
                settings = self._probe(client, f"/props?{httpx.QueryParams(model=model)}").get(
                    "default_generation_settings"
                )
                return _positive(settings, "n_ctx")
            case ServerKind.VLLM:
                return _positive(_named(entries, model), "max_model_len")
            case ServerKind.OLLAMA:
                return _positive(_named(_entries(self._probe(client, "/api/ps")), model), "context_length")
            case ServerKind.LM_STUDIO:
                return _positive(
                    _named(_entries(self._probe(client, "/api/v0/models")), model), "loaded_context_length"
                )
        return 0

    def _count(self, client: httpx.Client, facts: ServerFacts, text: str) -> int | None:
        if facts.kind is ServerKind.LLAMA:
            body: Json = {"model": facts.model, "content": text, "add_special": False, "parse_special": False}
        else:
            body = {"model": facts.model, "prompt": text, "add_special_tokens": False}
        tokens = self._probe(client, "/tokenize", body).get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    def _probe(self, client: httpx.Client, path: str, body: Json | None = None) -> Json:
        """Return what the server says under a path that not every server has; nothing where it has none."""
        seconds = self._seconds(body)
        with self._translated(seconds):
            response = _fetch(client, f"{self._address.root}{path}", body, seconds)
        try:
            return read_json(response.content) if response.status == OK else {}
        except UnreadableReply:
            return {}

    def _get(self, client: httpx.Client, url: str, body: Json | None = None) -> Json:
        seconds = self._seconds(body)
        with self._translated(seconds):
            return self._read(_fetch(client, url, body, seconds))

    def _read(self, response: _Response) -> Json:
        if response.status != OK:
            raise self._refused(response)
        return read_json(response.content)

    def _seconds(self, body: Json | None) -> float:
        return self._timeout if body is not None else min(ASIDE_SECONDS, self._timeout)

    def _client(self) -> httpx.Client:
        return httpx.Client(headers=self._headers(), verify=self._verify, trust_env=False)

    def _headers(self) -> dict[str, str]:
        variable = self._key_variable
        plain = {"Accept-Encoding": "identity"}  # nothing is unpacked that a few bytes could blow up
        if not variable:
            return plain
        key = os.environ.get(variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise _without_key(variable)
        return {**plain, "Authorization": f"Bearer {key}"}

    def _translated(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        return translated(self._address.root, seconds)

    def _refused(self, response: _Response) -> RemoteFailed | GenerationFailed:
        self._facts = None  # another model may be loaded there by now
        return refused(self._address.root, response.status, response.content, response.retry_after)


def _fetch(client: httpx.Client, url: str, body: Json | None, seconds: float) -> _Response:
    """Return a response that is not streamed. Raises httpx.HTTPError or TooLong."""
    method = "GET" if body is None else "POST"
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    with client.stream(method, url, json=body, timeout=timeout) as response:
        content = b""
        for piece in response.iter_bytes():
            content += piece
            if len(content) > MAX_BODY:
                raise TooLong
        return _Response(response.status_code, content, response.headers.get(RETRY_AFTER, ""))


def _trusted() -> ssl.SSLContext:
    """Trust who is trusted everywhere, and what this machine's own store or SSL_CERT_FILE adds."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _without_key(variable: str) -> ConfigError:
    """Repeat the variable's name only where it looks like one: some write the key itself there."""
    if not _VARIABLE.fullmatch(variable):
        return ConfigError(
            "The environment variable that remote.api_key_env names holds no key for the model server.",
            "Write the variable's name there, as MODEL_KEY, never the key itself: export MODEL_KEY=…",
        )
    return ConfigError(
        f"The environment variable {variable} holds no key for the model server.",
        f"Set it before you start VaultRAG: export {variable}=…, or empty remote.api_key_env.",
    )


def _entries(listed: Json) -> list[Json]:
    """Return the models of a list, as OpenAI's protocol (`data`, `id`) or Ollama's own (`models`, `name`) has it."""
    found = listed.get("data", listed.get("models"))
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    named = [{**entry, "id": entry.get("id", entry.get("name"))} for entry in entries]
    return [entry for entry in named if isinstance(entry["id"], str)]


def _named(entries: Sequence[Json], model: str) -> Json:
    return next((entry for entry in entries if entry["id"] in (model, f"{model}:latest")), {})


def _positive(table: Any, key: str) -> int:
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:80] for name in names[:NAMES_SHOWN]) or "none"
    return shown + (" …" if len(names) > NAMES_SHOWN else "")


def _refuse_cloud(model: str) -> None:
    if model.endswith(CLOUD):
        raise _in_the_cloud(model)


def _in_the_cloud(model: str) -> ConfigError:
    return ConfigError(
        f"{model} is computed on somebody else's machines: Ollama would send your notes' passages there.",
        "Name a model that lies on the server itself.",
    )
