"""A model of another server: the same ChatModel over the OpenAI-compatible protocol, only where a role asks for it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence

from vaultrag.config import RemoteSection
from vaultrag.domain import THINK_FREELY, Message, Piece, Priority, Sampling, Scores, Thought
from vaultrag.errors import GenerationFailed
from vaultrag.runtime.models.sampling_advice import Advice
from vaultrag.runtime.remote.answer import RemoteAnswer
from vaultrag.runtime.remote.protocol import (
    ServerKind,
    Thinking,
    chat_request,
    choice_request,
    first_token_request,
    first_tokens,
    read_usage,
    score_by_first_token,
    score_by_sample,
)
from vaultrag.runtime.remote.server import RemoteServer

UNKNOWN_CONTEXT = 4096  # Ollama's own default, and it cuts what is longer without a word
BYTES_PER_TOKEN = 3.5  # of UTF-8, cautiously: Russian has about 5.2, English 4.7, tables and code less
TEMPLATE_TOKENS = 64  # what the chat template adds around the messages
UNASKED_THOUGHT = 2048  # tokens of room for a model that thinks though it was told not to
CLOSABLE = frozenset({ServerKind.LLAMA, ServerKind.VLLM, ServerKind.OLLAMA})  # they can be told not to think


class RemoteModel:
    """A model of the server that `[remote]` names; `model` is its name there, empty for the one that the settings name.

    Raises what `RemoteServer` raises.
    """

    def __init__(self, settings: RemoteSection, model: str, timeout: float) -> None:
        self._server = RemoteServer(settings, model or settings.model, timeout)
        self._context = settings.context

    @property
    def name(self) -> str:
        return f"remote:{self._server.model}" if self._server.model else "remote"

    @property
    def context_length(self) -> int:
        """Return the tokens that prompt and answer may have together. Asks the server once."""
        return self._context or self._server.facts().context or UNKNOWN_CONTEXT

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count by the server's own tokenizer where it has one to ask, else by a cautious estimate."""
        counts = self._server.count_tokens(texts)
        return [_estimate(text) if count is None else count for text, count in zip(texts, counts, strict=True)]

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Piece, None, None]:
        """Yield pieces of thought and text, then one `Generation`; while the server is silent, empty pieces.

        At each piece the iterator can be closed, which ends the connection and so the server's work.
        """
        answer = RemoteAnswer(sampling)
        if sampling.thinking_tokens:
            yield from self._stream(messages, Advice().thinking_aloud(sampling), Thinking.OPEN, answer)
        else:
            yield from self._stream(messages, sampling, Thinking.CLOSED, answer)
        if answer.overthought:  # past its budget the thought is closed and the answer asked for
            yield from self._stream(messages, sampling, Thinking.CLOSED, answer)
        yield answer.generation(_estimated(messages))

    def score(
        self,
        messages: Sequence[Message],
        options: Sequence[str],
        priority: Priority = Priority.PERSON,  # noqa: ARG002  # the server has a queue of its own
    ) -> Scores:
        """Say how likely each option is, by the first token's probabilities, or uncalibrated by one forced choice."""
        began = time.monotonic()
        facts = self._server.facts()
        body = self._server.try_complete(first_token_request(facts.kind, facts.model, messages))
        listed = first_tokens(body) if body else None
        logprobs = score_by_first_token(options, listed) if listed else None
        calibrated = logprobs is not None
        if body is None or logprobs is None:
            body = self._server.complete(choice_request(facts.kind, facts.model, messages, options))
            logprobs = score_by_sample(options, body)
        if logprobs is None:
            raise GenerationFailed(
                f"{self.name} chose none of the {len(options)} options.", "Name another model for this role."
            )
        usage = read_usage(body)
        return Scores(
            tuple(options),
            logprobs,
            calibrated,
            prompt_tokens=usage.prompt_tokens or 0,
            cached_tokens=usage.cached_tokens or 0,
            seconds=time.monotonic() - began,
        )

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        """Score the same options after each conversation; the server keeps what they begin with, if it can."""
        return [self.score(messages, options, priority) for messages in conversations]

    def _stream(
        self, messages: Sequence[Message], sampling: Sampling, thinking: Thinking, answer: RemoteAnswer
    ) -> Generator[str | Thought, None, None]:
        facts = self._server.facts()
        room = self._room(messages, sampling, thinking)
        body = chat_request(facts.kind, facts.model, messages, sampling, thinking, room)
        answer.begin(thinking, closable=facts.kind in CLOSABLE)
        with contextlib.closing(self._server.stream(body)) as events:
            for chunk in events:
                if chunk is None:
                    yield ""
                    continue
                yield from answer.take(chunk)
                if answer.enough:
                    break
        yield from answer.end()

    def _room(self, messages: Sequence[Message], sampling: Sampling, thinking: Thinking) -> int:
        """Return the tokens that thought and answer may have together; the answer alone is measured as it comes."""
        left = self.context_length - TEMPLATE_TOKENS - _estimated(messages)
        thought = left if sampling.thinking_tokens == THINK_FREELY else sampling.thinking_tokens
        wanted = sampling.max_tokens + (thought if thinking is Thinking.OPEN else UNASKED_THOUGHT)
        return max(sampling.max_tokens, min(wanted, left))


def _estimated(messages: Sequence[Message]) -> int:
    return sum(_estimate(message.content) for message in messages)


def _estimate(text: str) -> int:
    return int(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN) + 1
