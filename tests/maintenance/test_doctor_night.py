"""What `doctor` says of nights: those that ended, failed, were never tried, or ended by another clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vaultrag.config import Config, Settings
from vaultrag.domain import JobFailure, JobState, StageOutcome, StageState
from vaultrag.errors import ReportFailed
from vaultrag.jobs.nightly import night_order
from vaultrag.maintenance.doctor_night import night_findings
from vaultrag.records.queue import JobQueue
from vaultrag.store.jobs.rows import take
from vaultrag.store.night.nights import begin_night, end_night
from vaultrag.store.opening import open_database

DAY = 86400


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    settings = Settings.model_validate({"night": {"window": "01:00-06:00"}})
    return Config(vault=tmp_path / "vault", home=tmp_path / "home", models=tmp_path / "models", settings=settings)


@contextmanager
def queue_of(config: Config) -> Iterator[JobQueue]:
    with open_database(config.database_path) as database:
        yield JobQueue(config, database)


def one_night(config: Config, ended: float, *stages: StageOutcome) -> None:
    """Have a night end at so many seconds since 1970."""
    with queue_of(config) as queue:
        key = queue.submit(night_order(10, battery=True)).id
        lease = take(queue.database, "test", 1)
        assert lease is not None
        begin_night(queue.database, key, 1)
        end_night(queue.database, key, int(ended * 1_000_000), stages)
        queue.finish(lease, JobState.DONE, result=key)


def failed_night(config: Config, state: JobState) -> None:
    with queue_of(config) as queue:
        queue.submit(night_order(10, battery=True))
        lease = take(queue.database, "test", 1)
        assert lease is not None
        failure = JobFailure("DiskFull", "There is no space left.", "Free some space.")
        if state is JobState.QUEUED:
            queue.put_off(lease, failure, 2)
        else:
            queue.finish(lease, state, failure=failure if state is JobState.FAILED else None)


def said(config: Config) -> str:
    return "\n".join(f"{one.severity}: {one.detail} {one.remedy}" for one in night_findings(config))


def test_window_is_what_begins_the_night(config: Config) -> None:
    assert "between 01:00 and 06:00 where a server runs; none has run to its end" in said(config)


def test_night_that_nothing_begins_has_two_remedies(config: Config) -> None:
    plain = config.model_copy(update={"settings": Settings()})
    assert "--install" in said(plain)
    assert "night.window" in said(plain)


def test_last_night_is_dated(config: Config) -> None:
    one_night(config, time.time() - 60, StageOutcome("index", StageState.DONE))
    assert f"ended {time.strftime('%Y-%m-%d', time.localtime(time.time() - 60))}" in said(config)
    assert "nothing failed" in said(config)


def test_folder_that_took_no_report_is_named(config: Config) -> None:
    stage = StageOutcome(
        "report", StageState.FAILED, error=ReportFailed.__name__, message="It is a file.", remedy="Name another one."
    )
    one_night(config, time.time() - 60, stage)
    assert "something failed. report: It is a file. Name another one." in said(config)


def test_what_a_night_did_not_reach_is_named(config: Config) -> None:
    one_night(config, time.time() - 60, StageOutcome("stale", StageState.NOT_REACHED))
    assert "before it reached: stale" in said(config)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            JobState.FAILED,
            "warning: The last night failed, and has no report: There is no space left. Free some space.",
        ),
        (JobState.QUEUED, "warning: A night is to be tried again: There is no space left. Free some space."),
        (JobState.CANCELLED, "info: The last night was cancelled, and has no report."),
        (JobState.SPENT, "info: The last night was spent, and has no report."),
    ],
)
def test_night_without_an_end_is_not_passed_over(config: Config, state: JobState, words: str) -> None:
    one_night(config, time.time() - 2 * DAY, StageOutcome("index", StageState.DONE))
    failed_night(config, state)
    assert words in said(config)
    assert "nothing failed" in said(config), "the one before is told, too"


def test_missed_nights_are_a_warning(config: Config) -> None:
    one_night(config, time.time() - 5 * DAY, StageOutcome("index", StageState.DONE))
    assert "warning: It begins between 01:00 and 06:00" in said(config)
    assert "some were missed" in said(config)


def test_night_of_another_clock_is_said_to_be_one(config: Config) -> None:
    one_night(config, time.time() + 30 * DAY, StageOutcome("index", StageState.DONE))
    assert "clock was set back" in said(config)
