"""Persons go first at a real model process: a job stands aside, goes on as if nothing had been, and lets go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gguf_files import write_tiny_model
from tests.waiting import wait_until
from vaultrag.config import Config, Settings
from vaultrag.domain import Generation, JobBudget, JobOrder, JobState, Message, Role, Sampling
from vaultrag.jobs import kinds
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.recorded import RecordedModel
from vaultrag.jobs.runs import JobRun, Outcome
from vaultrag.jobs.worker import JobWorker
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace import Ownership, Workspace

pytestmark = pytest.mark.slow

LONG = 3_000  # tokens: some seconds of a tiny model
ORDER = JobOrder("write", "Пиши", {}, JobBudget(0, 0))
JOBS_PROMPT = (Message("user", "Расскажи длинную сказку."),)
PERSONS_PROMPT = (Message("user", "Кто там?"),)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "vault").mkdir()
    path = write_tiny_model(tmp_path / "tiny.gguf", context=4096)
    settings = Settings.model_validate(
        {"roles": {"answer": str(path)}, "runtime": {"context": 4096}, "night": {"settle_seconds": 0, "notify": False}}
    )
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=settings)
    with Workspace(config, Ownership.OWN, ModelPool.of(config)) as made:
        yield made


class Writing:
    """A job that has the model write at length; `begun` once it has written a word, `said` when it is through."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.said: list[str] = []

    def __call__(self, workspace: Workspace, run: JobRun) -> Outcome:
        model = RecordedModel(workspace.models.chat(Role.ANSWER), run)
        for piece in model.generate(JOBS_PROMPT, Sampling(max_tokens=LONG)):
            if isinstance(piece, Generation):
                self.said.append(piece.text)
            elif piece:
                self.begun.set()
        return Outcome("written")


def asked_by_a_person(workspace: Workspace) -> int:
    *_, last = workspace.models.chat(Role.ANSWER).generate(PERSONS_PROMPT, Sampling(max_tokens=5))
    assert isinstance(last, Generation)
    return last.completion_tokens


def test_persons_are_answered_in_the_middle_of_a_job_which_then_says_the_same(workspace: Workspace) -> None:
    alone, disturbed = Writing(), Writing()
    worker = JobWorker(workspace, {"write": alone})
    worker.queue.submit(ORDER)
    assert worker.work_at_next()
    worker = JobWorker(workspace, {"write": disturbed})
    job = worker.queue.submit(ORDER)
    worker.start()
    assert disturbed.begun.wait(30)
    for _ in range(3):
        assert asked_by_a_person(workspace) == 5
        assert worker.queue.job(job.id).state is JobState.RUNNING, "the person did not wait for its end"
    wait_until(lambda: worker.queue.job(job.id).state is JobState.DONE)
    worker.close()
    assert disturbed.said == alone.said
    assert worker.queue.job(job.id).units == 1


def test_cancelled_job_gives_the_model_back(workspace: Workspace) -> None:
    writing = Writing()
    worker = JobWorker(workspace, {"write": writing})
    job = worker.queue.submit(ORDER)
    worker.start()
    assert writing.begun.wait(30)
    worker.cancel(job.id)
    assert asked_by_a_person(workspace) == 5
    worker.close()
    assert writing.said == []
    assert worker.queue.job(job.id).units == 0


def test_night_steps_aside_for_a_person_and_goes_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The night's last stage is at the model: the person's words come in the middle of it, the night's after them."""
    alone, disturbed = Writing(), Writing()
    worker = JobWorker(workspace, {"write": alone})
    worker.queue.submit(ORDER)
    assert worker.work_at_next()
    monkeypatch.setattr(kinds, "KINDS", {**kinds.KINDS, "write": disturbed})
    worker = JobWorker(workspace)
    night = worker.queue.submit(night_order(10, battery=True))
    job = worker.queue.submit(ORDER)
    worker.start()
    assert disturbed.begun.wait(30)
    happened = [worker.queue.job(night.id).stage]
    for _ in range(3):
        assert asked_by_a_person(workspace) == 5
        happened += ["person", worker.queue.job(job.id).state]
    wait_until(lambda: worker.queue.job(night.id).state.ended)
    worker.close()
    assert happened == ["jobs", *(["person", JobState.RUNNING] * 3)]
    assert worker.queue.job(night.id).state is JobState.DONE
    assert worker.queue.job(job.id).state is JobState.DONE
    assert disturbed.said == alone.said, "what it was at goes on with the words that it would have said"
