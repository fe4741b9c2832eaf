"""How likely a model finds given answers. Many short conversations share their beginning and run side by side."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaultrag.child import Frame
from vaultrag.domain import Message, Sampling
from vaultrag.runtime.llama.session import Session
from vaultrag.runtime.llama.slot import MOST_OUTPUTS, TRUNK, Aborted, BatchToken, Slot, common_prefix

WORTH_SHARING = 16  # tokens at the beginning; for fewer, each conversation may as well go alone


class Scoring:
    """The same options after each of several conversations. Interrupted, it goes on with the next group of them."""

    def __init__(self, session: Session, conversations: Sequence[Sequence[Message]], options: Sequence[str]) -> None:
        self._session = session
        self._options = [session.model.vocabulary.content_ids(option) for option in options]
        longest = max(map(len, self._options), default=0)
        closed = Sampling(thinking_tokens=0)
        self._prompts = [session.prompt(messages, closed, longest) for messages in conversations]
        self._done = 0

    @property
    def finished(self) -> bool:
        return self._done == len(self._prompts)

    def frames(self, cancelled: threading.Event) -> Iterator[Frame]:
        """Yield `prefilled` frames and, in order, each conversation's `logprobs` with its figures."""
        with contextlib.suppress(Aborted):
            while not self.finished:
                yield from self._score_next(cancelled)

    def close(self) -> None:
        return

    def _score_next(self, cancelled: threading.Event) -> Iterator[Frame]:
        began = time.monotonic()
        group = self._next_group()
        trunk = self._trunk(group)
        slot = self._session.slot
        known = group[0][: len(trunk) + 1] if len(group) > 1 else trunk
        if self._session.prompt_cache is not None:
            self._session.prompt_cache.fetch(slot, known)
        cached = slot.keep_prefix(known)
        for done in slot.prefill(trunk[cached:], cancelled):
            yield Frame({"prefilled": cached + done})
        scores = (
            [_score_here(slot, self._options, cancelled)]
            if len(group) == 1
            else _score_beside(slot, group, self._options, cancelled)
        )
        seconds = (time.monotonic() - began) / len(group)
        for prompt, logprobs in zip(group, scores, strict=True):
            figures = {"prompt_tokens": len(prompt), "cached_tokens": min(cached, len(prompt)), "seconds": seconds}
            self._done += 1
            yield Frame({"logprobs": logprobs, "figures": figures})

    def _next_group(self) -> list[list[int]]:
        """Return as many of the next conversations as are best read side by side; at least one."""
        slot, waiting = self._session.slot, self._prompts[self._done :]
        options = sum(map(len, self._options))
        return waiting[: worth_sharing(waiting[: slot.branches], slot.context, options)]

    def _trunk(self, group: Sequence[Sequence[int]]) -> list[int]:
        """Return what the conversations begin with, less the last token of each; all of a single one."""
        first = list(group[0])
        return first if len(group) == 1 else first[: _shared(group)]


def worth_sharing(prompts: Sequence[Sequence[int]], context: int, options: int) -> int:
    """Return how many of these prompts, from the first on, save the most reading side by side; 1 where none do.

    All of them may begin alike, and yet some much longer so: several questions to each of several passages.
    """
    best, saved = 1, 0
    for count in range(2, len(prompts) + 1):
        shared = _shared(prompts[:count])
        fits = shared + sum(len(prompt) - shared + options for prompt in prompts[:count]) <= context
        if fits and shared >= WORTH_SHARING and (count - 1) * shared >= saved:
            best, saved = count, (count - 1) * shared
    return best


def _shared(group: Sequence[Sequence[int]]) -> int:
    """Return how many tokens the prompts begin with alike, less the last of each."""
    first = group[0]
    return min(len(first) - 1, *(common_prefix(first, other[:-1]) for other in group[1:]))


def _score_here(slot: Slot, options: Sequence[Sequence[int]], cancelled: threading.Event) -> list[float]:
    """Score the options after what was evaluated last, one by one."""
    prompt, first = list(slot.ids), logprobs_of(slot.logits())
    saved = None if slot.has_past else slot.snapshot()
    scores: list[float] = []
    for option in options:
        total = float(first[option[0]]) if option else 0.0
        for index in range(len(option) - 1):
            slot.append(option[index : index + 1], cancelled)
            total += float(logprobs_of(slot.logits())[option[index + 1]])
        scores.append(total)
        if saved is None:
            slot.cut(len(prompt))
            for _ in slot.prefill(prompt[len(slot.ids) :], cancelled):
                pass  # the option was longer than what short windows keep
        elif len(option) > 1:
            slot.restore(saved)
    return scores


@dataclass(frozen=True, slots=True)
class _Asked:
    """A place whose logits are wanted, and which token's probability is to be added to which score."""

    entry: BatchToken
    conversation: int
    options: tuple[tuple[int, int], ...]


def _score_beside(
    slot: Slot, group: Sequence[Sequence[int]], options: Sequence[Sequence[int]], cancelled: threading.Event
) -> list[list[float]]:
    """Score the options after several prompts that begin with what the slot holds."""
    scores = [[0.0] * len(options) for _ in group]
    trunk = len(slot.ids)
    firsts = tuple((index, option[0]) for index, option in enumerate(options) if option)
    try:
        ends: list[_Asked] = []
        for number, prompt in enumerate(group):
            slot.fork(TRUNK, _branch(number))
            for position in range(trunk, len(prompt)):
                asked = firsts if position == len(prompt) - 1 else ()
                ends.append(_Asked(BatchToken(prompt[position], position, _branch(number), bool(asked)), number, asked))
        _evaluate(slot, ends, scores, cancelled)
        for index, option in enumerate(options):
            _score_rest(slot, group, index, option, scores, cancelled)
    finally:
        slot.drop(range(1, 1 + 2 * len(group)))
    return scores


def _score_rest(
    slot: Slot,
    group: Sequence[Sequence[int]],
    index: int,
    option: Sequence[int],
    scores: list[list[float]],
    cancelled: threading.Event,
) -> None:
    """Add the probabilities of an option's further tokens, in all conversations at once."""
    if len(option) < 2:
        return
    asked: list[_Asked] = []
    for number, prompt in enumerate(group):
        twig = _branch(number) + len(group)
        slot.fork(_branch(number), twig)
        for offset, token in enumerate(option[:-1]):
            entry = BatchToken(token, len(prompt) + offset, twig, wanted=True)
            asked.append(_Asked(entry, number, ((index, option[offset + 1]),)))
    _evaluate(slot, asked, scores, cancelled)
    slot.drop([_branch(number) + len(group) for number in range(len(group))])


def _evaluate(slot: Slot, asked: Sequence[_Asked], scores: list[list[float]], cancelled: threading.Event) -> None:
    for batch in _batches(asked, slot.batch):
        slot.evaluate([item.entry for item in batch], cancelled)
        for place, item in enumerate(batch):
            if item.entry.wanted:
                logprobs = logprobs_of(slot.logits(place))
                for option, token in item.options:
                    scores[item.conversation][option] += float(logprobs[token])


def _batches(asked: Sequence[_Asked], size: int) -> Iterator[list[_Asked]]:
    """Cut into batches of that size with no more outputs than a context gives."""
    batch: list[_Asked] = []
    for item in asked:
        if len(batch) == size or (item.entry.wanted and sum(i.entry.wanted for i in batch) == min(MOST_OUTPUTS, size)):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def logprobs_of(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return natural logarithms of the probabilities."""
    values = logits.astype(np.float64)
    values -= values.max()
    logprobs: NDArray[np.float64] = values - np.log(np.exp(values).sum())
    return logprobs


def _branch(number: int) -> int:
    return 1 + number
