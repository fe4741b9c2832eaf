"""An answer of a model server as it arrives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace

from vaultrag.domain import THINK_FREELY, Generation, Purity, Sampling, Thought
from vaultrag.errors import GenerationFailed, RemoteFailed
from vaultrag.runtime.chat_format.text_stream import THINKING_MARKS, AnswerStream
from vaultrag.runtime.remote.protocol import Delta, Thinking, Usage
from vaultrag.text import cjk

GIVEN_UP = ("", "error", "abort")  # the last two are vLLM's, of a request that it lost
MARKS = THINKING_MARKS[0]  # of the models whose servers may leave them in the text


class RemoteAnswer:
    """An answer as it arrives: thought and text apart, measured, and cut where it has its length."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._stream = AnswerStream((), MARKS)
        self._texts: list[str] = []
        self._recent = ""  # the end of the answer, where a mark may have begun
        self._opened = False
        self._thoughts: list[str] = []
        self._written = self._thought = 0
        self._finish = ""
        self._usage = Usage()
        self._began = time.monotonic()
        self._first: float | None = None
        self._thinking, self._closable = Thinking.CLOSED, False

    def begin(self, thinking: Thinking, *, closable: bool) -> None:
        """Expect a stream; `closable` says that this server can be told not to think."""
        self._stream = AnswerStream((), MARKS)
        self._thinking, self._closable, self._finish = thinking, closable, ""

    @property
    def overthought(self) -> bool:
        """Whether the thought used up its budget before an answer began."""
        budget = self._sampling.thinking_tokens
        open_ = self._thinking is Thinking.OPEN and self._closable and not self._written
        return open_ and budget != THINK_FREELY and self._thought >= budget

    @property
    def enough(self) -> bool:
        return self.overthought or self._written >= self._sampling.max_tokens

    def take(self, delta: Delta) -> Iterator[str | Thought]:
        """Take one event; yield what of it can be shown. Raises RemoteFailed for a thought that nothing marks."""
        self._usage = _merged(self._usage, delta.usage)
        self._finish = self._finish or delta.finish
        if delta.thought:
            yield self._think(delta.thought)
        for piece in self._stream.feed(delta.text.encode("utf-8", "replace")):
            yield self._think(piece.text) if isinstance(piece, Thought) else self._write(piece)

    def end(self) -> Iterator[str | Thought]:
        """Yield what was held back. Raises RemoteFailed when the stream ended before the answer did."""
        if self._written >= self._sampling.max_tokens:
            self._finish = "length"
        elif self._finish in GIVEN_UP and not self.overthought:
            raise RemoteFailed("The model server ended in the middle of its answer.", "Ask again; its log may say why.")
        for piece in self._stream.finish():
            yield self._think(piece.text) if isinstance(piece, Thought) else self._write(piece)

    def generation(self, estimated_prompt: int) -> Generation:
        """Return the whole. Raises GenerationFailed for a thought that left no room for an answer."""
        if self._finish == "length" and not self._texts:
            raise GenerationFailed(
                f"The model thought for {self._thought} tokens and had no room left to answer.",
                "Give the server a larger context (remote.context), or name a model that thinks less.",
            )
        now, usage = time.monotonic(), self._usage
        first = self._first or now
        counted = None if usage.completion_tokens is None else max(usage.completion_tokens - self._thought, 0)
        return Generation(
            text="".join(self._texts),
            finish="length" if self._finish == "length" else "stop",
            prompt_tokens=estimated_prompt if usage.prompt_tokens is None else usage.prompt_tokens,
            cached_tokens=usage.cached_tokens or 0,
            completion_tokens=self._written if counted is None else counted,
            prefill_seconds=first - self._began if usage.prefill_seconds is None else usage.prefill_seconds,
            decode_seconds=now - first if usage.decode_seconds is None else usage.decode_seconds,
            thought="".join(self._thoughts),
            thought_tokens=self._thought,
        )

    def _think(self, text: str) -> Thought:
        self._first = self._first or time.monotonic()
        self._thought += 1
        self._thoughts.append(text)
        return Thought(text)

    def _write(self, text: str) -> str:
        self._recent += text
        self._opened = self._opened or MARKS.opening in self._recent
        if MARKS.closing in self._recent and not self._thoughts and not self._opened:
            raise RemoteFailed(
                "The model server sends the model's thought unmarked, as if it were the answer.",
                "Start it with its reasoning parser (docs/remote.md), or name a model that does not think.",
            )
        self._recent = self._recent[-len(MARKS.closing) :]
        if self._sampling.purity is Purity.NO_CJK:
            text = cjk.ANY.sub("", text)
        self._first = self._first or time.monotonic()
        self._written += 1
        self._texts.append(text)
        return text


def _merged(first: Usage, later: Usage) -> Usage:
    """Return the later figures, and the first ones where there are none."""
    given = {key: value for key, value in asdict(later).items() if value is not None}
    return replace(first, **given)
