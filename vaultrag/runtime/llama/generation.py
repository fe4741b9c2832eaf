"""An answer being written, token by token. Interrupted, it goes on from where it was."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vaultrag.child import Frame
from vaultrag.domain import THINK_FREELY, Finish, Message, Sampling, Thought
from vaultrag.runtime.chat_format.text_stream import AnswerStream
from vaultrag.runtime.llama.session import Session
from vaultrag.runtime.llama.slot import Aborted
from vaultrag.runtime.llama.speculation import MOST_GUESSED, Guess, Lookup, Pace

NO_GUESS = Guess((), 0)
SHORT_ANSWER = 100  # tokens; an answer is taken to go on for as long as it already has, or for so many


@dataclass(slots=True)
class Figures:
    """What a `Generation` says of an answer besides its text."""

    prompt_tokens: int
    finish: Finish = "aborted"
    cached_tokens: int = 0
    completion_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    thought_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0


class GenerationRun:
    """One answer. Raises GenerationFailed for a prompt that does not fit, UsageError for a bad schema."""

    def __init__(self, session: Session, messages: Sequence[Message], sampling: Sampling) -> None:
        self._session = session
        self._sampling = sampling
        self._marks = session.marks
        thinks = session.thinks(sampling)
        closing = session.model.vocabulary.control_ids(f"\n{session.marks.closing}\n\n") if session.marks else []
        budget = max(sampling.thinking_tokens, 0) + len(closing) if thinks else 0
        self._ids = session.prompt(messages, sampling, sampling.max_tokens + budget)
        free = session.slot.context - len(self._ids) - sampling.max_tokens - len(closing)
        self._thought_left = free if sampling.thinking_tokens == THINK_FREELY else sampling.thinking_tokens
        self._closing = closing
        self._in_thought = thinks
        self._chooser = session.chooser(sampling)
        self._stream = AnswerStream((*sampling.stop, *session.chosen.stop), session.marks, thinks)
        self._lookup = Lookup(self._ids) if session.lookup else None
        self._written: list[int] = []
        self._chosen: list[int] = []  # by the model, and not said yet
        self._due: list[int] = []  # said, and not evaluated yet
        self._begun = False
        self._figures = Figures(prompt_tokens=len(self._ids))

    @property
    def finished(self) -> bool:
        return self._figures.finish != "aborted"

    @property
    def prompt_length(self) -> int:
        return len(self._ids)

    @property
    def figures(self) -> Figures:
        return self._figures

    def frames(self, cancelled: threading.Event) -> Iterator[Frame]:
        """Yield `prefilled`, `thought` and `text` frames until the answer is finished or the event is set."""
        with contextlib.suppress(Aborted):
            if self._begun:
                self._return_to_place(cancelled)
            else:
                yield from self._read(cancelled)
            yield from self._write(cancelled)

    def close(self) -> None:
        self._chooser.close()

    def _read(self, cancelled: threading.Event) -> Iterator[Frame]:
        began = time.monotonic()
        slot = self._session.slot
        if self._session.prompt_cache is not None:
            self._session.prompt_cache.fetch(slot, self._ids)
        cached = slot.keep_prefix(self._ids)
        try:
            for done in slot.prefill(self._ids[cached:], cancelled):
                yield Frame({"prefilled": cached + done})
        finally:
            self._figures.prefill_seconds += time.monotonic() - began
        self._figures.cached_tokens = cached
        self._chosen = [self._chooser.choose(slot.logits())]
        self._begun = True

    def _return_to_place(self, cancelled: threading.Event) -> None:
        """Bring the slot to where the answer was interrupted: mostly it still is there, or was put back."""
        slot, said = self._session.slot, [*self._ids, *self._written]
        place = len(said) + len(self._chosen) - 1 if self._chosen else len(said) - len(self._due)
        evaluated = [*said, *self._chosen][:place]
        if slot.ids[:place] == evaluated:
            slot.cut(place)
        if slot.ids != evaluated:
            kept = slot.keep_prefix(evaluated)
            for _ in slot.prefill(evaluated[kept:], cancelled):
                pass

    def _write(self, cancelled: threading.Event) -> Iterator[Frame]:
        began = time.monotonic()
        try:
            for token in self._tokens(cancelled):
                yield from _frames(self._stream.feed(self._bytes(token)))
                self._count()
                if self.finished:
                    break
            yield from _frames(self._stream.finish())
        finally:
            self._figures.decode_seconds += time.monotonic() - began

    def _tokens(self, cancelled: threading.Event) -> Iterator[int]:
        while True:
            while self._chosen:
                token = self._chosen.pop(0)
                if self._session.model.vocabulary.ends(token):
                    if not self._in_thought:
                        self._figures.finish = "stop"
                        return
                    self._due = []
                    self._close_thought()
                    break
                self._written.append(token)
                self._due = [token]
                if self._lookup is not None:
                    self._lookup.extend([token])
                yield token
            self._chosen = self._choose(cancelled)
            self._due = []

    def _count(self) -> None:
        """Take account of a token that was said: the answer may be over, or the thought have had its time."""
        if self._stream.thinking:
            self._in_thought = True
            self._figures.thought_tokens += 1
            if self._figures.thought_tokens >= self._thought_left:
                self._close_thought()
        elif self._in_thought:  # it closed its thought by itself
            self._begin_answer()
        else:
            self._figures.completion_tokens += 1
            if self._stream.stopped:
                self._figures.finish = "stop"
            elif self._figures.completion_tokens >= self._sampling.max_tokens or self._room() < 1:
                self._figures.finish = "length"

    def _close_thought(self) -> None:
        """Put the mark that ends the thought after what was said."""
        for token in self._closing:
            list(self._stream.feed(self._bytes(token)))
        self._written += self._closing
        self._due = [*self._due, *self._closing]
        self._session.slot.cut(len(self._ids) + len(self._written) - len(self._due))
        self._chosen = []
        self._begin_answer()

    def _begin_answer(self) -> None:
        self._in_thought = False
        if self._sampling.schema:
            self._chooser.follow(self._session.grammar(self._sampling))

    def _choose(self, cancelled: threading.Event) -> list[int]:
        """Evaluate what was said last, with guesses after it; return the tokens that the model chooses."""
        slot = self._session.slot
        guess, pace, spent = self._guess(cancelled)
        began, length = time.monotonic(), len(slot.ids)
        if guess.ids:
            slot.append_all([*self._due, *guess.ids], cancelled)
        else:
            slot.append(self._due, cancelled)
        chosen = self._judged(guess)
        accepted = len(chosen) - 1
        slot.cut(length + len(self._due) + accepted)
        self._learn(guess, pace, accepted, spent + time.monotonic() - began)
        return chosen

    def _judged(self, guess: Guess) -> list[int]:
        """Let the model choose, as long as the guesses before its choice were its own."""
        slot, first = self._session.slot, len(self._due) - 1
        chosen: list[int] = []
        for index in range(len(guess.ids) + 1):
            chosen.append(self._chooser.choose(slot.logits(first + index if guess.ids else -1)))
            wrong = index == len(guess.ids) or chosen[-1] != guess.ids[index]
            if wrong or self._session.model.vocabulary.ends(chosen[-1]):
                break
        return chosen

    def _guess(self, cancelled: threading.Event) -> tuple[Guess, Pace | None, float]:
        """Return what may come next, by whom it was guessed, and the seconds that took."""
        session, most = self._session, min(MOST_GUESSED, self._room() - 2, self._left() - 1)
        if most < 1 or len(self._due) > 1 or not session.slot.has_past:
            return NO_GUESS, None, 0.0
        if self._lookup is not None and session.lookup is not None:
            seen = self._lookup.guess(most)
            if length := session.lookup.length(seen.matched, len(seen.ids)):
                return Guess(seen.ids[:length], seen.matched), session.lookup, 0.0
        if session.draft is not None:
            remaining = min(self._left(), max(SHORT_ANSWER, len(self._written)))
            drafted, seconds = session.draft.guess([*self._ids, *self._written], most, remaining, cancelled)
            return drafted, session.draft.pace, seconds
        return NO_GUESS, None, 0.0

    def _learn(self, guess: Guess, pace: Pace | None, accepted: int, seconds: float) -> None:
        self._figures.drafted_tokens += len(guess.ids)
        self._figures.accepted_tokens += accepted
        if guess.ids and pace is not None:
            pace.learn(guess, accepted, seconds)
        elif len(self._due) == 1:
            draft = self._session.draft
            for each in (self._session.lookup, draft.pace if draft else None):
                if each is not None:
                    each.learn(NO_GUESS, 0, seconds)

    def _left(self) -> int:
        """Return how many tokens may still come by the same rules; an answer's grammar begins after its thought."""
        if self._in_thought:
            return 0 if self._sampling.schema else self._thought_left - self._figures.thought_tokens
        return self._sampling.max_tokens - self._figures.completion_tokens

    def _room(self) -> int:
        return self._session.slot.context - len(self._ids) - len(self._written)

    def _bytes(self, token: int) -> bytes:
        vocabulary = self._session.model.vocabulary
        piece = vocabulary.piece(token)
        if piece or self._marks is None:
            return piece
        name = vocabulary.name(token)  # some vocabularies hold the marks of thought as control tokens
        return name if name.decode("utf-8", "replace") in (self._marks.opening, self._marks.closing) else b""


def _frames(pieces: Iterator[str | Thought]) -> Iterator[Frame]:
    for piece in pieces:
        yield Frame({"thought": piece.text} if isinstance(piece, Thought) else {"text": piece})
