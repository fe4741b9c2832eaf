"""Kept answers through nights, in both languages: what no longer holds is told once, and a model is asked once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, LeaningModel
from tests.jobs.later_vault import UNDYING
from vaultrag.answering.judging.calibration import WORDING
from vaultrag.answering.judging.calibration_files import KnownCalibration, KnownThresholds, keep_calibration
from vaultrag.config import Config, Settings
from vaultrag.domain import (
    Answer,
    AnswerStatus,
    AnswerStyle,
    ChatModel,
    Citation,
    Fate,
    JobBudget,
    JobOrder,
    Sentence,
    SentenceState,
    Span,
    unwatched,
)
from vaultrag.jobs import nightly
from vaultrag.jobs.living import look_at_answers
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.runs import JobRun, Outcome
from vaultrag.jobs.stage_run import StageRun
from vaultrag.jobs.worker import JobWorker
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.night.living import read_fates
from vaultrag.store.night.nights import read_nights
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.slow
LINES = {
    "Дом/Бойлер.md": "Бойлер Ariston поставил Темур, вышло 620 лари.",
    "Servers/Backup.md": "The backup goes to Backblaze at 03:30 every night.",
}
EDITED = {
    "Дом/Бойлер.md": "Бойлер Ariston поставил Темур, вышло 720 лари.",
    "Servers/Backup.md": "The backup goes to Backblaze at 04:30 every night.",
}
REWORDED = {
    "Дом/Бойлер.md": "Бойлер Ariston установил Темур, вышло 620 лари.",
    "Servers/Backup.md": "The backup travels to Backblaze at 03:30 every night.",
}


@pytest.fixture(params=list(LINES))
def note(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(nightly, "on_battery", lambda: False)
    write(tmp_path, request.param, LINES[request.param])
    return str(request.param)


def write(folder: Path, path: str, line: str) -> None:
    place = folder / "vault" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"# N\n\n{line}\n", encoding="utf-8")


@contextmanager
def opened(folder: Path, model: ChatModel | None = None) -> Iterator[Workspace]:
    settings = Settings.model_validate({"night": {"settle_seconds": 0, "notify": False}})
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=settings)
    with Workspace(config, Ownership.OWN, ModelPool.given(config, HashEmbedder(), model)) as workspace:
        workspace.follow(None, unwatched)
        yield workspace


def answer_from(path: str) -> Answer:
    line = LINES[path]
    cited = Citation(1, path, (), "", Span(3, 1, 3, len(line)), line, "verbatim", 1.0)
    return Answer(
        question=f"{path}?",
        status=AnswerStatus.ANSWERED,
        text=f"{line} [1]",
        sentences=(),
        citations=(cited,),
        passages=(),
        model="",
        timings={},
        tokens={},
        style=AnswerStyle.QUOTES,
    )


def night(workspace: Workspace) -> str:
    """Work through a night; return its report."""
    with closing(JobWorker(workspace, policy=UNDYING)) as worker:
        job = worker.submit(night_order(10, battery=False))
        worker.work_off(lambda: worker.queue.job(job.id).state.ended)
        assert worker.queue.job(job.id).failure is None
    done = next(one for one in read_nights(workspace.database) if one.id == job.id)
    living = next(stage for stage in done.stages if stage.name == "living")
    return f"{living.done} looked at\n{Path(done.report).read_text(encoding='utf-8')}"


def test_answer_that_no_longer_holds_is_told_once(tmp_path: Path, note: str) -> None:
    with opened(tmp_path) as workspace:
        key = workspace.archive.save(answer_from(note))
        first = night(workspace)
        assert first.startswith("1 looked at")
        assert key not in first
        write(tmp_path, note, EDITED[note])
        told = night(workspace)
        assert LINES[note] in told
        assert EDITED[note] in told
        assert f"answers show {key}" in told
        assert f"[[{Path(note).stem}]]" in told
        again = night(workspace)
        assert again.startswith("0 looked at")
        assert key not in again


def test_deleted_note_is_told_and_restored_one_holds(tmp_path: Path, note: str) -> None:
    write(tmp_path, "Other.md", "Something else entirely.")
    with opened(tmp_path) as workspace:
        key = workspace.archive.save(answer_from(note))
        night(workspace)
        (tmp_path / "vault" / note).unlink()
        assert key in night(workspace)
        assert read_fates(workspace.database)[key][1].fate is Fate.GONE
        write(tmp_path, note, LINES[note])
        assert key not in night(workspace)
        assert read_fates(workspace.database)[key][1].fate is Fate.HOLDS


def test_moved_note_holds(tmp_path: Path, note: str) -> None:
    with opened(tmp_path) as workspace:
        key = workspace.archive.save(answer_from(note))
        night(workspace)
        (tmp_path / "vault" / note).rename(tmp_path / "vault" / "Moved.md")
        workspace.follow(None, unwatched)
        assert workspace.archive.look_at(workspace.archive.answer(key)).fate is Fate.HOLDS
        assert key not in night(workspace)


def test_words_are_understood_by_a_model_once(tmp_path: Path, note: str) -> None:
    (tmp_path / "models").mkdir()
    known = KnownCalibration("leaning", "leaning", WORDING, {}, KnownThresholds(-1.0, 1.0), 8, 8)
    keep_calibration(tmp_path / "models", known)
    model = LeaningModel({REWORDED[note]: 5.0})
    with opened(tmp_path, model) as workspace:
        key = workspace.archive.save(answer_from(note))
        night(workspace)
        assert model.prompts == []
        write(tmp_path, note, REWORDED[note])
        assert key not in night(workspace)
        asked = len(model.prompts)
        assert asked
        row = read_fates(workspace.database)[key][1]
        assert (row.fate, row.judge) == (Fate.HOLDS, "leaning")
        assert workspace.archive.look_at(workspace.archive.answer(key)).fate is Fate.HOLDS
        write(tmp_path, note, f"{REWORDED[note]}\n\nNew line.")
        assert key not in night(workspace)
        assert len(model.prompts) == asked


def test_without_a_model_words_are_told_as_not_judged(tmp_path: Path, note: str) -> None:
    with opened(tmp_path) as workspace:
        key = workspace.archive.save(answer_from(note))
        write(tmp_path, note, REWORDED[note])
        told = night(workspace)
        assert f"answers show {key}" in told
        assert "not judged" in told or "не проверено" in told
        assert key not in night(workspace)


def test_forgetting_leaves_nothing_of_fates(tmp_path: Path, note: str) -> None:
    with opened(tmp_path) as workspace:
        key = workspace.archive.save(answer_from(note))
        write(tmp_path, note, EDITED[note])
        night(workspace)
        assert key in read_fates(workspace.database)
        workspace.forgetting.forget(note, unwatched)
        assert read_fates(workspace.database) == {}
    left = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not [path for path in left if LINES[note].encode() in path.read_bytes()]


def test_deleted_answer_takes_its_fates_along(tmp_path: Path, note: str) -> None:
    with opened(tmp_path) as workspace:
        key = workspace.archive.save(answer_from(note))
        night(workspace)
        workspace.archive.delete_answer(key)
        night(workspace)
        assert read_fates(workspace.database) == {}


def test_look_that_was_left_in_the_middle_goes_on(tmp_path: Path, note: str) -> None:
    def begun(workspace: Workspace, run: JobRun) -> Outcome:
        next(look_at_answers(StageRun(workspace, run, datetime.now(UTC), lambda: False)))
        return Outcome()

    with opened(tmp_path) as workspace:
        keys = {workspace.archive.save(answer_from(note)) for _ in range(3)}
        night(workspace)
        write(tmp_path, note, EDITED[note])
        workspace.follow(None, unwatched)
        with closing(JobWorker(workspace, {"look": begun})) as worker:
            job = worker.submit(JobOrder("look", "look", {}, JobBudget(0, 0)))
            worker.work_off(lambda: worker.queue.job(job.id).state.ended)
        changed = [key for key, rows in read_fates(workspace.database).items() if rows[1].fate is Fate.CHANGED]
        assert len(changed) == 1
        told = night(workspace)
        assert all(told.count(f"answers show {key}") == 1 for key in keys)


def test_chat_style_answers_are_looked_at_by_sentence(tmp_path: Path, note: str) -> None:
    first = LINES[note].rstrip(".").split(",")[0].split(" at ")[0] + "."
    answer = replace(
        answer_from(note),
        style=AnswerStyle.PROSE,
        sentences=(Sentence(1, first, SentenceState.CITED, (1,)),),
    )
    with opened(tmp_path) as workspace:
        key = workspace.archive.save(answer)
        write(tmp_path, note, EDITED[note])
        assert key not in night(workspace)
