"""The night is installed, found and taken out where systems keep it; programs of the system are stood in for."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from vaultrag.config import Config, Settings
from vaultrag.errors import ScheduleFailed
from vaultrag.maintenance.schedule import ScheduleKind
from vaultrag.maintenance.scheduler import InstalledNight, install, installed, kind_here, schedule_of, uninstall

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs that are stood in for are shell scripts")
CRONTAB = """#!/bin/sh
if [ "$1" = -l ]; then [ -f "$TABLE" ] && cat "$TABLE" || { echo "no crontab for ira" >&2; exit 1; }
else cat > "$TABLE"; fi
"""
NOTED = '#!/bin/sh\necho "$0 $*" >> "$CALLS"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A home, and a user whose programs are `crontab` and one that writes down how it was called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in {"crontab": CRONTAB, "systemctl": NOTED, "launchctl": NOTED}.items():
        (programs / name).write_text(script)
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("TABLE", str(tmp_path / "table"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    (tmp_path / "home").mkdir()
    return Config(vault=tmp_path / "Заметки", home=tmp_path / "home", models=tmp_path, settings=Settings())


@pytest.mark.parametrize("kind", [ScheduleKind.SYSTEMD, ScheduleKind.LAUNCHD, ScheduleKind.CRON])
def test_night_is_installed_found_and_taken_out(config: Config, kind: ScheduleKind) -> None:
    assert installed(config) == []
    install(schedule_of(config, kind, "2:07"))
    assert installed(config) == [InstalledNight(kind, "02:07")]
    install(schedule_of(config, kind, "23:30"))
    assert installed(config) == [InstalledNight(kind, "23:30")]
    assert uninstall(config) == [kind]
    assert installed(config) == []
    assert uninstall(config) == []


def test_task_is_found_by_its_file(config: Config) -> None:
    for file in schedule_of(config, ScheduleKind.TASK, "03:15").files:
        file.path.write_text(file.text, encoding=file.encoding)
    assert installed(config) == [InstalledNight(ScheduleKind.TASK, "03:15")]


def test_other_lines_of_the_crontab_stay(config: Config, tmp_path: Path) -> None:
    others = "# мои задания\n30 4 * * * /usr/bin/backup --what '100\\%'\n"
    (tmp_path / "table").write_text(others)
    install(schedule_of(config, ScheduleKind.CRON, "02:00"))
    assert (tmp_path / "table").read_text().startswith(others)
    uninstall(config)
    assert (tmp_path / "table").read_text() == others


def test_systemd_is_told(config: Config, tmp_path: Path) -> None:
    install(schedule_of(config, ScheduleKind.SYSTEMD, "02:00"))
    told = (tmp_path / "calls").read_text()
    assert "--user daemon-reload" in told
    assert "--user enable --now vaultrag-nightly-" in told


def test_program_that_refuses_says_why(config: Config, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "systemctl"
    program.write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    with pytest.raises(ScheduleFailed, match="Failed to connect to bus"):
        install(schedule_of(config, ScheduleKind.SYSTEMD, "02:00"))


def test_folder_that_cannot_be_written_is_named(config: Config, tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("a file stands here")
    with pytest.raises(ScheduleFailed, match="cannot be written"):
        install(schedule_of(config, ScheduleKind.SYSTEMD, "02:00"))


def test_night_keeps_the_folder_of_models(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULTRAG_MODELS", "/mnt/модели")
    assert "VAULTRAG_MODELS=/mnt/модели" in schedule_of(config, ScheduleKind.SYSTEMD, "02:00").files[0].text


@pytest.mark.skipif(sys.platform == "darwin", reason="launchd is always there")
def test_system_without_any_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScheduleFailed, match="Neither systemd nor cron"):
        kind_here()
