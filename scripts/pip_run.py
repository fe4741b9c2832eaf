"""Runs pip on what locks/ names, shows what it does, and says in one sentence why it failed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from ticker import Ticker, describe

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "locks"
VENV = Path(sys.prefix)
LOG = VENV / "vaultrag-install.log"
NETWORK_TROUBLE = r"Retrying|Connection|timed out|Temporary failure|No matching distribution|Could not fetch|SSLError"
FAILURES = (r"CMake Error\b", r"\S+: (fatal )?error: ", r"\w+(Error|Exception): ", r"ERROR: ", r"error: ")
# What the user set for other work: by these pip installs elsewhere, nothing at all, or what has no hash not
ASTRAY = frozenset(f"PIP_{name}" for name in ("TARGET", "PREFIX", "ROOT", "DRY_RUN", "REQUIRE_HASHES", "QUIET"))
OURS = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
ROOM_BYTES = 1_000_000_000  # below this, a failed installation was likely the disk's fault

Ask: TypeAlias = Callable[[Sequence[str]], str | None]
"""Runs a command; its output, or None when it is missing or fails."""


class InstallFailed(Exception):
    """One sentence, and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def pip_install(what: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run pip install without looking for what else is needed, showing what it does in one line.

    All that is needed is in locks/. Raises InstallFailed.
    """
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--no-deps", *arguments]
    users = {name: value for name, value in os.environ.items() if name not in ASTRAY}
    with LOG.open("a", encoding="utf-8") as log, Ticker(what) as ticker:
        log.write(f"\n$ {' '.join(command)}\n")
        pip = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**users, **OURS, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert pip.stdout is not None
        try:
            for line in pip.stdout:
                log.write(line)
                ticker.doing = describe(line) or ticker.doing
        finally:
            code = pip.wait()
    if code != 0:
        raise InstallFailed(
            f"Installing {what} failed: {find_cause(log_lines())}.", f"{_remedy()} The whole log is {LOG}."
        )


def locked(*names: str) -> list[str]:
    """Return pip's arguments for lists of locks/: exactly those files, by their SHA-256."""
    return ["--require-hashes", *(part for name in names for part in ("-r", str(LOCKS / f"{name}.txt")))]


def ask(command: Sequence[str]) -> str | None:
    """Run a command for its output; None when it is missing or fails."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20, check=False)
        return done.stdout if done.returncode == 0 else None
    return None


def find_cause(log: Sequence[str]) -> str:
    """Return what tells most about a failure: CMake's word, the compiler's, Python's, pip's, or the last line."""
    lines = [line.strip(" │╰─>×") for line in log] or ["no reason was given"]
    for pattern in FAILURES:
        for line, following in zip(reversed(lines), reversed([*lines[1:], ""]), strict=True):
            if re.match(pattern, line):
                whole = f"{line} {following}" if line.endswith(":") else line
                return whole.removeprefix("ERROR: ").rstrip(".")[:300]
    return lines[-1].rstrip(".")[:300]


def version_of(package: str) -> str | None:
    """Return the installed version of a package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def read_stamp(stamp: Path) -> dict[str, str]:
    """Return what an earlier run wrote down; nothing where that cannot be read."""
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def log_lines() -> list[str]:
    """Return what the last run of pip wrote."""
    log = LOG.read_text(encoding="utf-8", errors="replace").rpartition("\n$ ")[2]
    return [line for line in log.splitlines() if line.strip()]


def _remedy() -> str:
    if shutil.disk_usage(VENV).free < ROOM_BYTES:
        return "The disk is nearly full: make room, then run this again."
    if any(re.search(NETWORK_TROUBLE, line) for line in log_lines()):
        return "Check the network connection, then run this again: it goes on from here."
    return "Mend what the log tells of, then run this again: it goes on from here."
