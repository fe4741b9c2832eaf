"""Killed anywhere and taken up again, a job ends as one that nobody disturbed, and nothing is done twice."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.answering.longer.jury import MEASURED
from tests.jobs.later_vault import (
    DOLGO,
    LONG,
    Asked,
    rows_left,
    submit,
    vault_opened,
    what_came_of_it,
    work_and_be_killed,
    work_and_die,
    worked_off,
)
from vaultrag.domain import JobState, unwatched
from vaultrag.records.queue import JobQueue
from vaultrag.workspace import Workspace

MOST_WRITES = 2_000
KILLS = 25  # of each question


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "calibration", lambda *_: MEASURED)


@pytest.fixture
def queued(tmp_path: Path) -> Path:
    """A vault with one question in the queue."""
    folder = tmp_path / "queued"
    submit(folder, chat="дом")
    return folder


def ended_in(folder: Path) -> Asked:
    with vault_opened(folder) as workspace:
        worked_off(workspace)
    return what_came_of_it(folder)


def undisturbed(queued: Path) -> Asked:
    asked = ended_in(Path(shutil.copytree(queued, queued.with_name("undisturbed"))))
    assert asked.job.state is JobState.DONE
    assert len(asked.calls) > 3, "there is nothing to interrupt"
    return asked


def repeated(asked: Asked, whole: Asked) -> int:
    """Return how many calls were made again; those that one whole run makes are all there."""
    assert set(asked.calls) == set(whole.calls)
    return (Counter(asked.calls) - Counter(whole.calls)).total()


def die_at_every(queued: Path, step: int) -> int:
    """Kill before each n-th write, then work on; return how many deaths made a call of the model be made again."""
    whole, again = undisturbed(queued), 0
    for writes in range(1, MOST_WRITES, step):
        folder = Path(shutil.copytree(queued, queued.with_name(f"killed {writes}")))
        died = work_and_die(folder, writes)
        asked = ended_in(folder)
        assert asked.told == whole.told, writes
        assert repeated(asked, whole) <= died, writes
        assert rows_left(folder) == 0
        again += repeated(asked, whole)
        shutil.rmtree(folder)
        if not died:
            return again
    raise AssertionError("it never came to its end")


def test_killed_before_some_writes_the_answer_is_the_same(queued: Path) -> None:
    die_at_every(queued, 61)


@pytest.mark.slow
def test_killed_before_any_write_the_answer_is_the_same(queued: Path) -> None:
    """Some deaths lie between a call and its commit: only these calls are made again."""
    assert die_at_every(queued, 3) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "question"), [(1, LONG), (2, DOLGO)])
def test_killed_again_and_again_the_answer_is_the_same(tmp_path: Path, seed: int, question: str) -> None:
    queued, drawn, kills = tmp_path / "queued", random.Random(seed), 0
    submit(queued, question)
    whole = undisturbed(queued)
    while kills < KILLS:
        folder, deaths = Path(shutil.copytree(queued, tmp_path / "killed")), 0
        while died_at_random(folder, drawn):
            deaths += 1
        asked = what_came_of_it(folder)
        assert asked.told == whole.told
        assert repeated(asked, whole) <= deaths
        shutil.rmtree(folder)
        kills += deaths


def test_note_that_a_killed_job_has_read_is_forgotten_with_the_job(queued: Path) -> None:
    """Its units hold words of the note: what a model drafted from it."""
    for writes in range(250, 50, -20):
        folder = Path(shutil.copytree(queued, queued.with_name(f"killed {writes}")))
        if work_and_die(folder, writes):
            break
    with vault_opened(folder) as workspace:
        assert JobQueue(workspace.config, workspace.database).job().units > 0
        assert holding(folder / "home", "03:30"), "the test would see nothing"
        workspace.forgetting.forget("Servers/", unwatched)
        assert JobQueue(workspace.config, workspace.database).jobs() == []
        assert holding(folder / "home", "03:30") == []
    assert holding(folder / "home", "03:30") == []


def holding(home: Path, words: str) -> list[str]:
    return [path.name for path in home.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


def died_at_random(folder: Path, drawn: random.Random) -> bool:
    if drawn.random() < 0.7:
        return work_and_die(folder, drawn.randint(1, 400))
    return work_and_be_killed(folder, drawn.random() / 4)
