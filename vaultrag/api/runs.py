"""Indexing runs of a server: one at a time, in the background, with any number of onlookers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from vaultrag.api.streams import UNEXPECTED
from vaultrag.domain import IndexReport as Report
from vaultrag.domain import Progress as OnProgress
from vaultrag.errors import VaultragError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.wire import Event, Fault, IndexReport, Progress

RunIndex: TypeAlias = Callable[[OnProgress, DeletionPolicy], Report]

log = logging.getLogger("vaultrag.server")


@dataclass(slots=True)
class Run:
    """One run, waited for, under way or over."""

    deletions: DeletionPolicy = DeletionPolicy.GUARD
    outcome: IndexReport | Fault | None = None


class IndexRuns:
    """Runs follow one another; requests that come while one runs share the next."""

    def __init__(self, index: RunIndex) -> None:
        self._index = index
        self._changed = threading.Condition()
        self._current: Run | None = None
        self._next: Run | None = None
        self._progress: Progress | None = None

    @property
    def busy(self) -> bool:
        return self._current is not None or self._next is not None

    def request(self, deletions: DeletionPolicy) -> Run:
        """Ask for a run that begins after now, and return it at once.

        A run under way is not joined: it may have passed the note that was saved just now.
        """
        with self._changed:
            if self._next is None:
                self._next = Run()
                if self._current is None:
                    threading.Thread(target=self._work, daemon=True).start()
            if deletions is DeletionPolicy.ACCEPT:
                self._next.deletions = deletions
            return self._next

    def follow(self, deletions: DeletionPolicy) -> Iterator[Event]:
        """Ask for a run, yield what progresses until it is over, then its report or its fault."""
        run = self.request(deletions)
        progress: Progress | None = None
        while run.outcome is None:
            progress = self._wait_beyond(run, progress)
            if progress is not None:
                yield progress
        yield run.outcome

    def _wait_beyond(self, run: Run, shown: Progress | None) -> Progress | None:
        """Wait until a run is over or has another progress than the one shown; return that."""
        with self._changed:
            self._changed.wait_for(lambda: run.outcome is not None or self._progress is not shown)
            return self._progress

    def _work(self) -> None:
        while True:
            with self._changed:
                self._current, self._next = self._next, None
                run = self._current
            if run is None:
                return
            outcome = self._outcome(run)
            with self._changed:
                run.outcome, self._progress, self._current = outcome, None, None
                self._changed.notify_all()
                if self._next is None:
                    return

    def _outcome(self, run: Run) -> IndexReport | Fault:
        try:
            report = self._index(self._note_progress, run.deletions)
        except VaultragError as error:
            log.warning("indexing ended with %s", error.kind)
            return Fault.of(error)
        except Exception as error:  # noqa: BLE001  # the outermost loop of a run; the message could hold note text
            log.error("indexing ended with %s", type(error).__name__)
            return UNEXPECTED
        log.info(
            "indexed: %d added, %d modified, %d moved, %d removed, %d embedded, %.1f s",
            *(report.added, report.modified, report.moved, report.removed, report.embedded, report.seconds),
        )
        return IndexReport.of(report)

    def _note_progress(self, phase: str, done: int, total: int) -> None:
        with self._changed:
            self._progress = Progress(phase=phase, done=done, total=total)
            self._changed.notify_all()
