"""Killed anywhere and taken up again, a night tells what an undisturbed one tells, and each thing once."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.answering.longer.jury import MEASURED
from tests.jobs.night_vault import (
    LANGUAGES,
    Morning,
    begin_night_over,
    morning_of,
    night_dies,
    night_is_killed,
    night_opened,
    work_the_night_off,
    write,
)
from vaultrag.domain import unwatched
from vaultrag.workspace import Workspace

pytestmark = pytest.mark.slow
KILLS = 25  # of each language


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "calibration", lambda *_: MEASURED)


def repeated(killed: Morning, whole: Morning) -> int:
    """Return how many calls were made again; those that one whole night makes are all there."""
    assert whole.calls.keys() == killed.calls.keys()
    return (killed.calls - whole.calls).total()


@pytest.mark.parametrize(("seed", "language"), [(1, "ru"), (2, "en")])
def test_killed_again_and_again_the_night_tells_the_same(tmp_path: Path, seed: int, language: str) -> None:
    begun, drawn, kills = tmp_path / "begun", random.Random(seed), 0
    notes, question = LANGUAGES[language]
    write(begun, notes)
    begin_night_over(begun, question)
    undisturbed = Path(shutil.copytree(begun, tmp_path / "undisturbed"))
    writes = work_the_night_off(undisturbed)
    whole = morning_of(undisturbed)
    assert len(whole.reports) == 1
    assert len(whole.calls) > 3, "there is nothing to interrupt"
    while kills < KILLS:
        folder, deaths = Path(shutil.copytree(begun, tmp_path / "killed")), 0
        while died_at_random(folder, drawn, writes):
            deaths += 1
        morning = morning_of(folder)
        assert (morning.reports, morning.told) == (whole.reports, whole.told)
        assert repeated(morning, whole) <= deaths
        shutil.rmtree(folder)
        kills += deaths


def died_at_random(folder: Path, drawn: random.Random, writes: int) -> bool:
    if drawn.random() < 0.8:
        return night_dies(folder, drawn.randint(1, writes))
    return night_is_killed(folder, drawn.random() / 2)


def test_what_changes_while_a_night_is_dead_is_told_once(tmp_path: Path) -> None:
    """Its words may be written already, its file not yet, or what they tell not yet counted as told."""
    base = tmp_path / "base"
    write(base, LANGUAGES["ru"][0])
    begin_night_over(base)
    work_the_night_off(base)
    write(base, {"Дом/Кухня.md": "# Кухня\n\nОкна на улицу.\n"})
    begin_night_over(base)
    writes = work_the_night_off(Path(shutil.copytree(base, tmp_path / "undisturbed")))
    for number in range(writes - 42, writes + 1, 2):
        folder = Path(shutil.copytree(base, tmp_path / "killed"))
        assert night_dies(folder, number)
        write(folder, {"Дом/Бойлер.md": "# Бойлер\n\nНовый бак.\n"})
        with night_opened(folder) as workspace:
            workspace.follow(None, unwatched)
        work_the_night_off(folder)
        begin_night_over(folder)
        work_the_night_off(folder)
        morning = morning_of(folder)
        told = [line for report in morning.reports[1:] for line in report if line == "> - [[Бойлер]]"]
        assert len(told) == 1, f"killed before write {number}"
        shutil.rmtree(folder)
