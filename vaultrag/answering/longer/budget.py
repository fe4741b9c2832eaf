"""What a long answer may cost: tokens that models read and write, and seconds. A spent budget ends it, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from vaultrag.domain import Generation, Message, ModelAround, Piece, Priority, Sampling, Scores, Thought
from vaultrag.errors import GenerationFailed

AT_ONCE = 4  # conversations between two looks at the clock: two sentences, each with its lines and without


@dataclass(slots=True)
class Allowance:
    """How much is left. `clock` counts seconds; `set_by` names the settings that bound tokens and time."""

    tokens: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    set_by: tuple[str, str] = ("answering.deep_tokens", "answering.deep_seconds")
    used: int = 0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def spend(self, tokens: int) -> None:
        self.used += tokens

    @property
    def left(self) -> int:
        """Tokens that are left."""
        return max(0, self.tokens - self.used)

    @property
    def elapsed(self) -> float:
        return self.clock() - self.started

    @property
    def spent(self) -> str:
        """Why nothing more may be asked of a model, as a sentence; empty while something is left."""
        if self.used >= self.tokens:
            return f"The budget of {self.tokens:,} tokens ({self.set_by[0]}) is spent."
        if self.elapsed >= self.seconds:
            return f"The budget of {self.seconds:g} seconds ({self.set_by[1]}) is spent."
        return ""


@dataclass(frozen=True, slots=True)
class MeteredModel(ModelAround):
    """A model whose work is counted. What it writes ends where the budget does; its judgements are short and finish."""

    budget: Allowance

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        bounded = replace(sampling, max_tokens=max(1, min(sampling.max_tokens, self.budget.left)))
        if bounded.thinking_tokens:
            most = max(0, self.budget.left - bounded.max_tokens)
            wanted = bounded.thinking_tokens
            bounded = replace(bounded, thinking_tokens=most if wanted < 0 else min(wanted, most))
        said: list[str] = []
        with closing(_closable(self.model.generate(messages, bounded))) as pieces:
            for piece in pieces:
                if isinstance(piece, Generation):
                    fresh = piece.prompt_tokens - piece.cached_tokens
                    self.budget.spend(fresh + piece.completion_tokens + piece.thought_tokens)
                elif piece and not isinstance(piece, Thought):
                    said.append(piece)
                yield piece
                if isinstance(piece, Generation):
                    return
                if self.budget.spent:
                    break
        if self.budget.spent:  # only now: a model that still writes counts no tokens, and would be waited for for ever
            yield self._cut_off(messages, said)

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        found = self.model.score_each(conversations, options, priority)
        self.budget.spend(sum(scores.prompt_tokens - scores.cached_tokens for scores in found))
        return found

    def _cut_off(self, messages: Sequence[Message], said: Sequence[str]) -> Generation:
        """Return what was written until the time was over; its tokens are counted as far as they are known."""
        text = "".join(said)
        prompt, written = sum(self.count_tokens([one.content for one in messages])), sum(self.count_tokens([text]))
        self.budget.spend(prompt + written)
        return Generation(
            text=text,
            finish="aborted",
            prompt_tokens=prompt,
            cached_tokens=0,
            completion_tokens=written,
            prefill_seconds=0.0,
            decode_seconds=0.0,
        )


@dataclass(frozen=True, slots=True)
class BoundedModel(MeteredModel):
    """A metered model whose judgements end with the budget, too: where many sentences are judged, they take longest."""

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        """Score a few conversations at a time. Raises GenerationFailed once the budget is spent."""
        found: list[Scores] = []
        for first in range(0, len(conversations), AT_ONCE):
            if why := self.budget.spent:
                raise GenerationFailed(why, "Allow it more.")
            found += MeteredModel.score_each(self, conversations[first : first + AT_ONCE], options, priority)
        return found


def _closable(pieces: Iterator[Piece]) -> Generator[Piece, None, None]:
    yield from pieces
