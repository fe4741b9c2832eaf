"""What fails by night is told: in the report or by `doctor`, never by silence, and never as "nothing new"."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.disks import mounted
from tests.doubles import ScriptedModel
from tests.jobs.night_vault import (
    DISAGREEING_EN,
    DISAGREEING_RU,
    begin_night_over,
    config_of,
    night_opened,
    work_the_night_off,
    write,
)
from vaultrag.domain import ChatModel, Job, JobBudget, JobOrder, JobState, Message, Piece, Sampling, StageState
from vaultrag.errors import ModelCrashed
from vaultrag.jobs.nightly import night_order, open_night
from vaultrag.jobs.worker import JobWorker
from vaultrag.maintenance.doctor_night import night_findings
from vaultrag.records.queue import JobQueue
from vaultrag.store.jobs.rows import take
from vaultrag.store.night.nights import NightRow, end_night, read_nights
from vaultrag.workspace import Workspace

pytestmark = pytest.mark.slow
YEARS = 20 * 365 * 86400 * 1_000_000  # microseconds


@dataclass(slots=True)
class CrashingModel(ScriptedModel):
    """A judge whose process ends at each call."""

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        yield from ()
        raise ModelCrashed("The model's process ended.", "It is started again.")


@pytest.fixture(params=["ru", "en"])
def language(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    write(tmp_path, DISAGREEING_RU if request.param == "ru" else DISAGREEING_EN)
    return str(request.param)


@pytest.fixture(autouse=True)
def without_schedules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def worked(workspace: Workspace) -> Job:
    """Work at a night until it has ended, or waits to be tried again."""
    with closing(JobWorker(workspace)) as worker:
        job = worker.queue.submit(night_order(10, battery=True))
        worker.work_at_next()
        return worker.queue.job(job.id)


def told(workspace: Workspace) -> tuple[NightRow, str]:
    row = read_nights(workspace.database)[0]
    return row, Path(row.report).read_text(encoding="utf-8")


def by_doctor(folder: Path) -> str:
    return "\n".join(f"{one.severity}: {one.detail}" for one in night_findings(config_of(folder)))


@pytest.mark.parametrize("judge", [CrashingModel([""]), ScriptedModel(["чепуха, nonsense"]), ScriptedModel(["{}"])])
def test_judge_that_fails_or_talks_nonsense_has_not_judged(tmp_path: Path, language: str, judge: ChatModel) -> None:
    with night_opened(tmp_path, judge=judge) as workspace:
        assert worked(workspace).state is JobState.DONE
        row, text = told(workspace)
    assert ("модель не оценила — " if language == "ru" else "has not judged: ") in text
    [stage] = [stage for stage in row.stages if stage.name == "contradictions"]
    if isinstance(judge, CrashingModel):
        assert (stage.state, stage.error) == (StageState.FAILED, "ModelCrashed")
        assert "process ended" in text
        assert "process ended" in by_doctor(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="mounts")
def test_full_folder_of_reports_is_told_in_the_report_in_the_home(tmp_path: Path, language: str) -> None:
    with mounted(tmp_path / "elsewhere") as disk:
        disk.resize("1m")
        disk.fill()
        with night_opened(tmp_path, reports={"folder": str(disk.place)}) as workspace:
            assert worked(workspace).state is JobState.DONE
            row, text = told(workspace)
    assert Path(row.report).parent == tmp_path / "home" / "nights"
    assert "There is no space left in" in text.split("\n\n")[1].replace("\\", "")
    assert "There is no space left in" in by_doctor(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="mounts")
def test_night_whose_report_has_no_room_anywhere_waits_and_says_so(tmp_path: Path, language: str) -> None:
    with mounted(tmp_path / "home" / "nights") as disk:
        disk.resize("1m")
        disk.fill()
        with night_opened(tmp_path) as workspace:
            job = worked(workspace)
            assert (job.state, bool(job.due)) == (JobState.QUEUED, True)
        assert "warning: A night is to be tried again: There is no space left in" in by_doctor(tmp_path)
        disk.free()
        with night_opened(tmp_path) as workspace:
            JobQueue(workspace.config, workspace.database).resume(job.id)
        work_the_night_off(tmp_path)
        with night_opened(tmp_path) as workspace:
            _, text = told(workspace)
    assert ("Гарантия на насос" if language == "ru" else "three hours") in text


def test_home_that_takes_no_report_fails_the_night_and_doctor_says_so(tmp_path: Path, language: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "nights").write_text("a file stands here")
    with night_opened(tmp_path) as workspace:
        job = worked(workspace)
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert "cannot be written to" in job.failure.message
    assert "warning: The last night failed, and has no report" in by_doctor(tmp_path)


def test_clock_that_was_set_back_makes_no_night_the_first_one_and_hides_no_job(tmp_path: Path, language: str) -> None:
    begin_night_over(tmp_path)
    work_the_night_off(tmp_path)
    with night_opened(tmp_path) as workspace:
        queue, [night] = JobQueue(workspace.config, workspace.database), read_nights(workspace.database)
        end_night(workspace.database, night.id, night.ended_at + YEARS, night.stages)
        queue.submit(JobOrder("ask", "Кто чинит насос?", {}, JobBudget(1, 1)))
        lease = take(workspace.database, "test", time.time_ns() // 1000)
        assert lease is not None
        queue.finish(lease, JobState.DONE, result="answer")
    assert "clock was set back" in by_doctor(tmp_path)
    begin_night_over(tmp_path)
    work_the_night_off(tmp_path)
    with night_opened(tmp_path) as workspace:
        row, text = told(workspace)
    assert row.id != night.id, "the latest is the one that came last"
    assert "Кто чинит насос?" in text
    assert not any(first in text for first in ("Первая ночь", "The first night"))


def test_night_that_slept_past_its_window_writes_its_report_and_a_new_one_follows(
    tmp_path: Path, language: str
) -> None:
    ended = datetime.now(UTC) - timedelta(hours=1)
    with night_opened(tmp_path) as workspace:
        queue = JobQueue(workspace.config, workspace.database)
        old = queue.submit(night_order(10, battery=True, hours={"until": ended.isoformat()}))
        new = open_night(queue, night_order(10, battery=True))
        assert open_night(queue, night_order(10, battery=True)) == new
    work_the_night_off(tmp_path)
    with night_opened(tmp_path) as workspace:
        after, before = read_nights(workspace.database)
    assert (after.id, before.id) == (new, old.id)
    assert {stage.state for stage in before.stages} == {StageState.NOT_REACHED}
    assert StageState.NOT_REACHED not in {stage.state for stage in after.stages}
    text = Path(before.report).read_text(encoding="utf-8")
    assert "Not reached" in text, "of notes that nobody has read the language is not known"
