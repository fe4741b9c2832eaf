"""A build of llama.cpp that crashes, imitated by a preloaded library in the processes that a test starts."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("bad_build.c")
CAN_BE_MADE = sys.platform == "linux" and shutil.which("cc") is not None


def build_library(folder: Path) -> Path:
    """Compile what makes evaluations crash."""
    library = folder / "bad_build.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def crashing(library: Path, by: signal.Signals, *, at: int = 1, always: bool = False) -> Mapping[str, str]:
    """Return the environment in which evaluation number `at` of each process ends it by a signal.

    It spares processes without ggml's extra buffers, unless `always`.
    """
    environment = {"LD_PRELOAD": str(library), "BAD_BUILD_AT": str(at), "BAD_BUILD_SIGNAL": str(int(by))}
    return {**environment, "BAD_BUILD_ALWAYS": "1"} if always else environment
