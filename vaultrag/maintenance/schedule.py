"""The night at its hour, as each system wants it written: a systemd timer, a launchd agent, a cron line, or a task.

Everything here takes values and returns values; `maintenance/scheduler.py` writes and removes.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from string import Template
from types import MappingProxyType
from xml.sax.saxutils import escape

from vaultrag.config import Config, shipped
from vaultrag.errors import UsageError

AT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NO_LINE = re.compile(r"[\x00-\x1f\x7f]")


class ScheduleKind(StrEnum):
    """What begins the night: by a file of the user's own, without rights of an administrator."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"
    CRON = "cron"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class NightCommand:
    """What is to be begun, for which vault, and at which hour and minute of the user's clock."""

    name: str
    vault: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    hour: int
    minute: int


@dataclass(frozen=True, slots=True)
class ScheduleFile:
    path: Path
    text: str
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Schedule:
    """What has to be written, and the commands that make it known, or unknown again.

    `line` is one of the user's crontab, that ends with the name of the night.
    """

    kind: ScheduleKind
    name: str
    files: tuple[ScheduleFile, ...] = ()
    line: str = ""
    begin: tuple[tuple[str, ...], ...] = ()
    end: tuple[tuple[str, ...], ...] = ()


def night_name(config: Config) -> str:
    """Return the name of a vault's night: one for each home, and one that says nothing of the notes."""
    digest = hashlib.sha256(str(config.home).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"vaultrag-nightly-{digest}"


def night_command(config: Config, program: Sequence[str], at: str, environment: Mapping[str, str]) -> NightCommand:
    """Return the night of a vault, which begins at `at` (02:00). Raises UsageError for what no system takes."""
    hour, minute = read_hour(at)
    words = (*program, "nightly", "--vault", str(config.vault), "--home", str(config.home))
    if any(map(_NO_LINE.search, (*words, *environment.values()))):
        raise UsageError("A path with a line break in its name cannot be scheduled.", "Rename the folder.")
    return NightCommand(night_name(config), config.vault.name, words, environment, hour, minute)


def read_hour(at: str) -> tuple[int, int]:
    """Return hour and minute. Raises UsageError for what is none."""
    found = AT.fullmatch(at.strip())
    if found is None:
        raise UsageError(f"“{at}” is no time of the day.", "Name hour and minute: --at 02:00")
    return int(found.group(1)), int(found.group(2))


def plan_schedule(kind: ScheduleKind, night: NightCommand, user: Path, uid: int = 0) -> Schedule:
    """Return what begins a night of this kind; `user` is the folder of the user's own settings for it."""
    return _PLANS[kind](night, user, uid)


def user_folder(kind: ScheduleKind, user_home: Path, config_home: str, home: Path) -> Path:
    """Return where files of a kind belong."""
    match kind:
        case ScheduleKind.SYSTEMD:
            return Path(config_home or user_home / ".config") / "systemd" / "user"
        case ScheduleKind.LAUNCHD:
            return user_home / "Library" / "LaunchAgents"
        case _:
            return home


def _systemd(night: NightCommand, user: Path, _: int) -> Schedule:
    variables = (f"Environment={_systemd_word(f'{key}={value}', dollar='$')}\n" for key, value in _sorted(night))
    said = {
        "vault": night.vault.replace("%", "%%"),
        "command": " ".join(map(_systemd_word, night.words)),
        "environment": "".join(variables),
        **_clock(night),
    }
    files = tuple(
        ScheduleFile(user / f"{night.name}.{ending}", _filled(f"systemd.{ending}", said))
        for ending in ("service", "timer")
    )
    control = ("systemctl", "--user")
    timer = f"{night.name}.timer"
    return Schedule(
        ScheduleKind.SYSTEMD,
        night.name,
        files,
        begin=((*control, "daemon-reload"), (*control, "enable", "--now", timer)),
        end=((*control, "disable", "--now", timer),),
    )


def _launchd(night: NightCommand, user: Path, uid: int) -> Schedule:
    space = " " * 8
    pairs = (
        f"{space}<key>{escape(key)}</key>\n{space}<string>{escape(value)}</string>" for key, value in _sorted(night)
    )
    said = {
        "name": night.name,
        "command": "\n".join(f"{space}<string>{escape(word)}</string>" for word in night.words),
        "environment": "\n".join(pairs),
        "hour": str(night.hour),
        "minute": str(night.minute),
    }
    file = ScheduleFile(user / f"{night.name}.plist", _filled("launchd.plist", said).replace("<dict>\n\n", "<dict>\n"))
    return Schedule(
        ScheduleKind.LAUNCHD,
        night.name,
        (file,),
        begin=(("launchctl", "bootstrap", f"gui/{uid}", str(file.path)),),
        end=(("launchctl", "bootout", f"gui/{uid}/{night.name}"),),
    )


def _cron(night: NightCommand, _: Path, __: int) -> Schedule:
    said = {
        "name": night.name,
        "command": " ".join(map(_cron_word, night.words)),
        "environment": "".join(f"{key}={_cron_word(value)} " for key, value in _sorted(night)),
        "hour": str(night.hour),
        "minute": str(night.minute),
    }
    return Schedule(ScheduleKind.CRON, night.name, line=_filled("cron.line", said).rstrip("\n"))


def _task(night: NightCommand, user: Path, _: int) -> Schedule:
    """Windows keeps a user's variables by itself, so that the task has none of its own."""
    said = {
        "vault": escape(night.vault),
        "program": escape(night.words[0]),
        "arguments": escape(subprocess.list2cmdline(night.words[1:])),
        **_clock(night),
    }
    file = ScheduleFile(user / f"{night.name}.xml", _filled("task.xml", said), "utf-16")
    return Schedule(
        ScheduleKind.TASK,
        night.name,
        (file,),
        begin=(("schtasks", "/Create", "/TN", night.name, "/XML", str(file.path), "/F"),),
        end=(("schtasks", "/Delete", "/TN", night.name, "/F"),),
    )


_PLANS: Mapping[ScheduleKind, Callable[[NightCommand, Path, int], Schedule]] = MappingProxyType(
    {
        ScheduleKind.SYSTEMD: _systemd,
        ScheduleKind.LAUNCHD: _launchd,
        ScheduleKind.CRON: _cron,
        ScheduleKind.TASK: _task,
    }
)


def _filled(template: str, said: Mapping[str, str]) -> str:
    return Template(shipped(f"schedules/{template}").read_text(encoding="utf-8")).substitute(said)


def _clock(night: NightCommand) -> dict[str, str]:
    return {"hour": f"{night.hour:02}", "minute": f"{night.minute:02}"}


def _sorted(night: NightCommand) -> list[tuple[str, str]]:
    return sorted(night.environment.items())


def _systemd_word(word: str, dollar: str = "$$") -> str:
    """Return a word as a unit file quotes it; only in commands a `$` names a variable."""
    said = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", dollar)
    return f'"{said}"'


def _cron_word(word: str) -> str:
    """Return a word as cron hands it to the shell: a bare `%` would end the line."""
    return shlex.quote(word).replace("%", "\\%")
