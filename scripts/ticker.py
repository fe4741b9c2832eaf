"""Shows a long command at work: what it does and for how long."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time

TICK_SECONDS = 1.0
PLAIN_TICK_SECONDS = 30.0  # where output is a file or a CI log


def describe(line: str) -> str:
    """Say in a few words what a line of pip's output is about; empty for lines of no interest."""
    if found := re.match(r"\s*(?:Downloading|Using cached|Processing) (\S+)(.*)", line):
        return f"downloading {found[1].rsplit('/', 1)[-1].split('-')[0]}{found[2]}".rstrip()
    if found := re.search(r"\[(\d+)/(\d+)\] (?:Building|Linking)", line):
        return f"compiling {found[1]} of {found[2]}"
    if found := re.match(r"\s*Collecting ([\w.-]+)", line):
        return f"finding {found[1]}"
    if line.startswith("Installing collected packages"):
        return "unpacking"
    return "building" if "Building wheel" in line else ""


class Ticker:
    """Shows what is being done and for how long: in one line of a terminal, in a line now and then elsewhere."""

    def __init__(self, what: str) -> None:
        self.doing = "starting"
        self._what = what
        self._live = sys.stdout.isatty()
        self._start = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Ticker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        clear = "\r\033[K" if self._live else ""
        print(f"{clear}  {self._what}: {self._elapsed()}", flush=True)

    def _run(self) -> None:
        while not self._done.wait(TICK_SECONDS if self._live else PLAIN_TICK_SECONDS):
            line = f"  {self._what}: {self._elapsed()}, {self.doing}"
            if self._live:
                line = f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}"
            print(line, end="" if self._live else "\n", flush=True)

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
