"""Forgetting: no trace of a note stands in any file of the home, however often it was interrupted."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from tests.gguf_files import write_tiny_model
from tests.records.traces import CYRILLIC, FOLDER, LATIN, REPLY, opened, traces
from tests.served import serving
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.contradictions.claims.kept import extract_owed, read_claims
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.kept import compare_owed
from vaultrag.contradictions.note_texts import NoteTexts
from vaultrag.domain import (
    AnswerReady,
    Exchange,
    Forgotten,
    JobBudget,
    JobOrder,
    Keep,
    Manner,
    Mode,
    PairJudgement,
    Verdict,
    VerdictState,
)
from vaultrag.errors import UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.records import forget
from vaultrag.records.queue import JobQueue
from vaultrag.records.tracing import writing_trace
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.exclusions import exclude
from vaultrag.store.integrity.check import check_index
from vaultrag.store.jobs.rows import take
from vaultrag.store.jobs.units import JobUnit, add_unit
from vaultrag.store.traces import read_traces
from vaultrag.workspace import Ownership, Workspace

SECRET = f"{FOLDER}/Тайна {CYRILLIC}.md"
SHOWN = f"{FOLDER}/Показ.md"
TEXT = f"""---
title: {LATIN} {CYRILLIC}
aliases: [{LATIN}-alias, {CYRILLIC} псевдоним]
tags: [{LATIN}/tag, {CYRILLIC}]
holder: {CYRILLIC} {LATIN}
---
# Глава {CYRILLIC} {LATIN}

The treasure of {LATIN} lies under the old oak. {LATIN}:: {CYRILLIC}

Сокровище по имени {CYRILLIC} лежит под старым дубом, и знает об этом только {LATIN}.

Глубина ямы под дубом, где {CYRILLIC}: 3 метра.

- [ ] выкопать {CYRILLIC} 📅 2024-03-16 ^{LATIN}
"""
SETTINGS = Settings.model_validate({"night": {"settle_seconds": 0, "notify": False}})
QUESTION = "Что лежит под старым дубом?"
OTHERS = {
    "Дом/Бойлер.md": "# Бойлер\n\nКартридж в бойлере поменяли 12 мая 2024 года.\n\n![[Показ]]\n",
    "Servers/mayak.md": "# mayak\n\nThe restic backup of mayak runs every night at 03:30. [[Показ]]\n",
}


def _nothing(*_: object) -> None:
    pass


@pytest.fixture
def config(tmp_path: Path) -> Config:
    vault = tmp_path / "vault"
    notes = {
        SECRET: TEXT,
        SHOWN: f"# Показ\n\nЭту строку о {LATIN} и {CYRILLIC} показывает другая заметка.\n\n"
        f"Глубина ямы под дубом, где {CYRILLIC}: 5 метров.\n",
        **OTHERS,
    }
    for path, text in notes.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, encoding="utf-8")
    return Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=SETTINGS)


@pytest.fixture
def workspace(config: Config) -> Iterator[Workspace]:
    with opened(config) as made:
        fill(made)
        yield made


def fill(workspace: Workspace) -> None:
    """Index the vault, and leave traces of the secret wherever there can be any."""
    config = workspace.config
    workspace.database.run("PRAGMA secure_delete = OFF")  # some builds of SQLite have it on
    _index(workspace)
    *_, last = workspace.ask(QUESTION, Keep(chat="дуб"))
    assert isinstance(last, AnswerReady)
    kept = last.answer
    assert CYRILLIC in kept.text
    workspace.archive.decide(Verdict("v1", VerdictState.DISMISSED, (SECRET,), f"{LATIN} {CYRILLIC}"))
    workspace.archive.decide(Verdict("v2", VerdictState.RESOLVED, ("Дом/Бойлер.md",), "stays"))
    list(workspace.ask(QUESTION, manner=Manner(mode=Mode.DEEP)))
    assert LATIN in "".join(step.detail for step in read_traces(workspace.database)[0].steps)
    jobs = JobQueue(config, workspace.database)
    jobs.submit(JobOrder("ask", "Что с картриджем?", {"question": "Что с картриджем?"}, JobBudget(1, 1), rank=1))
    jobs.submit(JobOrder("ask", f"Где {CYRILLIC}?", {"question": LATIN}, JobBudget(1, 1)))
    lease = take(workspace.database, "gone", time.time_ns() // 1000)
    assert lease is not None
    add_unit(workspace.database, lease, JobUnit("draft", TEXT, 1, 1.0), [SECRET])
    with writing_trace(config, workspace.database, "Что с картриджем?", "deep") as other:
        other.add("evidence", "поменяли 12 мая", ["Дом/Бойлер.md"])
    fill_night(workspace)
    for folder in ("states/abc", "damaged", "chroma/gen-1"):
        (config.home / folder).mkdir(parents=True, exist_ok=True)
        (config.home / folder / "file").write_text(TEXT, encoding="utf-8")
    for name in ("server.log", "server.log.1", "server.start.log", "index.sqlite3.part"):
        (config.home / name).write_text(TEXT, encoding="utf-8")


def fill_night(workspace: Workspace) -> None:
    """Extract claims, find two that contradict each other, and let a night report what is open."""
    database = workspace.database
    extract_owed(database)
    assert any(CYRILLIC in claim.statement for claim in read_claims(database))
    [found] = compare_owed(database, NoteTexts(workspace.config, database).at, Judges(Certain())).found
    assert {found.one.path, found.other.path} == {SECRET, SHOWN}
    with closing(JobWorker(workspace)) as worker:
        order = night_order(5, battery=True)
        night = worker.queue.submit(order)
        worker.work_at_next()
        assert worker.queue.job(night.id).state.ended
    [report] = workspace.config.nights_path.iterdir()
    assert CYRILLIC in report.read_text(encoding="utf-8")


class Certain:
    """A judge that holds every pair for a contradiction."""

    name = fingerprint = "certain"

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        return [PairJudgement(0.9, 0.1)] * len(pairs)


def _index(workspace: Workspace) -> None:
    workspace.index(_nothing, DeletionPolicy.GUARD)


@pytest.mark.slow
def test_the_process_that_has_read_the_note_is_ended(config: Config, tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.gguf", context=4096)
    settings = Settings.model_validate({"roles": {"answer": str(path)}, "runtime": {"context": 4096}})
    asked = config.model_copy(update={"settings": settings})
    models = ModelPool.of(asked)
    with Workspace(asked, Ownership.OWN, models) as workspace:
        _index(workspace)
        list(workspace.ask(QUESTION))
        assert [model.loaded > 0 for model in models.loaded_models()] == [True]
        workspace.forgetting.forget(SECRET, _nothing)
        assert [model.loaded for model in models.loaded_models()] == [0]


def test_traces_are_there_before_and_gone_after(workspace: Workspace, config: Config) -> None:
    found = "\n".join(traces(config.home))
    for place in ("index.sqlite3", "journal.jsonl", "states", "damaged", "chroma", "server.log", "server.start.log"):
        assert place in found, "the test would see nothing"
    done = workspace.forgetting.forget(FOLDER, _nothing)
    assert traces(config.home) == []
    assert done == Forgotten(
        path=f"{FOLDER}/",
        notes=2,
        passages=done.passages,
        answers=1,
        verdicts=1,
        links=2,
        remaining=2,
        jobs=2,
        nights=1,
    )
    assert done.passages >= 2
    workspace.close()
    assert traces(config.home) == []


def test_judgements_go_with_the_claims_that_they_are_about(workspace: Workspace) -> None:
    count = "SELECT count(*) FROM judgements"
    assert workspace.database.value(count)
    workspace.forgetting.forget(FOLDER, _nothing)
    assert not workspace.database.value(count)


def test_what_is_not_forgotten_stays(workspace: Workspace, config: Config) -> None:
    before = workspace.search("картридж бойлер", 3).passages[0].chunk.text
    workspace.forgetting.forget(FOLDER, _nothing)
    assert workspace.search("картридж бойлер", 3).passages[0].chunk.text == before
    assert list(workspace.archive.verdicts()) == ["v2"]
    assert [trace.question for trace in read_traces(workspace.database)] == ["Что с картриджем?"]
    assert [job.order.about for job in JobQueue(config, workspace.database).jobs()] == ["Что с картриджем?"]
    assert workspace.status().notes == 2
    errors = [finding for finding in check_index(workspace.database) if finding.severity == "error"]
    assert errors == []
    assert (config.vault / SECRET).read_text(encoding="utf-8") == TEXT


def test_forgotten_note_stays_out(workspace: Workspace, config: Config) -> None:
    workspace.forgetting.forget(SECRET, _nothing)
    (config.vault / SECRET).write_text(TEXT + "\nЕщё строка.\n", encoding="utf-8")
    _index(workspace)
    assert not [p for p in workspace.search("сокровище дубом", 5).passages if p.chunk.path == SECRET]
    shutil.move(config.vault / SECRET, config.vault / "elsewhere.md")
    _index(workspace)
    assert workspace.search("сокровище дубом", 5).passages[0].chunk.path == "elsewhere.md"
    shutil.move(config.vault / "elsewhere.md", config.vault / SECRET)
    _index(workspace)
    assert not [p for p in workspace.search("сокровище дубом", 5).passages if "elsewhere" in p.chunk.path]
    assert workspace.status().notes == 3


def test_follow_up_to_an_answer_from_what_was_forgotten_meanwhile_leaves_no_trace(
    workspace: Workspace, config: Config
) -> None:
    """The conversation still holds that answer, as a client does that was open all the while."""
    said = Exchange("Кто знает о сокровище?", f"О нём знает только {LATIN.capitalize()}.", (SECRET,))
    workspace.forgetting.forget(FOLDER, _nothing)
    *_, last = workspace.ask("а когда это было?", manner=Manner(mode=Mode.DEEP, earlier=(said,)))
    assert isinstance(last, AnswerReady)
    assert "Что с картриджем?" in [trace.question for trace in read_traces(workspace.database)]
    assert LATIN.capitalize() not in "".join(
        step.detail for trace in read_traces(workspace.database) for step in trace.steps
    )


def test_link_to_a_forgotten_note_leads_nowhere_and_stays_as_text(workspace: Workspace) -> None:
    workspace.forgetting.forget(SHOWN, _nothing)
    rows = workspace.database.rows("SELECT target, target_path FROM links ORDER BY id")
    assert rows == [("Показ", None), ("Показ", None)]


def test_note_that_shows_a_forgotten_one_is_read_again_without_it(workspace: Workspace) -> None:
    shown = (
        "SELECT count(*) FROM chunks JOIN notes ON notes.id = note_id WHERE path = 'Дом/Бойлер.md' AND embedded LIKE ?"
    )
    assert workspace.database.value(shown, (f"%{LATIN}%",)) == 1
    workspace.forgetting.forget(SHOWN, _nothing)
    assert workspace.database.value(shown, (f"%{LATIN}%",)) == 0
    assert workspace.database.value(shown, ("%Картридж%",)) == 1


def test_everything_goes_though_the_vault_is_not_there(workspace: Workspace, config: Config) -> None:
    config.vault.rename(config.vault.with_name("unmounted"))
    done = workspace.forgetting.forget(FOLDER, _nothing)
    assert done.remaining == 0
    assert traces(config.home) == []
    config.vault.with_name("unmounted").rename(config.vault)
    _index(workspace)
    assert traces(config.home) == []
    assert workspace.status().notes == 2


def test_undone_exclusion_lets_the_note_back_in(workspace: Workspace) -> None:
    workspace.forgetting.forget(FOLDER, _nothing)
    with pytest.raises(UsageError):
        workspace.forgetting.undo(SECRET)
    assert workspace.forgetting.undo(FOLDER) == f"{FOLDER}/"
    with pytest.raises(UsageError, match="is not forgotten"):
        workspace.forgetting.undo(FOLDER)
    _index(workspace)
    assert workspace.status().notes == 4
    workspace.forgetting.forget("показ", _nothing)
    assert workspace.forgetting.undo("показ") == SHOWN  # by its name, which only the vault knows by now


def test_forgetting_twice_and_forgetting_what_was_deleted(workspace: Workspace, config: Config) -> None:
    workspace.forgetting.forget(SECRET, _nothing)
    assert workspace.forgetting.forget(SECRET, _nothing).notes == 0
    (config.vault / SECRET).unlink()
    assert workspace.forgetting.forget(SECRET, _nothing).remaining == 0
    (config.vault / SHOWN).unlink()
    assert workspace.forgetting.forget(SHOWN, _nothing).notes == 1
    assert traces(config.home) == []


@pytest.mark.parametrize("written", [SECRET, f"тайна {CYRILLIC}", FOLDER])
def test_what_is_gone_from_the_index_is_forgotten_where_an_answer_cites_it(
    workspace: Workspace, config: Config, written: str
) -> None:
    shutil.rmtree(config.vault / FOLDER)
    _index(workspace)
    assert workspace.archive.answers()
    done = workspace.forgetting.forget(written, _nothing)
    assert (done.notes, done.answers, done.verdicts, done.remaining) == (0, 1, 1, 0)
    assert traces(config.home) == []
    (config.vault / SECRET).parent.mkdir()
    (config.vault / SECRET).write_text(TEXT, encoding="utf-8")
    _index(workspace)
    assert workspace.status().notes == 2


@pytest.mark.parametrize("written", ["", ".", "/", "../outside.md", "/etc/passwd", "no such note", "Дом/../.."])
def test_what_is_not_in_the_vault_is_refused(workspace: Workspace, written: str) -> None:
    with pytest.raises(UsageError):
        workspace.forgetting.forget(written, _nothing)
    assert not workspace.database.value("SELECT 1 FROM records WHERE kind = 'exclusion'")


def test_note_is_found_by_its_name_its_path_and_its_place(workspace: Workspace, config: Config) -> None:
    for written in (SECRET, f"тайна {CYRILLIC}", str(config.vault / SECRET), f"./{SECRET}"):
        assert workspace.forgetting.preview(written).path == SECRET
    for written in (FOLDER, f"{FOLDER}/", str(config.vault / FOLDER)):
        assert workspace.forgetting.preview(written).path == f"{FOLDER}/"


def test_near_copy_of_a_forgotten_note_does_not_come_up_in_its_place(workspace: Workspace, config: Config) -> None:
    long = "# Копия\n\n" + f"Слова о {LATIN}, которых хватит, чтобы узнать в них копию заметки. " * 10
    for name in ("Копия.md", "Копия 2.md"):
        (config.vault / "Дом" / name).write_text(long, encoding="utf-8")
    _index(workspace)
    workspace.forgetting.forget(FOLDER, _nothing)
    workspace.forgetting.forget("Дом/Копия.md", _nothing)
    _index(workspace)
    assert workspace.status().notes == 2
    assert traces(config.home) == []


def test_forgetting_that_is_owed_is_finished_by_the_next_index_run(workspace: Workspace, config: Config) -> None:
    exclude(workspace.archive.book, f"{FOLDER}/")
    _index(workspace)
    assert traces(config.home) == []
    assert not forget.is_owed(workspace.database)


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
def test_killed_before_any_write_and_run_again_nothing_is_left(config: Config, step: int) -> None:
    with opened(config) as workspace:
        fill(workspace)
    command = [sys.executable, "-m", "tests.forget_runner", str(config.vault), str(config.home), str(step)]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) * step > 30


@pytest.mark.slow
def test_nothing_of_the_vectors_is_left(config: Config) -> None:
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), ScriptedModel([REPLY])) as workspace:
        _index(workspace)
        keys = set(
            workspace.database.column(
                "SELECT text_hash FROM chunks JOIN notes ON notes.id = note_id WHERE path = ?", (SECRET,)
            )
        )
        vectors = workspace.database.column("SELECT vector FROM embeddings")
        assert keys
        gone = [
            vector for key, vector in workspace.database.rows("SELECT text_hash, vector FROM embeddings") if key in keys
        ]
        workspace.forgetting.forget(SECRET, _nothing)
        assert workspace.search("картридж", 3).passages[0].chunk.path == "Дом/Бойлер.md"
        assert "vector" in workspace.search("картридж", 3).lanes
        home = b"".join(path.read_bytes() for path in config.home.rglob("*") if path.is_file())
        assert not [key for key in keys if key.encode() in home]
        assert not [vector for vector in gone if vector in home]
        assert [vector for vector in vectors if vector in home]


@pytest.mark.slow
def test_running_server_forgets_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path, notes={SECRET: TEXT, **OTHERS}) as served:
        with served.http() as http:
            assert http.post("/forget/preview", json={"path": SECRET}).json()["notes"] == 1
        places = ("--vault", str(served.config.vault), "--home", str(served.config.home))
        assert main(["forget", SECRET, *places], _nothing) == UsageError.exit_code  # nobody was asked
        assert "--yes" in capsys.readouterr().err
        assert main(["forget", SECRET, "--yes", *places], _nothing) == 0
        said = capsys.readouterr().out
        assert "remains in the vault" in said
        assert traces(served.config.home) == []
        found = served.workspace.search("сокровище дубом", 5)
        assert not [passage for passage in found.passages if passage.chunk.path == SECRET]
        assert main(["forget", SECRET, "--undo", *places], _nothing) == 0
        with served.http() as http:
            assert http.post("/forget/undo", json={"path": SECRET}).status_code == 400
