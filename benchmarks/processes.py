"""A server in its own process, and the memory that it and its children hold. Linux, where /proc tells."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaultrag.cli.client import Client, find_server
from vaultrag.config import Config

LEAVE_SECONDS = 60.0
MODULE = re.compile(r"vaultrag(?:\.\w+)+")


@contextlib.contextmanager
def serving(config: Config, program: str = "vaultrag") -> Iterator[tuple[int, Client]]:
    """Run the program's `serve` for this vault; yield its process and a client that is connected."""
    command = [sys.executable, "-m", program, "serve", "--port", "0"]
    places = ["--vault", str(config.vault), "--home", str(config.home)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "VAULTRAG_MODELS": str(config.models)}
    with subprocess.Popen([*command, *places], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("Serving"):
            raise SystemExit("The server did not start.")
        client = find_server(config)
        assert client is not None
        try:
            yield process.pid, client
        finally:
            client.close()
            process.terminate()
            process.wait(LEAVE_SECONDS)


def descendants(pid: int) -> list[int]:
    """Return the processes that this one started, and theirs."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            children += map(int, task.read_text().split())
    return [found for child in children for found in (child, *descendants(child))]


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processor time that these processes have taken so far; of those that have ended nothing."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mib(pids: Sequence[int]) -> dict[str, float]:
    """Return the memory of each process, by the module that it runs; those that have ended are left out."""
    found: dict[str, float] = {}
    for pid in pids:
        with contextlib.suppress(OSError, AttributeError):
            status = Path(f"/proc/{pid}/status").read_text()
            name = _name(pid)
            resident = re.search(r"VmRSS:\s+(\d+) kB", status)
            found[name] = found.get(name, 0.0) + (int(resident[1]) / 1024 if resident else 0.0)
    return found


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _name(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    module = MODULE.search(command)
    return module[0].removeprefix("vaultrag.") if module else "server"
