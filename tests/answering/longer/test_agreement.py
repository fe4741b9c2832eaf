"""Two models: what both say, where they differ, and when one of them is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.answering.longer.jury import (
    BACKUP,
    BOILER,
    EARLY,
    HOSTS,
    LATE,
    MAYAK,
    MEASURED,
    NOTES,
    Juror,
    asked,
    detail,
    opened,
)
from tests.doubles import ScriptedModel
from vaultrag.answering.judging.calibration import Thresholds
from vaultrag.domain import AnswerReady, AnswerStatus, Level, Role
from vaultrag.errors import ModelCrashed, ModelNotFound
from vaultrag.store.traces import find_trace
from vaultrag.workspace import Workspace

SURE = {"": Thresholds(-9.0, 1.0)}  # what a juror believes lies above


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (BACKUP, EARLY, "Every night at 03:30 the restic backup of mayak runs."),
        (BOILER, "Картридж в бойлере поменяли 12 мая 2024 года.", "В бойлере картридж поменяли 12.05.2024."),
    ],
)
def test_two_models_that_agree_are_surer_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str, one: str, other: str
) -> None:
    small, large = Juror([one], name="small"), Juror([other], name="large")
    undisputed = {path: text for path, text in NOTES.items() if path != HOSTS}
    with opened(tmp_path, small, {Role.FINAL: large}, monkeypatch, undisputed) as workspace:
        alone = next(event.answer for event in workspace.ask(question) if isinstance(event, AnswerReady))
        answer, steps = asked(workspace, question)
    assert alone.level is Level.WEAK
    assert answer.level is Level.BACKED
    assert answer.disputes == ()
    assert answer.model == "small + large"
    assert detail(steps, "compare").startswith("same")


def test_models_that_nobody_measured_make_nothing_certain_together(tmp_path: Path) -> None:
    with opened(tmp_path, ScriptedModel([EARLY]), {Role.FINAL: ScriptedModel([EARLY], name="large")}) as workspace:
        answer, _ = asked(workspace, BACKUP)
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.level is Level.WEAK


def test_what_notes_dispute_is_not_certain_though_two_models_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = {
        "План.md": "---\ndate: 2024-01-05\n---\nРемонт крыши дачного дома стоит 500 лари.\n",
        "Смета.md": "---\ndate: 2024-06-05\n---\nРемонт крыши дачного дома стоит 700 лари.\n",
    }
    said = "Ремонт крыши дачного дома стоит 500 лари."
    small, large = Juror([said], name="small", believes=("лари",)), Juror([said], name="large", believes=("лари",))
    with opened(tmp_path, small, {Role.FINAL: large}, monkeypatch, notes=notes) as workspace:
        answer, steps = asked(workspace, "Сколько стоит ремонт крыши дачного дома?")
    assert detail(steps, "compare").startswith("same")
    assert answer.disputes
    assert answer.level is Level.WEAK


def test_difference_is_shown_with_both_sides_and_each_examines_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = Juror([EARLY], name="small"), Juror([LATE], name="large")
    with opened(tmp_path, small, {Role.FINAL: large}, monkeypatch) as workspace:
        answer, steps = asked(workspace, BACKUP)
    dispute = answer.disputes[-1]
    assert "small: " in dispute.said
    assert "large: " in dispute.said
    cited = {citation.number: citation.path for citation in answer.citations}
    assert {cited[number] for number in dispute.citations} == {MAYAK, HOSTS}
    assert answer.level is not Level.BACKED
    assert answer.status is AnswerStatus.PARTLY
    assert detail(steps, "compare").startswith("different")
    assert detail(steps, "examine").count("stands:") == 2


def test_third_model_settles_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = Juror([EARLY], name="small"), Juror([LATE], name="large")
    judge = Juror(["Never asked."], name="judge", believes=("04:45",))
    with opened(tmp_path, small, {Role.FINAL: large, Role.JUDGE: judge}, monkeypatch) as workspace:
        answer, steps = asked(workspace, BACKUP)
    assert judge.prompts == []
    assert "04:45" in answer.text
    assert "03:30" in answer.disputes[-1].said
    assert "judge: does not stand:" in detail(steps, "examine")
    assert any("only what large says" in warning for warning in answer.warnings)


@pytest.mark.parametrize("fails", [ModelCrashed, ModelNotFound])
@pytest.mark.parametrize("lost", ["small", "large"])
def test_lost_model_leaves_the_others_answer_with_a_warning(
    tmp_path: Path, lost: str, fails: type[ModelCrashed] | type[ModelNotFound]
) -> None:
    small, large = (Juror([EARLY], name=name, fails=fails if name == lost else None) for name in ("small", "large"))
    left = "large" if lost == "small" else "small"
    with opened(tmp_path, small, {Role.FINAL: large}) as workspace:
        answer, steps = asked(workspace, BACKUP)
    assert "03:30" in answer.text
    assert any(f"{lost} was lost" in warning and f"{left} alone" in warning for warning in answer.warnings)
    assert answer.stopped == f"{lost} was lost."
    assert lost in detail(steps, "lost")


def test_both_lost_is_an_error_and_the_trace_says_so(tmp_path: Path) -> None:
    small, large = (Juror([EARLY], name=name, fails=ModelCrashed) for name in ("small", "large"))
    with opened(tmp_path, small, {Role.FINAL: large}) as workspace:
        with pytest.raises(ModelCrashed, match="small"):
            asked(workspace, BACKUP)
        trace = find_trace(workspace.database, "")
    assert trace.ended
    assert "small is lost" in trace.steps[-1].detail


def test_what_only_one_finds_is_not_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisputed = {path: text for path, text in NOTES.items() if path != HOSTS}
    silent = Juror(["The notes do not say."], name="large", believes=("nothing of it",))
    with opened(tmp_path, Juror([EARLY], name="small"), {Role.FINAL: silent}, monkeypatch, undisputed) as workspace:
        monkeypatch.setattr(Workspace, "calibration", lambda *_: replace(MEASURED, answerable=SURE))
        alone = next(event.answer for event in workspace.ask(BACKUP) if isinstance(event, AnswerReady))
        answer, _ = asked(workspace, BACKUP)
    assert alone.level is Level.BACKED
    assert "03:30" in answer.text
    assert answer.level is Level.WEAK
