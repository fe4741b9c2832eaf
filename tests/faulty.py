"""Files that cannot be read, by a process of the product: on a dying disk, or without the right to."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("faulty.c")
OBEYING_MODES = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
DEADLINE = 60.0
CAN_BE_MADE = sys.platform == "linux" and all(map(shutil.which, ("cc", *OBEYING_MODES[:1])))


def build_library(folder: Path) -> Path:
    """Compile what makes reads fail."""
    library = folder / "faulty.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    return library


@dataclass(frozen=True, slots=True)
class Fault:
    """Some files that cannot be read while `on()`. `environment` is for the processes that meet it."""

    environment: Mapping[str, str]
    on: Callable[[], contextlib.AbstractContextManager[None]]


NO_FAULT = Fault({}, contextlib.nullcontext)


def dying_disk(library: Path, paths: Sequence[Path]) -> Fault:
    """Reads of these files end with EIO."""
    switch = library.with_name("on")
    names = "\n".join(str(path) for path in paths)

    @contextlib.contextmanager
    def on() -> Iterator[None]:
        switch.touch()
        try:
            yield
        finally:
            switch.unlink()

    return Fault({"LD_PRELOAD": str(library), "FAULTY_NAMES": names, "FAULTY_SWITCH": str(switch)}, on)


def forbidden(_: Path, paths: Sequence[Path]) -> Fault:
    """This user may not read these files."""

    @contextlib.contextmanager
    def on() -> Iterator[None]:
        modes = [path.stat().st_mode for path in paths]
        for path in paths:
            path.chmod(0)
        try:
            yield
        finally:
            for path, mode in zip(paths, modes, strict=True):
                if path.exists():
                    path.chmod(mode)

    return Fault({}, on)


FAULTS = {"dying disk": dying_disk, "forbidden": forbidden}


def started(fault: Fault, folder: Path, *arguments: str, program: str = "vaultrag") -> subprocess.Popen[str]:
    """Start a command of the product, without any model, as a user whom modes stop."""
    command = [*OBEYING_MODES, sys.executable, "-m", program, *arguments]
    places = ["--vault", str(folder / "vault"), "--home", str(folder / "home"), "--json"]
    models = {"VAULTRAG_MODELS": str(folder / "no models"), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [*command, *places],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **models, **fault.environment},
    )


def ran(fault: Fault, folder: Path, *arguments: str, program: str = "vaultrag") -> tuple[int, str, str]:
    """Run a command to its end; return exit code, output and errors."""
    with started(fault, folder, *arguments, program=program) as process:
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


def until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something holds; a process that ends before that is a failure."""
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise AssertionError(process.stderr.read() if process.stderr else "")
