"""The night of a server: when it begins by itself, and when it does not, by a clock that jumps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.waiting import wait_until
from vaultrag.api import night_window
from vaultrag.api.night_window import NightWatch, NightWindow, window_at
from vaultrag.config import Config, NightSection, Settings
from vaultrag.domain import JobState
from vaultrag.jobs import nightly
from vaultrag.jobs.nightly import night_order
from vaultrag.jobs.worker import JobWorker
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.night.nights import read_nights
from vaultrag.workspace import Ownership, Workspace


def at(said: str) -> datetime:
    """Return a time of the user's clock, in the spring of a year in which nothing else happens."""
    return datetime.fromisoformat(f"2031-05-{said}")


@pytest.mark.parametrize(
    ("hours", "now", "begins"),
    [
        ("01:00-06:00", "10 01:00", "10 01:00"),
        ("01:00-06:00", "10 05:59", "10 01:00"),
        ("01:00-06:00", "10 06:00", ""),
        ("01:00-06:00", "10 00:59", ""),
        ("23:30-05:00", "10 23:30", "10 23:30"),
        ("23:30-05:00", "10 04:59", "09 23:30"),
        ("23:30-05:00", "10 12:00", ""),
        ("03:00-03:00", "10 02:00", "09 03:00"),
        ("", "10 02:00", ""),
    ],
)
def test_windows_are_of_the_users_clock(hours: str, now: str, begins: str) -> None:
    found = window_at(hours, at(now))
    assert (found.begins if found else None) == (at(begins) if begins else None)


@pytest.mark.parametrize("hours", ["1-6", "01:00", "25:00-06:00", "01:00-06:60", "01:00-06:00 "])
def test_window_that_is_none_is_refused(hours: str) -> None:
    with pytest.raises(ValueError, match="window"):
        Settings.model_validate({"night": {"window": hours}})


@pytest.fixture(autouse=True)
def on_mains(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (nightly, night_window):
        monkeypatch.setattr(module, "on_battery", lambda: False)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[JobWorker]:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "Кухня.md").write_text("# Кухня\n\nОкна на двор.\n", encoding="utf-8")
    settings = Settings.model_validate({"night": {"settle_seconds": 0, "notify": False}})
    config = Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=settings)
    with Workspace(config, Ownership.OWN, ModelPool.given(config, HashEmbedder(), None)) as workspace:
        made = JobWorker(workspace)
        yield made
        made.close()


class Clock:
    """A clock that its owner sets."""

    def __init__(self, worker: JobWorker, **settings: object) -> None:
        self.now = at("10 12:00")
        section = NightSection.model_validate({"window": "01:00-06:00", **settings})
        self.watch = NightWatch(worker, section, lambda: self.now)

    def looks(self, said: str) -> bool:
        self.now = at(said)
        return self.watch.look()


def ended(worker: JobWorker) -> None:
    """End the night that goes on, as if it had been worked through."""
    worker.queue.cancel(worker.queue.job().id)


def test_one_night_begins_in_each_window(worker: JobWorker) -> None:
    clock = Clock(worker)
    assert [clock.looks(f"11 0{hour}:30") for hour in range(7)] == [False, True, False, False, False, False, False]
    ended(worker)
    assert not clock.looks("11 05:00")
    assert not clock.looks("12 00:59")
    assert clock.looks("12 01:00")


def test_machine_that_woke_up_late_has_what_is_left_of_the_window(worker: JobWorker) -> None:
    clock = Clock(worker)
    assert not clock.looks("11 23:00")
    assert clock.looks("12 05:30")
    assert worker.queue.job().order.budget.minutes == 30
    assert worker.queue.job().order.request["until"]
    ended(worker)
    assert not clock.looks("13 05:57"), "hardly time to read the vault"
    assert not clock.looks("13 08:00")


def test_settings_bound_the_minutes(worker: JobWorker) -> None:
    clock = Clock(worker, minutes=90.0)
    assert clock.looks("11 01:00")
    assert worker.queue.job().order.budget.minutes == 90


def test_clock_that_is_set_back_begins_no_second_night_of_a_window(worker: JobWorker) -> None:
    clock = Clock(worker)
    assert clock.looks("11 02:00")
    ended(worker)
    assert not clock.looks("11 00:30")
    assert not clock.looks("11 01:30")


def test_clock_that_was_years_ahead_keeps_no_night_from_beginning(worker: JobWorker) -> None:
    clock = Clock(worker)
    clock.now = datetime.fromisoformat("2047-01-01 02:00")
    assert clock.watch.look()
    ended(worker)
    assert clock.looks("11 02:00")


def test_night_that_somebody_began_goes_on_instead(worker: JobWorker) -> None:
    worker.queue.submit(night_order(10, battery=False))
    clock = Clock(worker)
    assert not clock.looks("11 02:00")


def test_night_waits_for_the_mains(worker: JobWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night_window, "on_battery", lambda: True)
    clock = Clock(worker)
    assert not clock.looks("11 02:00")
    assert Clock(worker, on_battery=True).looks("11 02:00")
    ended(worker)
    monkeypatch.setattr(night_window, "on_battery", lambda: False)
    assert clock.looks("12 03:00")
    assert worker.queue.job().order.budget.minutes == 180


def test_window_of_this_night_is_not_another_clocks() -> None:
    window = NightWindow(at("11 01:00"), at("11 06:00"))
    assert window.holds(at("11 01:00").astimezone())
    assert not window.holds(at("11 06:00").astimezone())


@pytest.mark.slow
def test_open_window_has_its_night_worked_through_once(worker: JobWorker) -> None:
    watch = NightWatch(worker, NightSection(window="00:00-00:00"))
    worker.start()
    watch.start()
    wait_until(lambda: any(job.state is JobState.DONE for job in worker.queue.jobs()))
    assert not watch.look()
    watch.close()
    assert len(read_nights(worker.queue.database)) == 1
