"""Analyses that nobody waits for: jobs, and what nights make of notes that are due, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.jobs.later_vault import UNDYING
from tests.reanalysis.analysed_vault import BACKUP, BOILER, DISK, METER, NOTES, opened
from vaultrag.domain import JobBudget, JobState, Priority, StageState, unwatched
from vaultrag.errors import ConfigError
from vaultrag.jobs import nightly
from vaultrag.jobs.analyses import analysis_order
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.reanalysis.due import due_notes
from vaultrag.reanalysis.templates import find_template
from vaultrag.records.analyses import AnalysisArchive
from vaultrag.store.night.nights import NightRow, read_nights
from vaultrag.workspace import Workspace
from vaultrag.workspace.analysing import AnalysisRequest

pytestmark = pytest.mark.slow
LINKED = {BOILER: METER, BACKUP: DISK}


@pytest.fixture(params=[BOILER, BACKUP])
def note(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(nightly, "on_battery", lambda: False)
    return str(request.param)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with opened(tmp_path, settings={"night": {"settle_seconds": 0, "notify": False}}) as workspace:
        yield workspace


def analysed(workspace: Workspace, note: str, role: str = "") -> str:
    """Have a job analyse a note; return its id."""
    with closing(JobWorker(workspace, policy=UNDYING)) as worker:
        job = worker.submit(analysis_order(AnalysisRequest(note, role), JobBudget(10, 0)))
        worker.work_off(lambda: worker.queue.job(job.id).state.ended)
        done = worker.queue.job(job.id)
    assert (done.state, done.result) == (JobState.DONE, job.id), done.failure
    return job.id


def night(workspace: Workspace) -> tuple[NightRow, str]:
    with closing(JobWorker(workspace, policy=UNDYING)) as worker:
        job = worker.submit(night_order(10, battery=False))
        worker.work_off(lambda: worker.queue.job(job.id).state.ended)
        assert worker.queue.job(job.id).failure is None
    done = next(one for one in read_nights(workspace.database) if one.id == job.id)
    return done, Path(done.report).read_text(encoding="utf-8")


def kept(workspace: Workspace) -> AnalysisArchive:
    return AnalysisArchive(workspace.config, workspace.database)


def write(workspace: Workspace, path: str, text: str) -> None:
    (workspace.config.vault / path).write_text(text, encoding="utf-8")


def test_job_keeps_its_analysis_in_a_file_of_the_home(workspace: Workspace, note: str) -> None:
    key = analysed(workspace, note)
    [one] = kept(workspace).all()
    assert (one.id, one.analysis.path) == (key, note)
    file = Path(one.place)
    assert file.parent == workspace.config.home / "analysed"
    assert f"[[{Path(note).stem}]]" in file.read_text(encoding="utf-8")
    assert f"[[{Path(LINKED[note]).stem}]]" in file.read_text(encoding="utf-8")
    assert {note, LINKED[note]} <= set(one.paths)


def test_later_analysis_takes_the_place_of_the_one_before(workspace: Workspace, note: str) -> None:
    analysed(workspace, note)
    second, third = analysed(workspace, note), analysed(workspace, note, "gardener")
    assert {one.id for one in kept(workspace).all()} == {second, third}
    files = set(map(str, (workspace.config.home / "analysed").iterdir()))
    assert files == {one.place for one in kept(workspace).all()}


def test_named_folder_takes_it_and_nothing_there_is_written_over(tmp_path: Path, note: str) -> None:
    with opened(tmp_path, settings={"reports": {"folder": "VaultRAG"}}) as workspace:
        analysed(workspace, note)
        analysed(workspace, note)
        assert len(list((workspace.config.vault / "VaultRAG").iterdir())) == 2
        assert not (workspace.config.home / "analysed").exists()


def test_night_analyses_what_is_due_once_and_tells_where_it_lies(workspace: Workspace, note: str) -> None:
    first, report = night(workspace)
    assert next(stage for stage in first.stages if stage.name == "analyses").done == 0
    analysed(workspace, note)
    write(workspace, LINKED[note], NOTES[LINKED[note]] + "\n\nЕщё строка. One more line.\n")
    done, report = night(workspace)
    assert next(stage for stage in done.stages if stage.name == "analyses").done == 1
    [one] = kept(workspace).all()
    assert Path(one.place).as_uri() in report
    assert not due_notes(workspace.database, find_template(workspace.config, "problem"), done.began_at / 1e6)
    again, report = night(workspace)
    assert next(stage for stage in again.stages if stage.name == "analyses").done == 0
    assert "analysed/" not in report


def test_broken_template_is_a_failure_and_the_others_are_used(workspace: Workspace, note: str) -> None:
    analysed(workspace, note)
    write(workspace, note, NOTES[note] + "\n\nЕщё строка. One more line.\n")
    (workspace.config.home / "analyses").mkdir()
    (workspace.config.home / "analyses" / "broken.md").write_text("---\ntitle: 5\n---\n", encoding="utf-8")
    done, _ = night(workspace)
    stage = next(stage for stage in done.stages if stage.name == "analyses")
    assert (stage.done, stage.state, stage.exit_code) == (1, StageState.FAILED, ConfigError.exit_code)


def test_kept_analysis_whose_quote_changed_is_told_or_made_anew(workspace: Workspace, note: str) -> None:
    analysed(workspace, note)
    night(workspace)
    [one] = kept(workspace).all()
    quoted = next(citation for citation in one.analysis.citations if citation.path not in (note, LINKED[note]))
    text = (workspace.config.vault / quoted.path).read_text(encoding="utf-8")
    write(workspace, quoted.path, text.replace(quoted.quote, "Ничего. Nothing."))
    _, report = night(workspace)
    [now] = kept(workspace).all()
    if note == BOILER:  # nothing links the two notes, so nothing else tells of it
        assert now.id == one.id
        assert "больше не верны" in report
        assert f"[[{Path(quoted.path).stem}]]" in report
    else:
        assert now.id != one.id
        assert Path(now.place).as_uri() in report


def test_forgetting_takes_files_and_records_and_names_what_lies_elsewhere(tmp_path: Path, note: str) -> None:
    with opened(tmp_path) as workspace:
        analysed(workspace, note)
        told = workspace.forgetting.preview(LINKED[note])
        assert told.analyses == 1
        workspace.forgetting.forget(LINKED[note], unwatched)
        assert kept(workspace).all() == []
        assert list((workspace.config.home / "analysed").iterdir()) == []
    with opened(tmp_path / "named", settings={"reports": {"folder": "VaultRAG"}}) as workspace:
        analysed(workspace, note)
        [one] = kept(workspace).all()
        assert workspace.forgetting.preview(LINKED[note]).reports == (one.place,)
        workspace.forgetting.forget(LINKED[note], unwatched)
        assert Path(one.place).exists()


def test_moved_notes_keep_their_analysis(workspace: Workspace, note: str) -> None:
    analysed(workspace, note)
    (workspace.config.vault / note).rename(workspace.config.vault / "Moved.md")
    workspace.follow(None, unwatched)
    [one] = kept(workspace).all()
    assert one.analysis.path == "Moved.md"
    assert note not in one.paths


def test_model_writes_by_night_within_the_bounds_of_the_settings(tmp_path: Path, note: str) -> None:
    model = ScriptedModel(["Мастер Темур берёт за выезд 60 лари [1]. The disk failed once in August [1]."])
    settings = {"answering": {"style": "prose", "deep_seconds": 60.0}, "night": {"settle_seconds": 0, "notify": False}}
    with opened(tmp_path, model, settings=settings) as workspace:
        analysed(workspace, note)
        write(workspace, note, NOTES[note] + "\n\nЕщё строка. One more line.\n")
        done, _ = night(workspace)
        assert next(stage for stage in done.stages if stage.name == "analyses").tokens > 0
        assert {sampling.priority for sampling in model.samplings} == {Priority.NIGHT}
