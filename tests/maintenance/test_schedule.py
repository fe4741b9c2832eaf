"""What begins the night, as each system wants it written: compared whole with files that a person has read."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vaultrag.config import Config, Settings
from vaultrag.errors import UsageError
from vaultrag.maintenance.schedule import NightCommand, ScheduleKind, night_command, plan_schedule

CASES = Path(__file__).parents[1] / "cases" / "schedules"
VAULT = "/home/ira/Заметки 100% & $HOME"
HOME = '/home/ira/it\'s "home" \\ here'
WORDS = ("/opt/py 3/python", "-P", "-m", "vaultrag", "nightly", "--vault", VAULT, "--home", HOME)
MODELS = "/mnt/big disk/50%$"
NIGHT = NightCommand("vaultrag-nightly-0a1b2c3d", "Заметки 100% & $HOME", WORDS, {"VAULTRAG_MODELS": MODELS}, 2, 5)
UNITS = Path("/home/ira/units")


@pytest.mark.parametrize("kind", [ScheduleKind.SYSTEMD, ScheduleKind.LAUNCHD, ScheduleKind.TASK])
def test_files_are_those_that_were_read(kind: ScheduleKind) -> None:
    files = plan_schedule(kind, NIGHT, UNITS, 501).files
    assert files
    for file in files:
        assert file.path.parent == UNITS
        assert file.text == (CASES / file.path.name).read_text(encoding="utf-8")


def test_cron_line_is_the_one_that_was_read() -> None:
    schedule = plan_schedule(ScheduleKind.CRON, NIGHT, UNITS)
    assert f"{schedule.line}\n" == (CASES / "crontab").read_text(encoding="utf-8")
    assert schedule.files == ()


def test_shell_reads_the_cron_line_as_the_command() -> None:
    said = plan_schedule(ScheduleKind.CRON, NIGHT, UNITS).line.replace("\\%", "%")  # as cron hands it over
    words = shlex.split(said, comments=True)
    assert words[:5] == ["5", "2", "*", "*", "*"]
    assert words[5:] == [f"VAULTRAG_MODELS={MODELS}", "nice", *WORDS, ">/dev/null", "2>&1"]


def test_launchd_reads_the_agent_as_the_command() -> None:
    agent = plistlib.loads(plan_schedule(ScheduleKind.LAUNCHD, NIGHT, UNITS, 501).files[0].text.encode())
    assert tuple(agent["ProgramArguments"]) == WORDS
    assert agent["EnvironmentVariables"] == {"VAULTRAG_MODELS": MODELS}
    assert agent["StartCalendarInterval"] == {"Hour": 2, "Minute": 5}


def test_agent_without_variables_is_one_that_can_be_read() -> None:
    plain = NightCommand(NIGHT.name, NIGHT.vault, WORDS, {}, 23, 0)
    agent = plistlib.loads(plan_schedule(ScheduleKind.LAUNCHD, plain, UNITS, 501).files[0].text.encode())
    assert agent["EnvironmentVariables"] == {}


def test_task_is_written_as_windows_reads_it() -> None:
    file = plan_schedule(ScheduleKind.TASK, NIGHT, UNITS).files[0]
    root = ElementTree.fromstring(file.text.encode(file.encoding))
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert root.findtext(f".//{space}Command") == WORDS[0]
    assert root.findtext(f".//{space}Arguments") == subprocess.list2cmdline(WORDS[1:])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_no_fault_in_its_units(tmp_path: Path) -> None:
    words = (shutil.which("true") or "/bin/true", *WORDS[1:])
    for file in plan_schedule(
        ScheduleKind.SYSTEMD, NightCommand(NIGHT.name, NIGHT.vault, words, {}, 2, 5), tmp_path
    ).files:
        file.path.write_text(file.text, encoding=file.encoding)
    run = subprocess.run(
        ["systemd-analyze", "verify", "--user", f"{tmp_path}/{NIGHT.name}.timer"],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert NIGHT.name not in run.stderr


@pytest.mark.parametrize("at", ["", "25:00", "2", "02:60", "полночь", "2am"])
def test_what_is_no_hour_is_refused(tmp_path: Path, at: str) -> None:
    with pytest.raises(UsageError, match="no time of the day"):
        night_command(_config(tmp_path), WORDS[:4], at, {})


def test_path_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="line break"):
        night_command(_config(tmp_path / "a\nb"), WORDS[:4], "02:00", {})


def test_each_home_has_a_night_of_its_own(tmp_path: Path) -> None:
    names = {night_command(_config(tmp_path / name), WORDS[:4], "02:00", {}).name for name in ("дом", "work")}
    assert len(names) == 2
    assert all(name.isascii() for name in names)


def _config(folder: Path) -> Config:
    return Config(vault=folder / "vault", home=folder / "home", models=folder, settings=Settings())
