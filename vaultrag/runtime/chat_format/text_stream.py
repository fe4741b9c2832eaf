"""Turns the bytes of a model's tokens into text and thought: whole characters only, nothing from a stop string on."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vaultrag.domain import Thought


@dataclass(frozen=True, slots=True)
class ThinkingMarks:
    """What a model writes around its thought."""

    opening: str
    closing: str


THINKING_MARKS = (ThinkingMarks("<think>", "</think>"), ThinkingMarks("[THINK]", "[/THINK]"))


def thinking_marks(template: str) -> ThinkingMarks | None:
    """Return the marks that a chat template knows; a model without any does not think aloud."""
    return next((marks for marks in THINKING_MARKS if marks.opening in template), None)


class AnswerStream:
    """Feed it token bytes; it gives what is certain, as text of the answer or as thought.

    Broken UTF-8 becomes U+FFFD; a character left unfinished at the very end is dropped. With `marks` a thought at the
    beginning is told apart, also one that was not asked for; `inside`, the text begins within one.
    """

    def __init__(self, stops: Sequence[str], marks: ThinkingMarks | None = None, inside: bool = False) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._marks = marks
        self._thought = StopStream([marks.closing]) if marks and inside else None
        self._answer = StopStream(stops)
        self._beginning: str | None = "" if marks and not inside else None
        self._after_thought = False

    @property
    def thinking(self) -> bool:
        return self._thought is not None

    @property
    def stopped(self) -> bool:
        """Whether a stop string ended the answer."""
        return self._answer.stopped

    def feed(self, data: bytes) -> Iterator[str | Thought]:
        """Add bytes and yield the pieces that they settle. Once `stopped`, nothing more comes."""
        if text := self._decoder.decode(data):
            yield from self._sort(text)

    def finish(self) -> Iterator[str | Thought]:
        """Yield what was held back, when neither a mark nor a stop string came of it."""
        beginning, self._beginning = self._beginning, None
        if beginning:
            yield from self._sort(beginning)
        if self._thought is not None:
            if rest := self._thought.finish():
                yield Thought(rest)
        elif rest := self._answer.finish():
            yield rest

    def _sort(self, text: str) -> Iterator[str | Thought]:
        if self._beginning is not None:
            text = self._open(self._beginning + text)
        if self._thought is not None and text:
            if thought := self._thought.feed(text):
                yield Thought(thought)
            if not self._thought.stopped:
                return
            text, self._thought, self._after_thought = self._thought.rest, None, True
        if self._after_thought:
            text = text.lstrip()
            self._after_thought = not text
        if text and (settled := self._answer.feed(text)):
            yield settled

    def _open(self, text: str) -> str:
        """Look whether the answer begins with a thought; return what is no longer in doubt."""
        assert self._marks is not None
        begun = text.lstrip()
        if begun.startswith(self._marks.opening):
            self._thought, self._beginning = StopStream([self._marks.closing]), None
            return begun.removeprefix(self._marks.opening)
        if self._marks.opening.startswith(begun):
            self._beginning = text
            return ""
        self._beginning = None
        return text


class StopStream:
    """Lets text through up to a stop string, and holds back the end while it could still become one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False
        self.rest = ""
        """What came after the stop string, in the text that completed it."""

    def feed(self, text: str) -> str:
        """Add text and return what it settles. Once `stopped`, nothing more comes."""
        if self.stopped:
            return ""
        self._held += text
        found = [(at, -len(stop)) for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            at, minus = min(found)
            self.rest = self._held[at - minus :]
            return self._release(at)
        return self._release(len(self._held) - self._doubtful())

    def finish(self) -> str:
        """Return what was held back, when no stop string came of it."""
        return "" if self.stopped else self._release(len(self._held))

    def _release(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text

    def _doubtful(self) -> int:
        """Return the length of the longest end of the text that begins a stop string."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
