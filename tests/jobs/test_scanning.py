"""Contradictions by night and as a job: told once with both quotes; what is not judged is said, what is decided not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.jobs.night_vault import DISAGREEING_EN, DISAGREEING_RU
from vaultrag.config import Config, Settings
from vaultrag.domain import Embedder, JobBudget, JobState, StageState, VerdictState
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs import nightly
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.scanning import scan_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.night.nights import NightRow, read_nights
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.slow
SAID = {
    "ru": (
        "> [!danger]+ Заметки противоречат друг другу: 1",
        "> - **Разная длительность одного: «24 месяца» и «3 года».**",
        "[[Сарай#Насос]], строка 5 · ",
        "[[Дача]], строка 6 · заметка от 2025-04-01 · ваши слова: «Гарантия на насос: 3 года, чек в папке.»",
        "> [!quote]- Ассистенты расходятся: 1",
        "ассистент ChatGPT: «Модель Лайма весит 21 ГБ на диске.»",
    ),
    "en": (
        "> [!danger]+ Notes contradict each other: 1",
        "“three hours”",
        "[[Hut#Way]], line 5 · ",
        "[[Weekend]], line 6 · note of 2025-04-01 · your words: “To the hut it's three hours of walk.”",
        "> [!quote]- Assistants disagree: 1",
        "assistant ChatGPT: “The model Lime takes 21 GB on disk.”",
    ),
}
CHANGED = {"ru": ("3 года", "4 года"), "en": ("three hours", "four hours")}
QUOTE = {"ru": "3 года, чек", "en": "three hours of walk"}


@pytest.fixture(params=["ru", "en"])
def language(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    (tmp_path / "vault").mkdir()
    for path, text in (DISAGREEING_RU if request.param == "ru" else DISAGREEING_EN).items():
        (tmp_path / "vault" / path).write_text(text, encoding="utf-8")
    return str(request.param)


@pytest.fixture(autouse=True)
def on_mains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "on_battery", lambda: False)


def config_of(folder: Path, **settings: dict[str, object]) -> Config:
    made = Settings.model_validate({"night": {"settle_seconds": 0, "notify": False}, **settings})
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=made)


def opened(config: Config, embedder: Embedder | None = None) -> Workspace:
    return Workspace(config, Ownership.OWN, ModelPool.given(config, embedder or HashEmbedder(), None))


def night(workspace: Workspace, minutes: float = 60.0) -> tuple[NightRow, str]:
    with closing(JobWorker(workspace)) as worker:
        job = worker.queue.submit(night_order(minutes, battery=False))
        worker.work_off(lambda: worker.queue.job(job.id).state.ended)
    row = read_nights(workspace.database)[0]
    return row, Path(row.report).read_text(encoding="utf-8")


def test_night_tells_each_finding_once_with_both_quotes(tmp_path: Path, language: str) -> None:
    config = config_of(tmp_path)
    with opened(config) as workspace:
        row, text = night(workspace)
        for said in SAID[language]:
            assert said in text
        assert {stage.name: stage.state for stage in row.stages}["contradictions"] is StageState.DONE
        _, again = night(workspace)
        assert QUOTE[language] not in again
        assert len(again.strip().splitlines()) == 3


def test_only_other_words_bring_a_finding_back(tmp_path: Path, language: str) -> None:
    with opened(config_of(tmp_path)) as workspace:
        night(workspace)
        path = next(path for path in (tmp_path / "vault").iterdir() if QUOTE[language] in path.read_text("utf-8"))
        text = path.read_text("utf-8")
        path.write_text(f"{text}\nOne more line / ещё строка.\n", encoding="utf-8")
        assert QUOTE[language] not in night(workspace)[1]
        path.write_text(text.replace(*CHANGED[language]), encoding="utf-8")
        assert QUOTE[language].replace(*CHANGED[language]) in night(workspace)[1]


def test_decided_findings_are_not_told(tmp_path: Path, language: str) -> None:
    with opened(config_of(tmp_path)) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
        workspace.findings.extract()
        workspace.findings.compare()
        for finding in workspace.findings.all():
            workspace.findings.decide(finding.key, VerdictState.DISMISSED)
        assert QUOTE[language] not in night(workspace)[1]


def test_night_that_is_over_says_what_is_not_judged(tmp_path: Path, language: str) -> None:
    with opened(config_of(tmp_path)) as workspace:
        workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
        _, text = night(workspace, minutes=1e-9)
    assert ("утверждения ещё не выписаны — 4" if language == "ru" else "still to be extracted: 4") in text


def test_missing_judge_is_said_and_what_code_finds_is_told(tmp_path: Path, language: str) -> None:
    with opened(config_of(tmp_path, roles={"scan": "mdeberta-v3-mnli-xnli"})) as workspace:
        row, text = night(workspace)
    [stage] = [stage for stage in row.stages if stage.name == "contradictions"]
    assert (stage.state, stage.error) == (StageState.FAILED, "ModelNotFound")
    assert QUOTE[language] in text
    assert ("модель не оценила — 2" if language == "ru" else "has not judged: 2") in text


def test_forgotten_note_takes_the_reports_that_quote_it(tmp_path: Path, language: str) -> None:
    config = config_of(tmp_path)
    with opened(config) as workspace:
        row, _ = night(workspace)
        path = next(path for path in (tmp_path / "vault").iterdir() if QUOTE[language] in path.read_text("utf-8"))
        workspace.forgetting.forget(path.name, lambda *_: None)
        assert not Path(row.report).exists()
    needle = QUOTE[language].encode()
    assert [file.name for file in config.home.rglob("*") if file.is_file() and needle in file.read_bytes()] == []


def test_scan_is_a_job_that_finds_the_same(tmp_path: Path, language: str) -> None:
    with opened(config_of(tmp_path)) as workspace, closing(JobWorker(workspace)) as worker:
        workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
        job = worker.queue.submit(scan_order(JobBudget(10, 0)))
        worker.work_off(lambda: worker.queue.job(job.id).state.ended)
        assert worker.queue.job(job.id).state is JobState.DONE
        assert any(QUOTE[language] in finding.one.quote + finding.other.quote for finding in workspace.findings.all())


def test_scan_whose_budget_is_spent_says_so_and_goes_on(tmp_path: Path, language: str) -> None:
    with opened(config_of(tmp_path)) as workspace, closing(JobWorker(workspace)) as worker:
        workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
        job = worker.queue.submit(scan_order(JobBudget(1e-9, 0)))
        worker.work_off(lambda: worker.queue.job(job.id).state.ended)
        assert worker.queue.job(job.id).state is JobState.SPENT
        assert not workspace.findings.standing().is_whole


def test_new_copy_of_a_note_tells_nothing_again(tmp_path: Path, language: str) -> None:
    vault = tmp_path / "vault"
    with opened(config_of(tmp_path)) as workspace:
        night(workspace)
        path = next(path for path in vault.iterdir() if QUOTE[language] in path.read_text("utf-8"))
        (vault / "A.md").write_text(path.read_text("utf-8"), encoding="utf-8")
        assert QUOTE[language] not in night(workspace)[1]
