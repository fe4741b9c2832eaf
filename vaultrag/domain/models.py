"""What models are asked and answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from vaultrag.domain.shared import Vectors


class Role(StrEnum):
    """What a model is for. Each of `[roles]` and of a combination names one."""

    ANSWER = "answer"
    PLAN = "plan"
    EXTRACT = "extract"
    JUDGE = "judge"
    FINAL = "final"
    DRAFT = "draft"
    EMBED = "embed"
    RERANK = "rerank"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message. `content` is data: no control token can come from it."""

    role: str
    content: str


class Refusal(StrEnum):
    """Whether the model is told that it may answer that the notes hold nothing.

    Small models take that way out even where the first passage holds the answer.
    """

    OFFERED = "offered"
    WITHHELD = "withheld"


class Priority(StrEnum):
    """Who waits for a model: a person, for whom the night's work stops at its next token and goes on afterwards."""

    PERSON = "person"
    NIGHT = "night"


class Purity(StrEnum):
    """Which scripts a model may write. NO_CJK lets no Chinese, Japanese or Korean character out."""

    ANY = "any"
    NO_CJK = "no_cjk"


THINK_FREELY = -1


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. Temperature 0 is greedy.

    `max_tokens` bounds the answer. `thinking_tokens` bounds the thought before it: 0 closes thinking, THINK_FREELY
    leaves it as much as the context has room for. `schema` is a JSON schema, as text, that the answer must follow.
    """

    max_tokens: int = 700
    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.0
    repeat_penalty: float = 1.05
    seed: int = 0
    stop: tuple[str, ...] = ()
    thinking_tokens: int = 0
    purity: Purity = Purity.ANY
    schema: str = ""
    priority: Priority = Priority.PERSON


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what the model thinks before it answers; no part of the answer."""

    text: str


Finish: TypeAlias = Literal["stop", "length", "aborted"]
"""Why a generation ended: by the model itself or a stop string, at its limit, or by whoever asked."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished generation.

    `completion_tokens` counts the answer, `thought_tokens` the thought. `drafted_tokens` were guessed ahead of the
    model, `accepted_tokens` of them rightly. `waited_seconds` passed before the model was free.
    """

    text: str
    finish: Finish
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prefill_seconds: float
    decode_seconds: float
    thought: str = ""
    thought_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    waited_seconds: float = 0.0


Piece: TypeAlias = str | Thought | Generation
"""What a model yields: text of the answer (empty while it reads the prompt), thought, and once the finished whole."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How likely a model finds each option as its answer: natural logarithms, summed over the option's tokens.

    Not `calibrated` where they were guessed from a sample, because a server gives no probabilities.
    """

    options: tuple[str, ...]
    logprobs: tuple[float, ...]
    calibrated: bool
    prompt_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0

    @property
    def best(self) -> str:
        """The likeliest option; the first of equals."""
        return self.options[max(range(len(self.options)), key=lambda index: self.logprobs[index])]

    @property
    def shares(self) -> tuple[float, ...]:
        """The options' probabilities among themselves; they sum to 1."""
        top = max(self.logprobs)
        weights = [math.exp(logprob - top) for logprob in self.logprobs]
        return tuple(weight / sum(weights) for weight in weights)


class Embedder(Protocol):
    """Texts to unit vectors. `fingerprint` changes whenever the vectors would."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...

    def embed_query(self, text: str) -> Vectors: ...


class ChatModel(Protocol):
    """A language model that continues a conversation."""

    @property
    def name(self) -> str: ...

    @property
    def context_length(self) -> int: ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        """Yield pieces of text and thought, then exactly one `Generation`. Closing the iterator aborts the model."""
        ...

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        """Say how likely each option is as the answer; thinking is closed first."""
        ...

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        """Score the same options after each conversation; what the conversations begin with is read once."""
        ...


@dataclass(frozen=True, slots=True)
class ModelAround:
    """A model round another one, to which it hands on whatever it does not do in a way of its own."""

    model: ChatModel

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def context_length(self) -> int:
        return self.model.context_length

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.model.count_tokens(texts)

    def score(
        self, messages: Sequence[Message], options: Sequence[str], priority: Priority = Priority.PERSON
    ) -> Scores:
        return self.score_each([messages], options, priority)[0]

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        return self.model.score_each(conversations, options, priority)


@dataclass(frozen=True, slots=True)
class PairJudgement:
    """How likely two claims contradict each other, and how likely one follows from the other: 0 to 1 each."""

    contradiction: float
    entailment: float


class PairJudge(Protocol):
    """Judges pairs of short claims by thousands. `fingerprint` changes whenever its judgements would."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        """Judge each pair, whichever claim comes first."""
        ...
