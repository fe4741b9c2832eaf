"""An analysis as a unit of work: its trace can be read up to where it came, and whoever leaves stops the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.reanalysis.analysed_vault import BOILER, METER, analysed, opened
from vaultrag.domain import AnalysisReady, AnswerStyle, Message, Piece, Sampling, SectionReady, StepTaken, unwatched
from vaultrag.errors import IndexMissing
from vaultrag.store.notes.analysed import analysed_notes
from vaultrag.store.traces import read_traces
from vaultrag.workspace import Ownership, Workspace
from vaultrag.workspace.analysing import AnalysisRequest, analyse_note

PROSE = AnalysisRequest(BOILER, style=AnswerStyle.PROSE)


@dataclass(slots=True)
class HeldModel(ScriptedModel):
    """Counts the generations that nobody has closed yet."""

    held: int = 0

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        self.held += 1
        try:
            yield from ScriptedModel.generate(self, messages, sampling)
        finally:
            self.held -= 1


def test_sections_come_one_by_one_and_the_whole_at_the_end(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        events = list(analyse_note(workspace, AnalysisRequest(BOILER)))
        [trace] = read_traces(workspace.database)
    sections = [event.section for event in events if isinstance(event, SectionReady)]
    *_, last = events
    assert isinstance(last, AnalysisReady)
    assert tuple(sections) == last.analysis.sections
    assert (trace.id, trace.mode, trace.ended) == (last.analysis.trace, "analysis", True)
    steps = [event.step for event in events if isinstance(event, StepTaken)]
    assert steps == [step.step for step in trace.steps[:-1]]
    assert steps[:3] == ["note", "related", "section"]


def test_leaving_after_any_event_stops_the_model_and_notes_no_analysis(tmp_path: Path) -> None:
    model = HeldModel(["Мастер Темур берёт за выезд 60 лари [1]."])
    with opened(tmp_path, model) as workspace:
        for count in range(0, 400, 20):
            events = analyse_note(workspace, PROSE)
            taken = list(islice(events, count))
            events.close()
            assert model.held == 0, count
            done = bool(taken) and isinstance(taken[-1], AnalysisReady)
            assert len(analysed_notes(workspace.database, "problem")) == done, count
            if done:
                break
            if taken:
                assert read_traces(workspace.database)[0].steps[-1].step == "stopped", count
        else:
            raise AssertionError("the analysis has no end")


def test_reader_beside_an_owner_notes_the_analysis_too(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        config = owner.config
        with Workspace.with_models(config, Ownership.READ, owner.models.embedder(), None) as reader:
            analysis = analysed(reader, AnalysisRequest(BOILER))
        assert [one.now.path for one in analysed_notes(owner.database, "problem")] == [BOILER]
        assert read_traces(owner.database)[0].id == analysis.trace


def test_forgetting_a_listed_note_takes_the_trace_that_speaks_of_it(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        analysed(workspace, AnalysisRequest(BOILER))
        workspace.forgetting.forget(METER, unwatched)
        assert read_traces(workspace.database) == []


def test_note_that_is_not_indexed_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace, pytest.raises(IndexMissing, match=r"Нет\.md is not in the index"):
        analysed(workspace, AnalysisRequest("Нет.md"))
