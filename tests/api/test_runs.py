"""Indexing runs of a server: who waits for what."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field

from vaultrag import wire
from vaultrag.api.runs import IndexRuns
from vaultrag.domain import IndexReport, Progress
from vaultrag.errors import VaultError
from vaultrag.indexing.apply import DeletionPolicy

WAIT = 10.0


@dataclass(slots=True)
class StepwiseIndex:
    """An index run that waits for a word before it ends; the word may be an error."""

    began: queue.Queue[DeletionPolicy] = field(default_factory=queue.Queue)
    words: queue.Queue[Exception | None] = field(default_factory=queue.Queue)
    runs: int = 0

    def __call__(self, progress: Progress, deletions: DeletionPolicy) -> IndexReport:
        self.runs += 1
        progress("notes", self.runs, 9)
        self.began.put(deletions)
        word = self.words.get(timeout=WAIT)
        if word is not None:
            raise word
        return IndexReport(self.runs, 0, 0, 0, 0, 0, 0, 0.0)


class Onlooker(threading.Thread):
    """Follows one request to its end."""

    def __init__(self, runs: IndexRuns, deletions: DeletionPolicy) -> None:
        super().__init__(daemon=True)
        self.following = runs.follow(deletions)
        self.first = threading.Event()
        self.seen: list[wire.Event] = []
        self.start()

    def run(self) -> None:
        for event in self.following:
            self.seen.append(event)
            self.first.set()

    def last(self) -> wire.Event:
        self.join(WAIT)
        return self.seen[-1]


def test_run_shows_its_progress_and_then_its_report() -> None:
    index = StepwiseIndex()
    runs = IndexRuns(index)
    onlooker = Onlooker(runs, DeletionPolicy.GUARD)
    index.began.get(timeout=WAIT)
    assert runs.busy
    assert onlooker.first.wait(WAIT)
    index.words.put(None)
    assert isinstance(onlooker.last(), wire.IndexReport)
    assert onlooker.seen[0] == wire.Progress(phase="notes", done=1, total=9)


def test_request_during_a_run_gets_a_run_of_its_own_and_shares_it_with_others() -> None:
    index = StepwiseIndex()
    runs = IndexRuns(index)
    runs.request(DeletionPolicy.GUARD)
    index.began.get(timeout=WAIT)
    first, second = Onlooker(runs, DeletionPolicy.GUARD), Onlooker(runs, DeletionPolicy.ACCEPT)
    assert first.first.wait(WAIT)
    assert second.first.wait(WAIT)
    index.words.put(None)
    assert index.began.get(timeout=WAIT) is DeletionPolicy.ACCEPT
    index.words.put(None)
    for onlooker in (first, second):
        report = onlooker.last()
        assert isinstance(report, wire.IndexReport)
        assert report.notes == 2


def test_failure_is_told_and_the_next_run_begins() -> None:
    index = StepwiseIndex()
    runs = IndexRuns(index)
    for word, kind in ((VaultError("Gone.", "Mount it."), "VaultError"), (KeyError("note text"), "VaultragError")):
        onlooker = Onlooker(runs, DeletionPolicy.GUARD)
        index.began.get(timeout=WAIT)
        index.words.put(word)
        fault = onlooker.last()
        assert isinstance(fault, wire.Fault)
        assert fault.error == kind
        assert "note text" not in fault.message
    onlooker = Onlooker(runs, DeletionPolicy.GUARD)
    index.words.put(None)
    assert isinstance(onlooker.last(), wire.IndexReport)
