"""A small model that guesses what a large one will say."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from vaultrag.errors import ConfigError
from vaultrag.runtime.llama.model import NativeModel
from vaultrag.runtime.llama.slot import Slot, common_prefix
from vaultrag.runtime.llama.speculation import Guess, Pace
from vaultrag.runtime.offload.placement import Placement

DRAFTED = 6  # tokens at once at most; a small model seldom agrees for longer
FREELY = 4  # the match that `Pace` is told: a draft knows no length of its own
CLOSE = 16  # tokens that a draft may be behind as a matter of course: what was accepted, or guessed by others
TIMED = 32  # tokens read once at the start, to know what reading costs here


class DraftModel:
    """A draft model in the same process. Raises ConfigError unless every token means the same to both models."""

    def __init__(self, path: Path, placement: Placement, target: NativeModel) -> None:
        self._model = NativeModel(path, placement, threading.Event())
        if not self._model.vocabulary.equals(target.vocabulary):
            raise ConfigError(
                f"The draft model {path} has another vocabulary than the model that it drafts for.",
                "Name a smaller model of the same family in `roles.draft`, or none.",
            )
        self._slot = Slot(self._model, placement)
        self._reading = self._time_reading()
        self.pace = Pace()

    def guess(self, ids: Sequence[int], most: int, remaining: int, cancelled: threading.Event) -> tuple[Guess, float]:
        """Return at most that many tokens after `ids`, and the seconds they took. Raises Aborted.

        None as long as reading what it has not read yet costs more than guesses promise for the `remaining` tokens.
        """
        length = self.pace.length(FREELY, min(most, DRAFTED))
        if not length or len(ids) + length > self._slot.context or not self._pays(ids, remaining):
            return Guess((), 0), 0.0
        began = time.monotonic()
        slot = self._slot
        slot.cut(min(common_prefix(slot.ids, ids), len(ids) - 1))
        for _ in slot.prefill(ids[len(slot.ids) :], cancelled):
            pass
        guessed = [int(slot.logits().argmax())]
        while len(guessed) < length and not self._model.vocabulary.ends(guessed[-1]):
            slot.append(guessed[-1:], cancelled)
            guessed.append(int(slot.logits().argmax()))
        return Guess(tuple(guessed), FREELY), time.monotonic() - began

    def _pays(self, ids: Sequence[int], remaining: int) -> bool:
        behind = len(ids) - common_prefix(self._slot.ids, ids)
        return behind <= CLOSE or behind * self._reading < remaining * self.pace.saving(FREELY, DRAFTED)

    def _time_reading(self) -> float:
        """Return the seconds that a token of prompt takes, once the weights are in memory."""
        ids, never = self._model.vocabulary.content_ids("a ") * TIMED, threading.Event()
        self._slot.append(ids[:1], never)
        began = time.monotonic()
        self._slot.append(ids[:TIMED], never)
        seconds = time.monotonic() - began
        self._slot.clear()
        return seconds / TIMED
