"""`vaultrag nightly` as it is typed: a night, its schedule, and what `doctor` says of both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.served import write_notes
from vaultrag.cli.main import main
from vaultrag.config import Config, Settings
from vaultrag.errors import NightNotRun, UsageError
from vaultrag.jobs import nightly
from vaultrag.maintenance.doctor_night import night_findings
from vaultrag.runtime.pool import ModelPool

Run = Callable[..., int]


@pytest.fixture
def config(vault: Path, home: Path, tmp_path: Path) -> Config:
    write_notes(vault)
    home.mkdir()
    (home / "config.toml").write_text("[night]\nsettle_seconds = 0\nnotify = false\n")
    return Config(vault=vault, home=home, models=tmp_path / "models", settings=Settings())


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setattr(ModelPool, "of", lambda config: ModelPool.given(config, HashEmbedder(), None))
    monkeypatch.setattr(nightly, "on_battery", lambda: False)
    monkeypatch.setenv("VAULTRAG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    def refuse_to_serve(*_: object) -> None:
        raise AssertionError("no server is started here")

    places = ("--vault", str(config.vault), "--home", str(config.home))
    return lambda *arguments: main([*arguments, *places], refuse_to_serve)


@pytest.mark.slow
def test_night_ends_with_a_report_that_doctor_knows(
    config: Config, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("nightly", "--json") == 0
    night = json.loads(capsys.readouterr().out)
    assert Path(night["report"]).is_file()
    assert [stage["name"] for stage in night["stages"]][:2] == ["index", "embed"]
    assert any("nothing failed" in finding.detail for finding in night_findings(config))


@pytest.mark.parametrize("kind", ["systemd", "launchd", "cron", "task"])
def test_schedule_is_shown_and_nothing_written(
    config: Config, run: Run, capsys: pytest.CaptureFixture[str], kind: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert run("nightly", "--install", "--kind", kind, "--dry-run", "--at", "03:30") == 0
    shown = capsys.readouterr().out
    assert str(config.vault) in shown.replace("\n", "")
    assert "Nothing was written" in shown
    assert sorted(tmp_path.rglob("*")) == before


def test_schedule_is_not_written_unasked(run: Run, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert run("nightly", "--install", "--kind", "systemd") == UsageError.exit_code
    assert sorted(tmp_path.rglob("*")) == before


def test_night_on_the_battery_has_a_code_of_its_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "on_battery", lambda: True)
    assert run("nightly") == NightNotRun.exit_code


@pytest.mark.parametrize(
    "arguments", [("--install", "--uninstall"), ("--yes",), ("--dry-run",), ("--install", "--kind", "at", "--dry-run")]
)
def test_options_that_make_no_sense_are_refused(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("nightly", *arguments) == UsageError.exit_code
