"""A night over a small vault, in both languages: what it reports, what it reports once, and what it leaves."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.jobs.later_vault import UNDYING
from tests.jobs.night_vault import ENGLISH, RUSSIAN
from vaultrag.config import Config, Settings
from vaultrag.domain import Embedder, JobState, StageState
from vaultrag.errors import ModelNotFound, NightNotRun, ReportFailed
from vaultrag.jobs import nightly
from vaultrag.jobs.nightly import NIGHT, night_order, refuse_battery
from vaultrag.jobs.worker import JobWorker
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.night.nights import NightRow, read_nights
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.slow
SAID = {
    "ru": (
        "[[Бойлер]] называет [[Дядя Виктор]]",
        "срок 2024-03-16: поменять анод",
        "Когда он приедет?",
        "Сколько стоит",
    ),
    "en": (
        "[[Boiler]] names [[Uncle Victor Price]]",
        "due 2024-03-16: replace the anode",
        "When does he come?",
        "How much",
    ),
}


def config_of(folder: Path, **settings: dict[str, object]) -> Config:
    night = {"settle_seconds": 0, "notify": False, **settings.pop("night", {})}
    made = Settings.model_validate({"night": night, **settings})
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=made)


def write(folder: Path, notes: dict[str, str]) -> None:
    for path, text in notes.items():
        (folder / "vault" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "vault" / path).write_text(text, encoding="utf-8")


@pytest.fixture(params=["ru", "en"])
def language(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    write(tmp_path, RUSSIAN if request.param == "ru" else ENGLISH)
    return str(request.param)


@pytest.fixture(autouse=True)
def on_mains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "on_battery", lambda: False)


def opened(config: Config, embedder: Embedder | None = None) -> Workspace:
    return Workspace(config, Ownership.OWN, ModelPool.given(config, embedder or HashEmbedder(), None))


def begun(workspace: Workspace, minutes: float = 10) -> JobWorker:
    worker = JobWorker(workspace, policy=UNDYING)
    if not any(job.order.kind == NIGHT and not job.state.ended for job in worker.queue.jobs()):
        worker.queue.submit(night_order(minutes, battery=False))
    return worker


def worked(workspace: Workspace, minutes: float = 10) -> NightRow:
    with closing(begun(workspace, minutes)) as worker:
        worker.work_off(lambda: all(job.state.ended for job in worker.queue.jobs()))
        job = worker.queue.job()
        assert job.state is JobState.DONE, job.failure
        return next(night for night in read_nights(workspace.database) if night.id == job.result)


def one_night(config: Config) -> tuple[NightRow, str]:
    """Work through a night; return it, and its report."""
    with opened(config) as workspace:
        night = worked(workspace)
    return night, Path(night.report).read_text(encoding="utf-8")


def test_first_night_tells_what_it_found(tmp_path: Path, language: str) -> None:
    night, text = one_night(config_of(tmp_path))
    mention, due, question, answered = SAID[language]
    assert mention in text
    assert due in text
    assert question in text
    assert answered not in text
    assert Path(night.report).parent == tmp_path / "home" / "nights"
    assert all(stage.state is StageState.DONE for stage in night.stages)


def test_night_without_news_says_so_in_three_lines(tmp_path: Path, language: str) -> None:
    one_night(config_of(tmp_path))
    _, text = one_night(config_of(tmp_path))
    assert len(text.splitlines()) == 3
    assert ("Ничего нового" if language == "ru" else "Nothing new") in text


def test_only_what_changed_is_told(tmp_path: Path, language: str) -> None:
    one_night(config_of(tmp_path))
    changed, new = ("Дом/Кухня.md", "Дом/Гараж.md") if language == "ru" else ("Home/Kitchen.md", "Home/Garage.md")
    write(tmp_path, {changed: "Двери во двор. The door faces the yard.\n", new: "# ?\n\nЯма. A pit.\n"})
    _, text = one_night(config_of(tmp_path))
    assert Path(changed).stem in text
    assert Path(new).stem in text
    mention, due, question, _ = SAID[language]
    assert not any(said in text for said in (mention, due, question))


def test_language_is_the_one_that_is_set(tmp_path: Path, language: str) -> None:
    other = "en" if language == "ru" else "ru"
    _, text = one_night(config_of(tmp_path, night={"language": other}))
    assert ("The night of" if other == "en" else "Ночь на") in text


def test_vault_holds_reports_where_its_folder_is_named_and_nothing_is_written_over(
    tmp_path: Path, language: str
) -> None:
    config = config_of(tmp_path, reports={"folder": "VaultRAG"})
    first, _ = one_night(config)
    second, _ = one_night(config)
    assert Path(first.report).parent == tmp_path / "vault" / "VaultRAG"
    assert first.report != second.report
    assert len(list((tmp_path / "vault" / "VaultRAG").iterdir())) == 2


def test_home_keeps_the_last_thirty(tmp_path: Path, language: str) -> None:
    folder = tmp_path / "home" / "nights"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"old {number:02}.md").write_text("old")
        os.utime(folder / f"old {number:02}.md", (number, number))
    night, _ = one_night(config_of(tmp_path))
    left = {path.name for path in folder.iterdir()}
    assert len(left) == 30
    assert Path(night.report).name in left
    assert "old 10.md" not in left


def test_folder_that_takes_no_report_is_a_failure_and_the_report_is_kept(tmp_path: Path, language: str) -> None:
    (tmp_path / "vault" / "VaultRAG").write_text("a file stands here")
    night, text = one_night(config_of(tmp_path, reports={"folder": "VaultRAG"}))
    assert night.stages[-1].exit_code == ReportFailed.exit_code
    assert SAID[language][0] in text
    said = "рядом с индексом: его папка" if language == "ru" else "in the home: its folder does not take it"
    assert said in text.split("\n\n")[1], "it comes first"
    assert Path(night.report).parent == tmp_path / "home" / "nights"


def test_missing_model_is_said_and_has_its_code(tmp_path: Path, language: str) -> None:
    config = config_of(tmp_path)
    with Workspace.open(config, Ownership.OWN) as workspace:
        night = worked(workspace)
    embed = next(stage for stage in night.stages if stage.name == "embed")
    assert embed.state is StageState.FAILED
    assert embed.exit_code == ModelNotFound.exit_code
    assert ("Не получилось" if language == "ru" else "What failed") in Path(night.report).read_text(encoding="utf-8")


def test_missing_vault_is_a_failure(tmp_path: Path, language: str) -> None:
    one_night(config_of(tmp_path))
    shutil.move(tmp_path / "vault", tmp_path / "elsewhere")
    night, text = one_night(config_of(tmp_path))
    assert night.stages[0].state is StageState.FAILED
    assert night.stages[0].exit_code == 4
    assert len(text.splitlines()) > 3


def test_what_a_short_night_does_not_reach_is_said(tmp_path: Path, language: str) -> None:
    with opened(config_of(tmp_path, night={"language": language})) as workspace:
        night = worked(workspace, minutes=1e-6)
    assert {stage.state for stage in night.stages} & {StageState.NOT_REACHED, StageState.PARTIAL}
    text = Path(night.report).read_text(encoding="utf-8")
    assert ("Не дошло" if language == "ru" else "Not reached") in text


def test_battery_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "on_battery", lambda: True)
    refuse_battery(battery=True)
    with pytest.raises(NightNotRun):
        refuse_battery(battery=False)


def test_note_left_alone_is_told_once(tmp_path: Path) -> None:
    write(tmp_path, RUSSIAN)
    os.utime(tmp_path / "vault" / "Дом/Бойлер.md", (0, time.time() - 400 * 86400))
    _, text = one_night(config_of(tmp_path))
    assert "Давно не тронутые" in text
    _, again = one_night(config_of(tmp_path))
    assert len(again.splitlines()) == 3
