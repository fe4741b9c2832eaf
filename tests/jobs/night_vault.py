"""A vault in two languages, nights over it, and processes that die while they work at one."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.answering.longer.jury import NOTES
from tests.crash_runner import DIED, NEVER, MortalDatabase
from tests.deaths import ended
from tests.doubles import HashEmbedder
from tests.jobs.later_vault import BUDGET, DEEP, DOLGO, FIRST, KRAKEN, LONG, UNDYING, LoggedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import ChatModel, JobState, Role
from vaultrag.jobs.later import question_order
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.records.queue import JobQueue
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.database import Access
from vaultrag.store.night.nights import read_nights
from vaultrag.workspace import Ownership, Workspace
from vaultrag.workspace.owed import OwedWork
from vaultrag.workspace.vectors import VectorSearch

RUSSIAN = {
    "Дом/Бойлер.md": "# Бойлер\n\nВоду греет Дядя Виктор, мастер из Батуми.\n\n- [ ] поменять анод 📅 2024-03-16\n",
    "Люди/Дядя Виктор.md": "# Дядя Виктор\n\nМастер.\n\n## Вопросы\n\n"
    "- Когда он приедет?\n- Сколько стоит вызов?\n\t- 50 лари\n",
    "Дом/Кухня.md": "# Кухня\n\nОкна на двор.\n",
}
ENGLISH = {
    "Home/Boiler.md": "# Boiler\n\nUncle Victor Price looks after it.\n\n- [ ] replace the anode 📅 2024-03-16\n",
    "People/Uncle Victor Price.md": "# Uncle Victor Price\n\nA plumber.\n\n## Open questions\n\n"
    "- When does he come?\n- How much?\n\t- 50\n",
    "Home/Kitchen.md": "# Kitchen\n\nIts windows face the yard.\n",
}
DISAGREEING_RU = {
    "Сарай.md": "# Сарай\n\n## Насос\n\nГарантия на насос: 24 месяца, чек в папке.\n",
    "Дача.md": "---\ndate: 2025-04-01\n---\n# Дача\n\nГарантия на насос: 3 года, чек в папке.\n",
    "Лайм.md": "**Я:** Сколько весит модель Лайма?\n\n**ChatGPT:** Модель Лайма весит 32 ГБ на диске.\n",
    "Диск.md": "**Я:** Сколько весит модель Лайма?\n\n**ChatGPT:** Модель Лайма весит 21 ГБ на диске.\n",
}
DISAGREEING_EN = {
    "Hut.md": "# Hut\n\n## Way\n\nThe walk to the hut takes 90 minutes.\n",
    "Weekend.md": "---\ndate: 2025-04-01\n---\n# Weekend\n\nTo the hut it's three hours of walk.\n",
    "Lime.md": "**Me:** How large is the model Lime?\n\n**ChatGPT:** The model Lime takes 32 GB on disk.\n",
    "Disk.md": "**Me:** How large is the model Lime?\n\n**ChatGPT:** The model Lime takes 21 GB on disk.\n",
}
LANGUAGES = {"ru": ({**NOTES, **KRAKEN, **RUSSIAN}, DOLGO), "en": ({**NOTES, **KRAKEN, **ENGLISH}, LONG)}
MINUTES = 10.0
TOLD = (
    "SELECT kind, one.path, other.path, text, told FROM night_findings JOIN notes AS one ON one.id = note_id"
    " LEFT JOIN notes AS other ON other.id = other_id ORDER BY 1, 2, 3, 4",
    "SELECT stage, path, done.content_hash FROM night_done AS done JOIN notes ON notes.id = note_id ORDER BY 1, 2",
    "SELECT job_id FROM job_units",
)


def config_of(folder: Path, **settings: dict[str, object]) -> Config:
    plain = {"night": {"settle_seconds": 0, "notify": False}, "answering": {"passages": 1}, **settings}
    made = Settings.model_validate(plain)
    return Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=made)


def write(folder: Path, notes: dict[str, str]) -> None:
    for path, text in notes.items():
        (folder / "vault" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "vault" / path).write_text(text, encoding="utf-8")


@contextmanager
def night_opened(
    folder: Path, writes: int = NEVER, judge: ChatModel | None = None, **settings: dict[str, object]
) -> Iterator[Workspace]:
    """Open the vault of `folder` for one who dies before the n-th write; Chroma, which dies elsewhere, is left out."""
    config = config_of(folder, **settings)
    others = {Role.JUDGE: judge} if judge is not None else {}
    pool = ModelPool.given(config, HashEmbedder(), LoggedModel([FIRST], log=folder / "calls"), others=others)
    with Workspace(config, Ownership.OWN, pool) as workspace:
        database = MortalDatabase(config.database_path, Access.WRITE)
        database.writes_left = writes
        workspace.database = database
        workspace.vectors = VectorSearch(database, pool, None)
        workspace.owed = OwedWork(database, workspace.vectors)
        yield workspace
        database.writes_left = NEVER


def begin_night_over(folder: Path, question: str = "") -> None:
    """Put a night into the queue, and a question that it is to work at."""
    with night_opened(folder) as workspace:
        queue = JobQueue(workspace.config, workspace.database)
        queue.submit(night_order(MINUTES, battery=True))
        if question:
            queue.submit(question_order(question, DEEP, BUDGET, ""))


def work_the_night_off(folder: Path, writes: int = NEVER) -> int:
    """Work at what is in the queue; return how many writes that took."""
    with night_opened(folder, writes) as workspace, closing(JobWorker(workspace, policy=UNDYING)) as worker:
        worker.work_off(lambda: _all_ended(workspace))
        assert isinstance(workspace.database, MortalDatabase)
        return writes - workspace.database.writes_left


def night_dies(folder: Path, writes: int) -> bool:
    """Work in a process that dies before its n-th write; return whether it did."""
    return os.waitstatus_to_exitcode(os.waitpid(_forked(folder, writes), 0)[1]) == DIED


def night_is_killed(folder: Path, seconds: float) -> bool:
    """Work in a process that is killed after so many seconds; return whether it was."""
    child = _forked(folder, NEVER)
    if not ended(child, seconds):
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Morning:
    """What a night left: its reports but for their figures, what counts as told, and each call of the model."""

    reports: tuple[tuple[str, ...], ...]
    told: tuple[Any, ...]
    calls: Counter[str]


def morning_of(folder: Path) -> Morning:
    with night_opened(folder) as workspace:
        database, config = workspace.database, workspace.config
        jobs = JobQueue(config, database).jobs()
        assert [job.state for job in jobs] == [JobState.DONE] * len(jobs)
        assert all(night.ended_at for night in read_nights(database))
        answers = [workspace.archive.answer(job.id).answer.text for job in jobs if job.order.kind == "ask"]
        rows = [database.rows(sql) for sql in TOLD]
    files = sorted(config.nights_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    ids = {job.id: "ID" for job in jobs}
    reports = tuple(_without_figures(file.read_text(encoding="utf-8"), ids) for file in files)
    log = folder / "calls"
    return Morning(reports, (answers, rows), Counter(log.read_text().splitlines() if log.exists() else []))


def _without_figures(text: str, names: dict[str, str]) -> tuple[str, ...]:
    for name, said in names.items():
        text = text.replace(name, said)
    return tuple(line for line in text.splitlines() if not line.startswith("> |"))


def _all_ended(workspace: Workspace) -> bool:
    """Read it without a transaction, which would count as a write after the end."""
    return not workspace.database.rows("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')")


def _forked(folder: Path, writes: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work_the_night_off(folder, writes)
        code = 0
    finally:
        os._exit(code)
