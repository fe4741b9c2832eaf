"""A program at a pseudo-terminal, typed to and read from as a person does."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.waiting import wait_until

ROWS, COLUMNS = 40, 80
CTRL_C, CTRL_D, ENTER, TAB = "\x03", "\x04", "\r", "\t"
PROMPTING = b"\x1b[?2004h"  # prompt_toolkit asks for bracketed paste when it begins to read a line
# The leader of a session that opens a terminal gets its signals, as Ctrl-C.
OPENING = ["sh", "-c", 'terminal=$1; shift; exec "$@" <>"$terminal" >&0 2>&0', "sh"]
_STEERING = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>()][0-9A-B]?|\r")


@dataclass(slots=True)
class Typist:
    """One running program. `shown` is what it has drawn so far, without what steers the terminal."""

    process: subprocess.Popen[bytes]
    _ours: int
    _theirs: int  # open until the end: a terminal that nobody has open yet cannot be read
    _drawn: bytearray = field(default_factory=bytearray)
    _seen: int = 0
    _prompts: int = 0

    @classmethod
    def start(cls, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Self:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environ = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **environment}
        opening = [*OPENING, os.ttyname(theirs), *command]
        process = subprocess.Popen(opening, cwd=folder, env=environ, start_new_session=True)
        typist = cls(process, ours, theirs)
        threading.Thread(target=typist._read, daemon=True).start()
        return typist

    @property
    def shown(self) -> str:
        return _STEERING.sub("", self._drawn.decode("utf-8", "replace"))

    def type(self, keys: str) -> None:
        """Press keys; what is drawn from now on counts as the answer to them."""
        self._seen, self._prompts = len(self.shown), self._drawn.count(PROMPTING)
        os.write(self._ours, keys.encode())

    def wait_for(self, text: str) -> str:
        """Wait until a text has been drawn since the last keys; return all that was drawn since."""
        try:
            wait_until(lambda: text in self.shown[self._seen :])
        except AssertionError as error:
            raise AssertionError(f"{text!r} was not drawn, but:\n{self.shown[self._seen :]}") from error
        return self.shown[self._seen :]

    def wait_for_prompt(self) -> None:
        """Wait until the next line can be typed. Keys typed before may reach another program's eyes, or nobody's."""
        wait_until(lambda: self._drawn.count(PROMPTING) > self._prompts)

    def wait_for_key(self) -> None:
        """Wait until a single key counts, without Enter. Keys pressed before are thrown away."""
        wait_until(lambda: not termios.tcgetattr(self._theirs)[3] & termios.ICANON)

    def end(self) -> int:
        """Wait until the program has ended; return its exit code."""
        return self.process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._theirs)
        os.close(self._ours)

    def _read(self) -> None:
        try:
            while part := os.read(self._ours, 65536):
                self._drawn += part
        except OSError:
            pass  # Linux's way to say that the other side has closed
