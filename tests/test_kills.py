"""Commands that are killed at random points lose nothing, double nothing, and leave an index that is sound."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="counts system calls by a library that it compiles"
)


def kill(scratch: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "tests.kill_harness", "--scratch", str(scratch), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_killed_commands_lose_and_double_nothing(tmp_path: Path) -> None:
    kill(tmp_path, "--kills", "14", "--seed", "1", "--operations", "index")


def test_killed_servers_lose_and_double_nothing(tmp_path: Path) -> None:
    kill(tmp_path, "--kills", "6", "--seed", "2", "--operations", "serve")
