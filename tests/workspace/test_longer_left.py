"""Whoever leaves a long answer: its models are released, its trace is read up to there, and nothing is half written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from tests.answering.longer.jury import BACKUP, EARLY, LATE, Juror, opened
from vaultrag.domain import AnswerEvent, AnswerReady, Keep, Manner, Message, Mode, Piece, Role, Sampling
from vaultrag.store.integrity.check import check_index
from vaultrag.store.traces import read_traces
from vaultrag.workspace import Workspace

MODES = (Mode.DEEP, Mode.AGREE, Mode.CASCADE)
MOST_EVENTS = 200  # of one answer; there are some forty


@dataclass(slots=True)
class HeldModel(Juror):
    """Counts the generations that nobody has closed yet, and is left by Ctrl-C before a piece if told so."""

    held: int = 0
    interrupts: bool = False

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        self.held += 1
        try:
            for piece in Juror.generate(self, messages, sampling):
                yield piece
                if self.interrupts:
                    raise KeyboardInterrupt
        finally:
            self.held -= 1


@pytest.fixture
def models() -> tuple[HeldModel, HeldModel]:
    """Return two that differ, so that each mode goes its whole way."""
    return HeldModel([EARLY], "small", believes=(LATE,)), HeldModel([LATE], "large")


@pytest.fixture
def workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: tuple[HeldModel, HeldModel]
) -> Iterator[Workspace]:
    small, large = models
    with opened(tmp_path, small, {Role.FINAL: large, Role.JUDGE: large}, monkeypatch) as made:
        yield made


def left_after(workspace: Workspace, mode: Mode, count: int) -> list[AnswerEvent]:
    """Ask, take so many events, and leave."""
    events = workspace.ask(BACKUP, Keep(saved=True), Manner(mode=mode))
    taken = list(islice(events, count))
    events.close()
    return taken


@pytest.mark.parametrize("mode", MODES)
def test_leaving_after_any_event_leaves_nothing_behind(
    workspace: Workspace, models: tuple[HeldModel, HeldModel], mode: Mode
) -> None:
    for count in range(MOST_EVENTS):
        saved = len(workspace.archive.answers())
        taken = left_after(workspace, mode, count)
        done = bool(taken) and isinstance(taken[-1], AnswerReady)
        assert [model.held for model in models] == [0, 0], count
        assert len(workspace.archive.answers()) - saved == done, count
        if taken:
            trace = read_traces(workspace.database)[0]
            assert trace.ended or not done, count
            assert trace.ended or trace.steps[-1].step == "stopped", count
        if len(taken) < count:
            break
    else:
        raise AssertionError("the answer has no end")
    assert [finding for finding in check_index(workspace.database) if finding.severity == "error"] == []


@pytest.mark.parametrize("mode", MODES)
def test_ctrl_c_in_the_middle_of_a_draft_ends_the_trace_there(
    workspace: Workspace, models: tuple[HeldModel, HeldModel], mode: Mode
) -> None:
    for model in models:
        model.interrupts = True
    with pytest.raises(KeyboardInterrupt):
        list(workspace.ask(BACKUP, Keep(saved=True), Manner(mode=mode)))
    assert [model.held for model in models] == [0, 0]
    assert workspace.archive.answers() == []
    [trace] = read_traces(workspace.database)
    assert trace.steps[-1].step == "stopped"
    for model in models:
        model.interrupts = False
    *_, last = workspace.ask(BACKUP, Keep(saved=True), Manner(mode=mode))
    assert isinstance(last, AnswerReady)
    assert read_traces(workspace.database)[0].ended
