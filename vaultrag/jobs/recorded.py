"""A model that nobody waits for: its work steps aside for persons, and what it said once it is not asked again."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from vaultrag.domain import ChatModel, Generation, Message, ModelAround, Piece, Priority, Sampling, Scores, Thought
from vaultrag.jobs.runs import JobRun, unit_key


@dataclass(frozen=True, slots=True)
class RecordedModel(ModelAround):
    """A model whose every call is a unit of a job: written with its result, handed over from there afterwards.

    Each piece is an occasion to stop; a call that was stopped was not done.
    """

    run: JobRun

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Piece, None, None]:
        sampling = replace(sampling, priority=Priority.NIGHT)
        key = unit_key("generate", self.name, _plain(messages), asdict(sampling))
        known = self.run.result(key)
        if known is None:
            yield from self._written(key, messages, sampling)
            return
        said = Generation(**json.loads(known))
        yield said.text
        yield said

    def _written(self, key: str, messages: Sequence[Message], sampling: Sampling) -> Generator[Piece, None, None]:
        self.run.look()
        self.run.keep_paths()
        began, said = time.monotonic(), list[str]()
        try:
            with closing(_closable(self.model, messages, sampling)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Generation):
                        self._done(key, piece, began)
                    else:
                        self.run.look()
                        said.append("" if isinstance(piece, Thought) else piece)
                    yield piece
        except GeneratorExit:
            self._done(key, self._cut_off(messages, "".join(said)), began)  # whoever asked has read enough of it
            raise

    def _done(self, key: str, said: Generation, began: float) -> None:
        fresh = said.prompt_tokens - said.cached_tokens
        tokens = fresh + said.completion_tokens + said.thought_tokens
        seconds = time.monotonic() - began - said.waited_seconds
        self.run.done(key, json.dumps(asdict(said)), tokens=tokens, seconds=seconds)

    def _cut_off(self, messages: Sequence[Message], said: str) -> Generation:
        prompt, written = sum(self.count_tokens([one.content for one in messages])), sum(self.count_tokens([said]))
        return Generation(said, "aborted", prompt, 0, written, 0.0, 0.0)

    def score_each(
        self,
        conversations: Sequence[Sequence[Message]],
        options: Sequence[str],
        priority: Priority = Priority.NIGHT,  # noqa: ARG002  # whoever asks, nobody waits
    ) -> list[Scores]:
        key = unit_key("score", self.name, [_plain(messages) for messages in conversations], list(options))
        known = self.run.result(key)
        if known is not None:
            return [_scores(values) for values in json.loads(known)]
        self.run.look()
        self.run.keep_paths()
        began = time.monotonic()
        found = self.model.score_each(conversations, options, Priority.NIGHT)
        tokens = sum(one.prompt_tokens - one.cached_tokens for one in found)
        self.run.done(key, json.dumps([asdict(one) for one in found]), tokens=tokens, seconds=time.monotonic() - began)
        return found


def _closable(model: ChatModel, messages: Sequence[Message], sampling: Sampling) -> Generator[Piece, None, None]:
    yield from model.generate(messages, sampling)


def _plain(messages: Sequence[Message]) -> list[list[str]]:
    return [[message.role, message.content] for message in messages]


def _scores(values: dict[str, Any]) -> Scores:
    return Scores(**{**values, "options": tuple(values["options"]), "logprobs": tuple(values["logprobs"])})
