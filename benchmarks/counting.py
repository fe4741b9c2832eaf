"""A remembered chat model that counts what each answer took: tokens read or written, and the first run's seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from benchmarks.datasets import work_folder
from benchmarks.remembered import RememberedModel
from vaultrag.domain import Generation, Message, Piece, Priority, Sampling, Scores
from vaultrag.runtime.pool import ModelPool


class CountingModel(RememberedModel):
    """Counts the tokens of prompts and of what is written, whether the answers are remembered or not."""

    def __init__(self, pool: ModelPool, name: str) -> None:
        super().__init__(pool, name)
        self.tokens = 0

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        for piece in super().generate(messages, sampling):
            if isinstance(piece, Generation):
                self.tokens += piece.prompt_tokens + piece.completion_tokens
            yield piece

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        found = super().score_each(conversations, options, priority)
        self.tokens += sum(self.count_tokens([m.content for messages in conversations for m in messages]))
        return found

    def reset(self) -> None:
        """Begin another answer."""
        self.tokens = 0

    def spent(self, answer: str, seconds: float) -> dict[str, float]:
        """Return the tokens of an answer, and its seconds: the most of any run, for a replay takes none."""
        key = hashlib.sha256(f"{self.fingerprint}{answer}{self.tokens}".encode()).hexdigest()
        path = work_folder() / "seconds" / f"{key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else 0.0
        longest = max(seconds, float(before))
        path.write_text(json.dumps(longest), encoding="utf-8")
        return {"tokens": self.tokens, "seconds": round(longest, 2)}
