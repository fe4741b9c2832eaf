"""`vaultrag jobs` and `ask --later` as they are typed, with a server and without one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder, ScriptedModel
from tests.served import REPLY, serving, write_notes
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.domain import ChatModel, JobFailure, JobState
from vaultrag.errors import IndexLocked, IndexMissing, JobStopped, ModelCrashed, ModelNotFound, UsageError
from vaultrag.records.queue import JobQueue
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.jobs.rows import take
from vaultrag.store.opening import open_database
from vaultrag.store.owner import OwnerLock

RUSSIAN = "Когда поменяли картридж в бойлере, и сколько он стоил?"
ENGLISH = "When does the restic backup of mayak run, and who is Tata?"
Run = Callable[..., int]

pytestmark = pytest.mark.slow


@pytest.fixture
def config(vault: Path, home: Path, tmp_path: Path) -> Config:
    write_notes(vault)
    return Config(vault=vault, home=home, models=tmp_path / "models", settings=Settings())


def _refuse_to_serve(*_: object) -> None:
    raise AssertionError("no server is started here")


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run commands with a scripted model, where no server runs and none can be started: no embedder is here."""
    model: ChatModel = ScriptedModel([REPLY])
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, HashEmbedder(), model))
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    places = ("--vault", str(config.vault), "--home", str(config.home))
    return lambda *arguments: main([*arguments, *places], _refuse_to_serve)


@pytest.fixture
def indexed(run: Run, capsys: pytest.CaptureFixture[str]) -> Run:
    assert run("index") == 0
    capsys.readouterr()
    return run


@pytest.fixture
def queue(config: Config, indexed: Run) -> Iterator[JobQueue]:
    with open_database(config.database_path) as database:
        yield JobQueue(config, database)


def left(run: Run, capsys: pytest.CaptureFixture[str], question: str = RUSSIAN, *more: str) -> str:
    assert run("ask", question, "--deep", "--later", "--json", *more) == 0
    return str(json.loads(capsys.readouterr().out)["id"])


@pytest.mark.parametrize("question", [RUSSIAN, ENGLISH])
def test_question_is_left_waited_for_and_its_answer_read(
    indexed: Run, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    assert indexed("ask", question, "--deep", "--later") == 0
    said = capsys.readouterr()
    assert "Left as job" in said.out
    assert "nobody works at it yet" in said.err
    job = said.out.split()[3].rstrip(".")
    assert indexed("status") == 0
    assert "1 to be done (see: vaultrag jobs list)" in capsys.readouterr().out
    assert indexed("jobs", "list") == 0
    assert (listed := capsys.readouterr().out).startswith(job)
    assert question in listed
    assert "queued" in listed
    assert indexed("jobs", "wait", job[:5]) == 0
    said = capsys.readouterr()
    assert f"vaultrag answers show {job}" in said.out
    assert "Running." in said.err
    assert indexed("answers", "show", job, "--json") == 0
    assert json.loads(capsys.readouterr().out)["saved"]["answer"]["question"] == question
    assert indexed("traces", "show", job) == 0
    assert indexed("jobs", "wait", job) == 0, "one that has ended is not begun again"
    capsys.readouterr()
    assert indexed("jobs", "list") == 0
    assert "no job to be done" in capsys.readouterr().out
    assert indexed("jobs", "list", "--all", "--json") == 0
    assert [one["state"] for one in json.loads(capsys.readouterr().out)["jobs"]] == ["done"]


def test_answer_goes_into_its_chat(indexed: Run, capsys: pytest.CaptureFixture[str]) -> None:
    job = left(indexed, capsys, RUSSIAN, "--chat", "дом")
    assert indexed("jobs", "wait", job) == 0
    capsys.readouterr()
    assert indexed("chats", "show", "дом", "--json") == 0
    assert [turn["id"] for turn in json.loads(capsys.readouterr().out)["answers"]] == [job]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--later",),
        ("--later", "--deep", "--combo", "any"),
        ("--deep", "--minutes", "3"),
        ("--deep", "--tokens", "3000"),
        ("--later", "--deep", "--minutes", "-1"),
    ],
)
def test_later_that_makes_no_sense_is_told_so(
    indexed: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code = indexed("ask", RUSSIAN, *arguments)
    assert code in (UsageError.exit_code, 3)  # a combination that is not known is one of the settings
    assert "Error:" in capsys.readouterr().err


def test_budget_is_as_it_was_named(indexed: Run, capsys: pytest.CaptureFixture[str]) -> None:
    job = left(indexed, capsys, RUSSIAN, "--minutes", "2.5", "--tokens", "3000")
    assert indexed("jobs", "show", job) == 0
    assert "may take 2.5 minutes and 3,000 tokens" in capsys.readouterr().out


def test_every_state_is_shown_and_ends_waiting_with_a_code_of_its_own(
    indexed: Run, queue: JobQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    job = left(indexed, capsys)
    assert indexed("jobs", "cancel", job) == 0
    assert "cancelled" in capsys.readouterr().out
    assert indexed("jobs", "wait", job) == JobStopped.exit_code
    assert f"jobs resume {job}" in capsys.readouterr().err
    for state, code in ((JobState.SPENT, JobStopped.exit_code), (JobState.FAILED, ModelCrashed.exit_code)):
        assert indexed("jobs", "resume", job) == 0
        lease = take(queue.database, "worker", 0)
        assert lease is not None
        failure = JobFailure("ModelCrashed", "The model ended.", "Ask again.")
        queue.finish(lease, state, failure=failure if state is JobState.FAILED else None)
        capsys.readouterr()
        assert indexed("jobs", "wait", job, "--json") == code
        assert json.loads(capsys.readouterr().err)["error"] in ("JobStopped", "ModelCrashed")
    assert indexed("jobs", "show", job) == 0
    assert "failed: The model ended." in (said := capsys.readouterr().out)
    assert "→ Ask again." in said
    assert indexed("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == {"to_do": 0, "put_aside": 1}
    assert indexed("jobs", "list") == 0
    assert "failed" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["show", "wait", "cancel", "resume"])
def test_job_that_is_not_there_is_a_clear_error(indexed: Run, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert indexed("jobs", command, "zz") == UsageError.exit_code
    assert "No job has an id that begins with “zz”" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("jobs", "list"), ("ask", RUSSIAN, "--deep", "--later")])
def test_before_the_first_index_run_there_is_no_queue(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments) == IndexMissing.exit_code


def test_index_that_another_process_owns_is_written_beside_it_and_worked_at_by_nobody_else(
    config: Config, indexed: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with OwnerLock(config.lock_path):
        job = left(indexed, capsys)
        assert indexed("jobs", "cancel", job) == 0
        assert indexed("jobs", "resume", job) == 0
        assert indexed("jobs", "wait", job) == IndexLocked.exit_code
    assert indexed("jobs", "wait", job) == 0


def test_missing_model_ends_waiting_with_its_own_error(
    indexed: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, HashEmbedder(), None))
    job = left(indexed, capsys, RUSSIAN, "--style", "prose")
    assert indexed("jobs", "wait", job) == ModelNotFound.exit_code
    assert indexed("jobs", "show", job, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["state"], shown["failure"]["error"]) == ("failed", "ModelNotFound")


def test_running_server_is_handed_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path) as served:
        served.server.jobs.start()
        places = ("--vault", str(served.config.vault), "--home", str(served.config.home))

        def run(*arguments: str) -> int:
            return main([*arguments, *places], _refuse_to_serve)

        assert run("ask", ENGLISH, "--deep", "--later") == 0
        said = capsys.readouterr()
        assert "nobody works" not in said.err
        job = said.out.split()[3].rstrip(".")
        assert run("jobs", "wait", job, "--json") == 0
        assert json.loads(capsys.readouterr().out)["state"] == "done"
        assert run("jobs", "cancel", job) == UsageError.exit_code
        assert run("jobs", "show", job) == 0
        assert f"answers show {job}" in capsys.readouterr().out
        served.server.jobs.close()
