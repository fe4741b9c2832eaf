"""The connection to a model server: requests, its own facts, and its refusals as errors a person understands."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from vaultrag.config import RemoteSection
from vaultrag.errors import ConfigError, GenerationFailed, RemoteFailed
from vaultrag.runtime.exchange import Exchange, Head, TooLong
from vaultrag.runtime.remote_address import parse_address, require_nearby
from vaultrag.runtime.remote_wire import Chunk, EventReader, Json, ServerKind, Unreadable, read_chunk, read_json

CONNECT_SECONDS = 5.0  # a machine in the same network answers in milliseconds
ASIDE_SECONDS = 30.0  # for small questions about the server; one that is loading a model may be slow to answer
MAX_BODY = 4_000_000  # bytes of a response that is not streamed
MAX_REFUSAL = 65_536  # bytes of an error that are read
NAMES_SHOWN = 12
CLOUD = ("-cloud", ":cloud")  # Ollama passes such models' prompts on to the internet
OK = 200


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server is, and what it says of the model: its name there, and the context, 0 where it says nothing."""

    kind: ServerKind
    model: str
    context: int


class RemoteServer:
    """One server and one of its models. Nothing is sent before the first use; nothing is tried twice.

    `timeout` in seconds bounds the wait for each sign of life. Raises ConfigError for settings that cannot be used,
    RemoteFailed where the server cannot be reached or refuses, GenerationFailed for a prompt that is too long.
    """

    def __init__(self, settings: RemoteSection, model: str, timeout: float) -> None:
        self._address = parse_address(settings.url)
        # made once: reading the certificates takes longer than a request; without encryption there is nothing to verify
        self._verify = httpx.create_ssl_context(trust_env=False) if self._address.encrypted else False
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
            if self._facts is None:
                require_nearby(self._address)
                self._facts = self._ask_facts()
            return self._facts

    def complete(self, body: Json) -> Json:
        """Return a whole answer, not streamed."""
        with self._client() as client:
            return self._get(client, f"{self._address.api}/chat/completions", body)

    def stream(self, body: Json) -> Generator[Chunk | None, None, None]:
        """Yield the parts of a streamed answer, and None while the server is silent.

        Closing the iterator ends the connection, and so the server's work.
        """
        timeout = httpx.Timeout(self._timeout, connect=CONNECT_SECONDS)
        exchange = Exchange(f"{self._address.api}/chat/completions", body, self._headers(), timeout, self._verify)
        reader, status, refusal = EventReader(), OK, b""
        with self._translated(), contextlib.closing(exchange.parts()) as parts:
            for part in parts:
                if isinstance(part, Head):
                    status = part.status
                elif part is None:
                    yield None
                elif status == OK:
                    yield from map(read_chunk, reader.feed(part))
                else:
                    refusal = (refusal + part)[:MAX_REFUSAL]
        if self._facts is not None and not self._facts.context:
            self._facts = None
        if status != OK:
            raise self._refused(status, refusal)

    def count_tokens(self, texts: Sequence[str]) -> list[int | None]:
        """Count by the server's own tokenizer; None where it has none to ask."""
        facts = self.facts()
        if facts.kind not in (ServerKind.LLAMA, ServerKind.VLLM):
            return [None] * len(texts)
        with self._client() as client:
            return [self._count(client, facts, text.encode("utf-8", "replace").decode("utf-8")) for text in texts]

    def _ask_facts(self) -> ServerFacts:
        with self._client() as client:
            entries = _entries(self._get(client, f"{self._address.api}/models"))
            kind = self._kind(client, entries)
            model = self._choose(kind, [entry["id"] for entry in entries])
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
        with self._translated():
            status, content = _fetch(client, f"{self._address.root}{path}", body)
        try:
            return read_json(content) if status == OK else {}
        except Unreadable:
            return {}

    def _get(self, client: httpx.Client, url: str, body: Json | None = None) -> Json:
        with self._translated():
            status, content = _fetch(client, url, body)
            if status != OK:
                raise self._refused(status, content)
            return read_json(content)

    def _client(self) -> httpx.Client:
        timeout = httpx.Timeout(self._timeout, connect=CONNECT_SECONDS)
        return httpx.Client(headers=self._headers(), timeout=timeout, verify=self._verify, trust_env=False)

    def _headers(self) -> dict[str, str]:
        variable = self._key_variable
        plain = {"Accept-Encoding": "identity"}  # nothing is unpacked that a few bytes could blow up
        if not variable:
            return plain
        key = os.environ.get(variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise ConfigError(
                f"The environment variable {variable} holds no key for the model server.",
                f"Set it before you start VaultRAG: export {variable}=…, or empty remote.api_key_env.",
            )
        return {**plain, "Authorization": f"Bearer {key}"}

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        root = self._address.root
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if "CERTIFICATE" in str(error).upper():
                raise RemoteFailed(
                    f"The certificate of {root} cannot be trusted.", "Give the server one that this machine knows."
                ) from error
            raise RemoteFailed(
                f"No model server answers at {root}.", "Start it there, or correct the setting remote.url."
            ) from error
        except httpx.TimeoutException as error:
            raise RemoteFailed(
                f"The model server at {root} was silent for {self._timeout:.0f} s.",
                "Ask again; where it is only slow, raise runtime.answer_timeout_seconds.",
            ) from error
        except TooLong as error:
            raise RemoteFailed(f"The model server at {root} writes without end.", "Ask again.") from error
        except Unreadable as unreadable:
            raise RemoteFailed(
                f"The model server at {root} sent {unreadable}.",
                "Check remote.url: it has to be an OpenAI-compatible server (docs/remote.md).",
            ) from unreadable
        except httpx.HTTPError as error:
            raise RemoteFailed(
                f"The connection to the model server at {root} broke off ({type(error).__name__}).",
                "Ask again; the server's own log may say why.",
            ) from error

    def _refused(self, status: int, content: bytes) -> RemoteFailed | GenerationFailed:
        """Return the error for a status. The server's own words are not repeated: they may hold the notes'."""
        root = self._address.root
        self._facts = None  # another model may be loaded there by now
        if _is_about_context(content):
            return GenerationFailed(
                f"The prompt is longer than the context of the model at {root}.",
                "Start the server with a larger context, or set remote.context to what it has.",
            )
        match status:
            case 401 | 403:
                remedy = "Put its key into an environment variable, and that one's name into remote.api_key_env."
                return RemoteFailed(f"The model server at {root} wants another key.", remedy)
            case 404 | 405:
                return RemoteFailed(
                    f"The model server at {root} knows no such model or path (status {status}).",
                    "Correct remote.model and remote.url; docs/remote.md shows both for each server.",
                )
            case 503:
                return RemoteFailed(f"The model server at {root} is still loading, or busy.", "Ask again in a minute.")
        if 300 <= status < 400:
            return RemoteFailed(
                f"The model server at {root} points elsewhere.", "Name its final address in remote.url."
            )
        return RemoteFailed(
            f"The model server at {root} refused the request (status {status}).", "Its own log may say why."
        )


def _fetch(client: httpx.Client, url: str, body: Json | None) -> tuple[int, bytes]:
    """Return status and body of a response that is not streamed. Raises httpx.HTTPError or TooLong."""
    method = "GET" if body is None else "POST"
    timeout = httpx.Timeout(ASIDE_SECONDS, connect=CONNECT_SECONDS) if body is None else client.timeout
    with client.stream(method, url, json=body, timeout=timeout) as response:
        content = b""
        for piece in response.iter_bytes():
            content += piece
            if len(content) > MAX_BODY:
                raise TooLong
        return response.status_code, content


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


def _is_about_context(content: bytes) -> bool:
    """Whether a refusal says that the prompt is too long: each server words it in its own way."""
    said = content[:MAX_REFUSAL].lower()
    return b"exceed_context_size" in said or b"maximum context length" in said or b"available context size" in said


def _refuse_cloud(model: str) -> None:
    if model.endswith(CLOUD):
        raise ConfigError(
            f"{model} is computed on somebody else's machines: Ollama would send your notes' passages there.",
            "Name a model that lies on the server itself.",
        )
