"""Deterministic doubles of the two model protocols: an embedder that hashes stems, a model that reads a script."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vaultrag.domain import Generation, Message, Piece, Priority, Sampling, Scores, Vectors
from vaultrag.errors import ModelCrashed
from vaultrag.text import language

DIMENSION = 64


@dataclass(slots=True)
class HashEmbedder:
    """Embeds a text as the sum of its stems' fixed directions, so that texts sharing stems are near.

    `texts` keeps what was embedded, in order. With `fails_after` it crashes once that many passages are done.
    """

    fingerprint: str = "hash-64"
    dimension: int = DIMENSION
    fails_after: int | None = None
    texts: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            if self.fails_after is not None and len(self.texts) + len(texts) > self.fails_after:
                raise ModelCrashed("The embedder's process ended.", "Run the command again.")
            self.texts.extend(texts)
        return np.stack([self._embed(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        return self._embed(text)

    def _embed(self, text: str) -> Vectors:
        words = language.content_stems(text) or [text]
        total = np.sum([_direction(word, self.dimension) for word in words], axis=0)
        unit: Vectors = (total / np.linalg.norm(total)).astype(np.float32)
        return unit


class AlikeEmbedder:
    """Finds every text as near to every other as can be."""

    fingerprint = "alike"
    dimension = DIMENSION

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        return _direction("alike", self.dimension) / np.linalg.norm(_direction("alike", self.dimension))


@dataclass(slots=True)
class ScriptedModel:
    """Answers with the given texts, one a call, the last one again and again; counts a token for four characters."""

    replies: Sequence[str]
    name: str = "scripted"
    context_length: int = 8192
    prompts: list[tuple[Message, ...]] = field(default_factory=list)
    samplings: list[Sampling] = field(default_factory=list)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [(len(text) + 3) // 4 for text in texts]

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        reply = self.replies[min(len(self.prompts), len(self.replies) - 1)]
        self.prompts.append(tuple(messages))
        self.samplings.append(sampling)
        pieces = [reply[start : start + 4] for start in range(0, len(reply), 4)]
        said = pieces[: sampling.max_tokens]
        yield from said
        yield Generation(
            text="".join(said),
            finish="stop" if len(said) == len(pieces) else "length",
            prompt_tokens=sum(self.count_tokens([message.content for message in messages])),
            cached_tokens=0,
            completion_tokens=len(said),
            prefill_seconds=0.0,
            decode_seconds=0.0,
        )

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        """Nine to one for the option that the next reply begins with."""
        *_, said = self.generate(messages, Sampling(priority=priority))
        assert isinstance(said, Generation)
        fits = [said.text.startswith(option) for option in options]
        return Scores(tuple(options), tuple(math.log(0.9 if fit else 0.1) for fit in fits), calibrated=True)

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        return [self.score(messages, options, priority) for messages in conversations]


@dataclass(slots=True)
class LeaningModel:
    """A double that leans to Yes by the number that stands with the first known text in the prompt.

    It writes what stands with the first known text in `written`, and otherwise nothing.
    """

    leanings: dict[str, float]
    calibrated: bool = True
    written: dict[str, str] = field(default_factory=dict)
    name: str = "leaning"
    context_length: int = 8192
    prompts: list[str] = field(default_factory=list)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 for text in texts]

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        asked = messages[-1].content
        said = next((text for known, text in self.written.items() if known in asked), "")
        yield from ScriptedModel([said]).generate(messages, sampling)

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        return self.score_each([messages], options, priority)[0]

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        return [self._scores(messages[-1].content, options) for messages in conversations]

    def _scores(self, prompt: str, options: Sequence[str]) -> Scores:
        self.prompts.append(prompt)
        leaning = next((value for text, value in self.leanings.items() if text in prompt), 0.0)
        yes = 1 / (1 + math.exp(-leaning))
        return Scores(tuple(options), (math.log(yes), math.log(1 - yes)), self.calibrated)


def count_words(text: str) -> int:
    """A token counter that needs no model: two tokens a word is near what e5 makes of Russian and English."""
    return 2 * len(text.split())


def _direction(word: str, dimension: int) -> Vectors:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8], "big")
    drawn: Vectors = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return drawn
