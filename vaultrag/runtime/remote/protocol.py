"""The OpenAI-compatible chat protocol as llama-server, vLLM, Ollama and LM Studio speak it: requests and responses."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from vaultrag.domain import Message, Sampling, encodable

Json: TypeAlias = dict[str, Any]

MAX_LINE = 2_000_000  # bytes of one event; real ones have some hundred
LISTED_TOKENS = 20  # the most alternatives that the protocol lets a client ask for
ENOUGH_MASS = 0.05  # options that together are less likely than this are not what the model was about to say
SAMPLED_SHARE = 0.9  # what a sampled option is given, where nothing better is known; the others share the rest
DONE = "[DONE]"
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)  # of a stranger that leaves it in the answer
ABOUT_CONTEXT = (  # in whole or part what each server says of a prompt that is too long
    b"exceed_context_size",  # llama-server
    b"available context size",
    b"maximum context length",  # vLLM, in the order of its versions
    b"longer than the maximum model length",
    b"context length is only",
    b"context length of only",  # LM Studio
    b"exceeds the context length",  # Ollama
    b"context_length_exceeded",  # OpenAI, and who follows it
)


class ServerKind(StrEnum):
    """Which program answers: each understands some fields beyond the common ones."""

    LLAMA = "llama-server"
    VLLM = "vLLM"
    OLLAMA = "Ollama"
    LM_STUDIO = "LM Studio"
    OTHER = "other"


class Thinking(StrEnum):
    """Whether a request lets the model think first."""

    OPEN = "open"
    CLOSED = "closed"


class UnreadableReply(Exception):
    """The server sent something that is no answer; the message says what, without its text."""


class PromptTooLong(UnreadableReply):
    """The server refused the prompt for its length, in the middle of what began as an answer."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Figures at the end of a stream, each None where the server gives none."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    prefill_seconds: float | None = None
    decode_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """One event of a streamed answer. `finish` is empty until the last one."""

    text: str = ""
    thought: str = ""
    finish: str = ""
    usage: Usage = Usage()


def chat_request(
    kind: ServerKind, model: str, messages: Sequence[Message], sampling: Sampling, thinking: Thinking, room: int
) -> Json:
    """Return the body of a streamed request. `room` are the tokens that thought and answer may have together."""
    body: Json = {
        "model": model,
        "messages": _turns(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": room,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p if sampling.temperature > 0 else 1.0,
        "seed": sampling.seed,
        **_own_fields(kind, sampling),
        **_thinking_fields(kind, thinking),
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.schema:
        body["response_format"] = _by_schema(json.loads(sampling.schema))
    return body


def first_token_request(kind: ServerKind, model: str, messages: Sequence[Message]) -> Json:
    """Return the body of a request for the likeliest first tokens of the answer."""
    return {
        "model": model,
        "messages": _turns(messages),
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": LISTED_TOKENS,
        **_thinking_fields(kind, Thinking.CLOSED),
    }


def choice_request(kind: ServerKind, model: str, messages: Sequence[Message], options: Sequence[str]) -> Json:
    """Return the body of a request whose answer can only be one of the options, as a JSON string.

    Of a stranger the option is only hoped for: many refuse a schema.
    """
    constraint = {} if kind is ServerKind.OTHER else {"response_format": _by_schema(_one_of(options))}
    return {
        "model": model,
        "messages": _turns(messages),
        "max_tokens": 16 + 4 * max(map(len, options)),
        "temperature": 0,
        **constraint,
        **_thinking_fields(kind, Thinking.CLOSED),
    }


class EventReader:
    """Feed it the bytes of an event stream; it gives the data of each event. `ended`: the last one was there."""

    def __init__(self) -> None:
        self._held = b""
        self.ended = False

    def feed(self, piece: bytes) -> list[str]:
        """Add bytes and return the data of the events that they complete. Raises Unreadable for one without end."""
        *lines, self._held = (self._held + piece).split(b"\n")
        if len(self._held) > MAX_LINE:
            raise UnreadableReply("an event without end")
        events = [data for line in lines if (data := _data(line))]
        self.ended = self.ended or DONE in events
        return events


def read_delta(data: str) -> Delta:
    """Read one event of a streamed answer. Raises Unreadable."""
    if data == DONE:
        return Delta(finish="stop")
    body = read_json(data)
    if body.get("error"):
        raise (
            PromptTooLong
            if is_about_context(data.encode())
            else UnreadableReply("an error in the middle of its answer")
        )
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    if not choice and "usage" not in body and "timings" not in body and choices != []:
        raise UnreadableReply("an event that is no part of an answer")
    said = choice.get("delta")
    said = said if isinstance(said, dict) else {}
    return Delta(
        text=_text(said.get("content")),
        thought=_text(said.get("reasoning_content")) or _text(said.get("reasoning")),
        finish=_text(choice.get("finish_reason")),
        usage=read_usage(body),
    )


def read_json(data: str | bytes) -> Json:
    """Read a JSON object. Raises Unreadable."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise UnreadableReply("something that is not JSON") from None
    if not isinstance(body, dict):
        raise UnreadableReply("JSON that is no object")
    return body


def is_about_context(said: bytes) -> bool:
    """Whether a refusal says that the prompt is too long: each server words it in its own way."""
    lowered = said.lower()
    return any(words in lowered for words in ABOUT_CONTEXT)


def read_usage(body: Json) -> Usage:
    """Return the figures of a response, streamed or not."""
    usage, timings = _table(body.get("usage")), _table(body.get("timings"))
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(_table(usage.get("prompt_tokens_details")).get("cached_tokens", timings.get("cache_n"))),
        prefill_seconds=_seconds(timings.get("prompt_ms")),
        decode_seconds=_seconds(timings.get("predicted_ms")),
    )


def first_tokens(body: Json) -> dict[str, float] | None:
    """Return the likeliest first tokens with their logarithms, None where the server gives none."""
    try:
        listed = body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        found = [(str(item["token"]), min(0.0, float(item["logprob"]))) for item in listed]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return {token: logprob for token, logprob in found if math.isfinite(logprob)} or None


def score_by_first_token(options: Sequence[str], listed: Mapping[str, float]) -> tuple[float, ...] | None:
    """Return each option's logarithm by the tokens that begin it and no other; None where they do not tell.

    An option that no listed token begins is given the most that it can have: what is left, or the least listed.
    """
    masses = dict.fromkeys(options, 0.0)
    shared = 0.0
    for token, logprob in listed.items():
        begun = [option for option in options if _begins(token, option)]
        if len(begun) == 1:
            masses[begun[0]] += math.exp(logprob)
        elif begun:
            shared += math.exp(logprob)
    if sum(masses.values()) < max(ENOUGH_MASS, shared):
        return None
    rest = 1.0 - sum(math.exp(logprob) for logprob in listed.values())
    floor = max(min(rest, math.exp(min(listed.values()))), 1e-12)
    return tuple(math.log(min(max(masses[option], floor), 1.0)) for option in options)


def score_by_sample(options: Sequence[str], body: Json) -> tuple[float, ...] | None:
    """Return logarithms that say which option was sampled, and nothing more; None where it was none of them."""
    said = _said(body)
    chosen = [option for option in options if _continues(said.casefold(), option.strip().casefold())]
    if not chosen:
        return None
    likeliest = max(chosen, key=len)
    others = (1.0 - SAMPLED_SHARE) / max(1, len(options) - 1)
    return tuple(math.log(SAMPLED_SHARE if option == likeliest else others) for option in options)


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": encodable(message.content)} for message in messages]


def _own_fields(kind: ServerKind, sampling: Sampling) -> Json:
    """Return what only this program understands; a stranger may refuse fields that it does not know."""
    match kind:
        case ServerKind.LLAMA:
            return {"top_k": sampling.top_k, "min_p": sampling.min_p, "repeat_penalty": sampling.repeat_penalty}
        case ServerKind.VLLM:
            top_k = sampling.top_k if sampling.temperature > 0 else -1
            return {"top_k": top_k, "repetition_penalty": sampling.repeat_penalty}
    return {}


def _thinking_fields(kind: ServerKind, thinking: Thinking) -> Json:
    """Return what switches thinking. An open thought is the servers' own default."""
    match kind, thinking:
        case ((ServerKind.LLAMA | ServerKind.VLLM), _):
            return {"chat_template_kwargs": {"enable_thinking": thinking is Thinking.OPEN}}
        case ServerKind.OLLAMA, Thinking.CLOSED:
            return {"reasoning_effort": "none"}
    return {}


def _one_of(options: Sequence[str]) -> Json:
    return {"type": "string", "enum": list(options)}


def _by_schema(schema: Any) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def _data(line: bytes) -> str:
    """Return the data of one line of an event stream; empty for comments and other fields."""
    name, _, value = line.strip(b"\r").partition(b":")
    return value.decode("utf-8", "replace").strip() if name == b"data" else ""


def _begins(token: str, option: str) -> bool:
    """Whether a token is the beginning of an option, or the option and what follows it."""
    said, wanted = token.strip().casefold(), option.strip().casefold()
    if not said or "\ufffd" in said:
        return False
    return wanted.startswith(said) or _continues(said, wanted)


def _continues(said: str, option: str) -> bool:
    """Whether a text is an option and at most something after it that is no part of its last word."""
    return said.startswith(option) and not said[len(option) : len(option) + 1].isalnum()


def _said(body: Json) -> str:
    """Return the answer's text, taken out of JSON where it is a string of it."""
    try:
        content = _THOUGHT.sub("", str(body["choices"][0]["message"]["content"])).strip()
    except (KeyError, IndexError, TypeError):
        return ""
    try:
        return str(json.loads(content)).strip()
    except ValueError:
        return content


def _table(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _seconds(value: Any) -> float | None:
    return value / 1000 if isinstance(value, int | float) and value >= 0 else None
