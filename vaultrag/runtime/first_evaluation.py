"""Whether a model's process has evaluated anything yet, and what its death before that teaches of the build."""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaultrag.errors import ModelCrashed
from vaultrag.runtime.crashes import FAULTS, REBUILD, Circumstances, Lost, crashed, lacked_memory
from vaultrag.runtime.hardware.extra_buffers import ExtraBuffers
from vaultrag.runtime.hardware.machine import describe_machine
from vaultrag.runtime.models.manifest import is_as_checked

log = logging.getLogger("vaultrag.models")

PROOFS = frozenset({"text", "thought", "logprobs", "prefill", "proved"})
"""Frames that a worker sends only after whole batches were evaluated."""
BAD_BUILD = (
    "This build of llama.cpp crashes here with ggml's extra buffers ({how}), so models run without them."
    f" To build it anew: {REBUILD}"
)


@dataclass(slots=True)
class FirstEvaluation:
    """Watches the processes of one model. One that dies by a fault before it evaluated anything has a second chance
    without ggml's extra buffers; if that one lives, the build is known to be bad, and said to be once.

    Without a memory (`known` None) nothing is learned and there is no second chance: what is measured runs as told.
    """

    model: str
    path: Path
    known: ExtraBuffers | None
    _done: bool = False
    _copies: bool = False  # whether this process has weights in an order of its own
    _suspected: Lost | None = None
    _news: str = ""
    _seen: str = ""  # how one died, also where that could not be written down

    @property
    def extra_buffers(self) -> bool:
        """Whether the next process may use them, where its placement does."""
        if self.known is None:
            return True
        return self._suspected is None and not self._crash and not self.known.is_slower(self.model)

    @property
    def owes_proof(self) -> bool:
        """Whether the next process is to evaluate a batch before anything is asked of it."""
        if self.known is None or self._suspected is not None:
            return self._suspected is not None
        return self.extra_buffers and not self.known.is_proved(self.model)

    @property
    def copies(self) -> bool:
        """Whether the process that runs has weights in an order of its own."""
        return self._copies

    @property
    def caution(self) -> str:
        """Return what is known of this build that the user can mend; empty where nothing is."""
        return BAD_BUILD.format(how=self._crash) if self._crash else ""

    def take_news(self) -> str:
        """Return what was learned since the last look, as a sentence; only once."""
        news, self._news = self._news, ""
        return news

    def begin(self) -> None:
        """A new process starts."""
        self._done = self._copies = False

    def hear(self, frame: Mapping[str, Any]) -> None:
        """Take a frame of the process: what it runs with, and what it has lived to tell."""
        self._copies = bool(frame.get("copies", self._copies))
        if not self._done and not PROOFS.isdisjoint(frame):
            self._done = True
            self._learn()

    def another_way(self, lost: Lost) -> bool:
        """Whether it is worth a try without extra buffers; the next process has none then."""
        if self.known is None or self._done or not self._copies or lost.signal not in FAULTS:
            return False
        self._suspected = lost
        return True

    def crashed(self, lost: Lost) -> ModelCrashed:
        """Return the error that says why, as far as that is known."""
        size = sum(file.stat().st_size for file in [self.path] if file.is_file())
        known = Circumstances(
            first=not self._done,
            plain=self._suspected is not None,
            whole=is_as_checked(self.path),
            size=size,
            free=describe_machine().ram_free,
        )
        self._suspected = None  # the next process is tried as the first was
        return crashed(lost, known)

    @property
    def _crash(self) -> str:
        return (self._seen or self.known.crash) if self.known else ""

    def _learn(self) -> None:
        if self.known is None:
            return
        if self._suspected is None:
            if self._copies and not self.known.is_proved(self.model):
                self.known.prove(self.model)
            return
        suspected, self._suspected = self._suspected, None
        if lacked_memory(suspected):
            return  # without copies of the weights it had enough
        self._seen = signal.Signals(suspected.signal).name
        self.known.remember_crash(self._seen)
        self._news = self.caution
        log.info("%s", self._news)  # whoever asks is told as well
