"""How soon a person's first token comes while the night works at a model, and that the night goes on afterwards.

usage: scripts/bench night_first_token

The real small model, in a real night over a few notes: its last stage works at deep questions that were left for later.
A person's question is short, new from its first word on, and asked of the same model; alternately none works beside it.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.datasets import REPOSITORY
from benchmarks.products import show_progress
from benchmarks.report import Figure, change, quantile, share, write_report
from vaultrag.config import Config, Settings, models_dir
from vaultrag.domain import JobBudget, Manner, Message, Mode, Role, Sampling, unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs.later import question_order
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.workspace import Ownership, Workspace

ASKED = 20  # times, of each kind
LATEST = 2.0  # seconds until a person asks: somewhere in a call of the night, which takes a minute
QUESTIONS = (
    "When does the nightly backup run, where does it go, and what else runs at that time?",
    "Что и когда меняли в бойлере, и кто это делал?",
    "Which machines are there, and what is each of them for?",
    "Сколько стоил ремонт, и что из этого изменилось?",
)
NOTES = (
    "Seconds from asking to the first word, by wall clock, of one model process. The search before it is not in them.",
    "The night reads and writes for deep questions of its own the whole time, each of whose calls takes up to minutes.",
    "Goes on: the night got further (calls done) after the last question, and its job ended as done or was going on.",
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, _opened(Path(folder)) as workspace:
        numbers, alone, beside = random.Random(7), list[float](), list[float]()
        workspace.models.warm_answer()
        _first_token(workspace, numbers)
        for number in range(ASKED):
            show_progress("first token, nobody beside", number, ASKED)
            alone.append(_first_token(workspace, numbers))
        with closing(JobWorker(workspace)) as worker:
            night = _begun(worker)
            for number in range(ASKED):
                show_progress("first token, the night beside", number, ASKED)
                threading.Event().wait(numbers.uniform(0, LATEST))
                beside.append(_first_token(workspace, numbers))
            went_on = _goes_on(worker, night)
    figures = [*_figures("nobody beside", alone), *_figures("the night beside", beside)]
    figures.append(change("later by, mean of the pairs", [b - a for a, b in zip(alone, beside, strict=True)], " s"))
    figures.append(share("the night went on afterwards", int(went_on), 1))
    write_report("night_first_token", "A person's first token in the middle of a night", figures, NOTES)
    return 0 if went_on else 1


@contextmanager
def _opened(folder: Path) -> Iterator[Workspace]:
    """Index a few of the fixture's notes, those that the questions are about."""
    vault = folder / "vault"
    vault.mkdir()
    chosen = sorted((REPOSITORY / "fixtures" / "vault").rglob("*.md"), key=lambda path: path.name)[::20]
    for number, path in enumerate(chosen):
        shutil.copy(path, vault / f"{number} {path.name}")
    settings = Settings.model_validate({"night": {"settle_seconds": 0, "notify": False}})
    config = Config(vault=vault, home=folder / "home", models=models_dir(), settings=settings)
    with closing(Workspace.open(config, Ownership.OWN)) as workspace:
        workspace.index(unwatched, DeletionPolicy.ACCEPT)
        yield workspace


def _begun(worker: JobWorker) -> str:
    """Have a night begin, and wait until it is at the model."""
    night = worker.submit(night_order(60, battery=True)).id
    manner = Manner(mode=Mode.DEEP)
    jobs = [worker.submit(question_order(text, manner, JobBudget(30, 0))).id for text in QUESTIONS]
    worker.start()
    pause = threading.Event()
    while not any(worker.queue.job(key).units for key in jobs):
        show_progress(f"the night: {worker.queue.job(night).stage}", 0, 1)
        pause.wait(0.5)
    return night


def _first_token(workspace: Workspace, numbers: random.Random) -> float:
    text = f"{numbers.randrange(10**6)} — как ответить на это одним предложением? Say it in one sentence, please."
    model = workspace.models.chat(Role.ANSWER)
    began = time.perf_counter()
    with closing(model.generate([Message("user", text)], Sampling(max_tokens=8))) as pieces:  # type: ignore[type-var]
        next(piece for piece in pieces if piece)
        return time.perf_counter() - began


def _goes_on(worker: JobWorker, night: str) -> bool:
    """Wait for the next call that the night does; return whether one was done."""
    before, deadline, pause = _calls(worker), time.monotonic() + 120, threading.Event()
    while time.monotonic() < deadline:
        if _calls(worker) > before:
            return True
        pause.wait(0.2)
    return worker.queue.job(night).state.ended


def _calls(worker: JobWorker) -> int:
    return sum(job.units for job in worker.queue.jobs())


def _figures(what: str, seconds: list[float]) -> list[Figure]:
    worst = max(seconds)
    return [
        quantile(f"first token, {what}, median", seconds, 0.5, " s"),
        quantile(f"first token, {what}, 95th percentile", seconds, 0.95, " s"),
        Figure(f"first token, {what}, longest", worst, worst, worst, len(seconds), " s"),
    ]


if __name__ == "__main__":
    sys.exit(main())
