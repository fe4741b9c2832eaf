"""Installs the night where this system keeps what begins by itself, takes it out, and knows whether it is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaultrag.config import Config
from vaultrag.errors import DiskFull, ScheduleFailed, is_disk_full
from vaultrag.maintenance.schedule import (
    Schedule,
    ScheduleFile,
    ScheduleKind,
    night_command,
    night_name,
    plan_schedule,
    user_folder,
)

KEPT_VARIABLES = ("VAULTRAG_MODELS",)  # the others name vault and home, which the command says itself
WAIT_SECONDS = 30.0  # such programs answer at once, or not at all
_TIMER_HOUR = re.compile(r"^OnCalendar=\*-\*-\* (\d\d:\d\d):00$", re.MULTILINE)
_PLIST_HOUR = re.compile(r"<key>Hour</key>\s*<integer>(\d+)</integer>\s*<key>Minute</key>\s*<integer>(\d+)</integer>")
_CRON_HOUR = re.compile(r"(\d+) (\d+) ")
_TASK_HOUR = re.compile(r"T(\d\d:\d\d):00</StartBoundary>")


@dataclass(frozen=True, slots=True)
class InstalledNight:
    """A night that begins by itself, at an hour of the user's clock."""

    kind: ScheduleKind
    at: str


def kind_here() -> ScheduleKind:
    """Return what begins things on this system. Raises ScheduleFailed where nothing does."""
    if sys.platform == "win32":
        return ScheduleKind.TASK
    if sys.platform == "darwin":
        return ScheduleKind.LAUNCHD
    if Path("/run/systemd/system").is_dir() and shutil.which("systemctl"):
        return ScheduleKind.SYSTEMD
    if shutil.which("crontab"):
        return ScheduleKind.CRON
    raise ScheduleFailed(
        "Neither systemd nor cron is here, so nothing can begin the night by itself.",
        "Have another program run `vaultrag nightly`, or name a kind to see what it would be: --kind cron --dry-run",
    )


def schedule_of(config: Config, kind: ScheduleKind, at: str) -> Schedule:
    """Return what installing the night of a vault would write. Raises UsageError."""
    environment = {name: value for name in KEPT_VARIABLES if (value := os.environ.get(name, "").strip())}
    night = night_command(config, (sys.executable, "-P", "-m", "vaultrag"), at, environment)
    return plan_schedule(kind, night, _folder(config, kind), _uid())


def install(schedule: Schedule) -> None:
    """Write the files of a schedule, or its line, and make it known. Raises ScheduleFailed, DiskFull."""
    for file in schedule.files:
        _write(file)
    if schedule.line:
        _write_crontab([*_others(schedule.name), schedule.line])
    if schedule.kind is ScheduleKind.LAUNCHD:
        _run_all(schedule.end, needed=False)  # an agent that is known already cannot be made known again
    _run_all(schedule.begin)


def uninstall(config: Config) -> list[ScheduleKind]:
    """Take the night out wherever it is; return of which kinds it was. Raises ScheduleFailed."""
    found = [night.kind for night in installed(config)]
    for kind in found:
        schedule = schedule_of(config, kind, "00:00")
        _run_all(schedule.end, needed=kind is ScheduleKind.TASK)
        if kind is ScheduleKind.CRON:
            _write_crontab(_others(schedule.name))
        for file in schedule.files:
            _remove(file.path)
    return found


def installed(config: Config) -> list[InstalledNight]:
    """Return each way in which the night of a vault begins by itself."""
    nights = [_in_file(config, kind, pattern) for kind, pattern in _HOURS.items()]
    return [night for night in (*nights, _in_crontab(config)) if night is not None]


_HOURS = {
    ScheduleKind.SYSTEMD: ("timer", _TIMER_HOUR),
    ScheduleKind.LAUNCHD: ("plist", _PLIST_HOUR),
    ScheduleKind.TASK: ("xml", _TASK_HOUR),
}


def _in_file(config: Config, kind: ScheduleKind, form: tuple[str, re.Pattern[str]]) -> InstalledNight | None:
    ending, hour = form
    path = _folder(config, kind) / f"{night_name(config)}.{ending}"
    try:
        text = path.read_text(encoding="utf-16" if kind is ScheduleKind.TASK else "utf-8")
    except (OSError, UnicodeError):
        return None
    found = hour.search(text)
    return InstalledNight(kind, _as_hour(":".join(found.groups()))) if found else None


def _as_hour(written: str) -> str:
    return ":".join(f"{int(part):02}" for part in written.split(":"))


def _in_crontab(config: Config) -> InstalledNight | None:
    line = next((line for line in _crontab() if _is_ours(line, night_name(config))), "")
    found = _CRON_HOUR.match(line)
    return InstalledNight(ScheduleKind.CRON, _as_hour(f"{found[2]}:{found[1]}")) if found else None


def _folder(config: Config, kind: ScheduleKind) -> Path:
    return user_folder(kind, Path.home(), os.environ.get("XDG_CONFIG_HOME", ""), config.home)


def _uid() -> int:
    return os.getuid() if sys.platform != "win32" else 0


def _others(name: str) -> list[str]:
    return [line for line in _crontab() if not _is_ours(line, name)]


def _is_ours(line: str, name: str) -> bool:
    return line.rstrip().endswith(f"# {name}")


def _crontab() -> list[str]:
    """Return the lines of the user's crontab; none where there is none."""
    if not shutil.which("crontab"):
        return []
    done = _ran(("crontab", "-l"))
    return done.stdout.splitlines() if done.returncode == 0 else []


def _write_crontab(lines: Sequence[str]) -> None:
    _require(_ran(("crontab", "-"), "".join(f"{line}\n" for line in lines)))


def _run_all(commands: Sequence[tuple[str, ...]], needed: bool = True) -> None:
    for command in commands:
        done = _ran(command)
        if needed:
            _require(done)


def _require(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        why = said[-1] if said else f"it ended with {done.returncode}"
        raise ScheduleFailed(
            f"`{' '.join(done.args)}` failed: {why}.", "Name another kind (`--kind cron`), or see it first: --dry-run"
        )


def _ran(command: tuple[str, ...], given: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, errors="replace", timeout=WAIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = "is not here" if isinstance(error, FileNotFoundError) else f"met {type(error).__name__}"
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]} {why}")


def _write(file: ScheduleFile) -> None:
    def write() -> None:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text, encoding=file.encoding, newline="\n")

    _translated(write, file.path)


def _remove(path: Path) -> None:
    _translated(lambda: path.unlink(missing_ok=True), path)


def _translated(act: Callable[[], None], path: Path) -> None:
    try:
        act()
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(f"There is no space left for {path}.", "Free some space, then run it again.") from error
        raise ScheduleFailed(f"{path} cannot be written: {error.strerror}.", "Look at that folder's rights.") from error
