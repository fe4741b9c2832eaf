"""A vault and models that are asked long questions by jobs, and processes that die while they are."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.answering.longer.jury import NOTES, Juror
from tests.crash_runner import DIED, MortalDatabase
from tests.deaths import ended
from vaultrag.config import Config, Settings
from vaultrag.domain import (
    AnswerStyle,
    Job,
    JobBudget,
    Manner,
    Message,
    Mode,
    Piece,
    Priority,
    Sampling,
    SavedAnswer,
    Scores,
    unwatched,
)
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.jobs.later import question_order
from vaultrag.jobs.retry import RETRIES
from vaultrag.jobs.worker import JobWorker
from vaultrag.records.queue import JobQueue
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.store.traces import find_trace
from vaultrag.workspace import Ownership, Workspace

LONG = "Where does the restic backup of mayak run to?"
DOLGO = "Куда идёт бэкап restic на mayak?"
BACKED = "The restic backup of mayak runs every night at 03:30."
FIRST = f"{BACKED} It goes to the Kraken array."  # what has no source there is searched for
SECOND = f"{BACKED} Kraken keeps its copies in the cellar."
KRAKEN = {"Storage/Kraken.md": "# Kraken\n\nThe Kraken array keeps its copies in the cellar.\n"}
DEEP = Manner(style=AnswerStyle.PROSE, mode=Mode.DEEP)
BUDGET = JobBudget(minutes=10, tokens=50_000)
UNDYING = replace(RETRIES, deaths=10_000)


@dataclass(slots=True)
class LoggedModel(Juror):
    """A juror that writes down, in a file, each call that it has answered whole; its priorities, too.

    It answers by what it is asked, not by how often: another process asks on.
    """

    log: Path = Path()
    priorities: list[Priority] = field(default_factory=list)

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        self.priorities.append(sampling.priority)
        reply = SECOND if "cellar" in messages[-1].content else FIRST
        yield from Juror([reply]).generate(messages, sampling)
        self._write("generate", messages[-1].content)

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        self.priorities.append(priority)
        found = Juror.score_each(self, conversations, options, priority)
        self._write("score", "".join(messages[-1].content for messages in conversations))
        return found

    def _write(self, what: str, asked: str) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{what} {zlib.crc32(asked.encode())}\n")


@dataclass(frozen=True, slots=True)
class Asked:
    """What can be seen of a job that has ended: itself, its answer, the steps to it, and the calls of the model."""

    job: Job
    answer: SavedAnswer
    steps: tuple[tuple[str, str], ...]
    calls: tuple[str, ...]

    @property
    def told(self) -> tuple[object, ...]:
        """Return what must not depend on how often it was interrupted."""
        said = self.answer.answer
        plain = replace(said, timings={}, saved="", trace="")
        return plain, self.answer.paths, self.answer.chat, self.steps, self.job.units, self.job.tokens, self.job.result


def config_of(folder: Path) -> Config:
    settings = Settings.model_validate({"answering": {"passages": 1}})
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=settings)


@contextmanager
def vault_opened(folder: Path) -> Iterator[Workspace]:
    """Open the index of `folder`, which is made where there is none, with a model that logs what it is asked."""
    config = config_of(folder)
    model = LoggedModel([FIRST], log=folder / "calls")
    is_new = not config.database_path.exists()
    for path, text in {**NOTES, **KRAKEN}.items() if is_new else ():
        (config.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (config.vault / path).write_text(text, encoding="utf-8")
    with Workspace(config, Ownership.OWN, ModelPool.given(config, None, model)) as workspace:
        if is_new:
            workspace.index(unwatched, DeletionPolicy.GUARD)
        yield workspace


def submit(folder: Path, question: str = LONG, budget: JobBudget = BUDGET, chat: str = "") -> Job:
    with vault_opened(folder) as workspace:
        return JobQueue(workspace.config, workspace.database).submit(question_order(question, DEEP, budget, chat))


def worked_off(workspace: Workspace) -> JobWorker:
    """Work at the jobs of a workspace until all have ended; return who did."""
    worker = JobWorker(workspace, policy=UNDYING)
    worker.work_off(lambda: all(job.state.ended for job in worker.queue.jobs()))
    return worker


def what_came_of_it(folder: Path) -> Asked:
    with vault_opened(folder) as workspace:
        job = JobQueue(workspace.config, workspace.database).job()
        trace = find_trace(workspace.database, job.id)
        calls = tuple((folder / "calls").read_text(encoding="utf-8").splitlines())
        steps = tuple((step.step, step.detail) for step in trace.steps)
        return Asked(job, workspace.archive.answer(job.id), steps, calls)


def work_and_die(folder: Path, writes: int) -> bool:
    """Work in a process that dies before its n-th write; return whether it did."""

    def mortal(workspace: Workspace) -> None:
        database = MortalDatabase(workspace.database.path, Access.WRITE)
        database.writes_left = writes
        workspace.database = database

    return os.waitstatus_to_exitcode(os.waitpid(_forked(folder, mortal), 0)[1]) == DIED


def work_and_be_killed(folder: Path, seconds: float) -> bool:
    """Work in a process that is killed after so many seconds; return whether it was."""
    child = _forked(folder, lambda _: None)
    if not ended(child, seconds):
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def _forked(folder: Path, prepare: Callable[[Workspace], None]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with vault_opened(folder) as workspace:
            prepare(workspace)
            worked_off(workspace)
        code = 0
    finally:
        os._exit(code)


def rows_left(folder: Path) -> int:
    """Return how many rows of units and notes jobs have left."""
    with closing(open_database(config_of(folder).database_path, Access.READ)) as database:
        return sum(int(database.value(f"SELECT count(*) FROM {table}")) for table in ("job_units", "job_notes"))
