"""What reaches the terminal: consoles, text made harmless, JSON, errors."""

from __future__ import annotations

import re
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TextIO

from pydantic import BaseModel
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from vaultrag.errors import VaultragError
from vaultrag.wire import Fault, dumps

PIPE_WIDTH = 100_000  # characters: nothing is folded or cut for a reader that is no terminal

# C0 and C1 but tab and newline, and what reorders text: a note must not steer the terminal or disguise a line
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NEWLINE = re.compile(r"\r\n?")


def harmless(text: str) -> str:
    """Return text from a note or a model without anything that a terminal would act upon."""
    return _STEERING.sub("", _NEWLINE.sub("\n", text)).replace("\t", "    ")


def one_line(text: str) -> str:
    """Return harmless text on one line."""
    return " ".join(harmless(text).split())


def size(count: int) -> str:
    """Return a number of bytes as a person says it."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


@dataclass(frozen=True, slots=True)
class Indented:
    """Text set in from the left: folded to the terminal's width, one long line in a pipe."""

    text: Text
    spaces: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if console.is_terminal:
            yield Padding(self.text, (0, 0, 0, self.spaces))
        else:
            yield Text("\n").join(Text(" " * self.spaces).append_text(line) for line in self.text.split("\n"))


@dataclass(slots=True)
class Terminal:
    """Where a command prints: results to stdout, everything else to stderr."""

    out: Console = field(default_factory=lambda: _console(sys.stdout))
    err: Console = field(default_factory=lambda: _console(sys.stderr))
    json: bool = False

    @property
    def live(self) -> bool:
        """Tell whether somebody watches, so that things may be drawn over."""
        return self.out.is_terminal and not self.json

    def print(self, *parts: RenderableType) -> None:
        """Print to stdout."""
        for part in parts:
            self.out.print(part)

    def waiting(self, sentence: str) -> AbstractContextManager[object]:
        """Show on stderr, to whoever watches, that something takes its time."""
        return self.err.status(Text(f"{sentence} …"), spinner="dots") if self.err.is_terminal else nullcontext()

    def print_json(self, value: BaseModel | dict[str, Any]) -> None:
        """Print one JSON document."""
        sys.stdout.write(dumps(value, indent=2) + "\n")
        sys.stdout.flush()

    def print_line(self, value: BaseModel) -> None:
        """Print one JSON document on one line, for a reader that follows."""
        sys.stdout.write(dumps(value) + "\n")
        sys.stdout.flush()

    def print_plain(self, document: str) -> None:
        """Print a document of another format as it is, for files and other programs; it must be harmless."""
        sys.stdout.write(harmless(document) + "\n")
        sys.stdout.flush()

    def note(self, sentence: str) -> None:
        """Say something beside the result, on stderr."""
        self.err.print(Text(harmless(sentence), style="dim"))

    def warn(self, sentence: str) -> None:
        """Say on stderr what the result lacks."""
        self.err.print(Text.assemble(("Note: ", "yellow"), harmless(sentence)))

    def fail(self, error: VaultragError) -> None:
        """Print an error on stderr: one sentence and what to do about it."""
        if self.json:
            sys.stderr.write(dumps(Fault.of(error)) + "\n")
            return
        self.err.print(Text.assemble(("Error: ", "bold red"), harmless(error.message)))
        if error.remedy:
            self.err.print(Text.assemble(("  → ", "bold"), harmless(error.remedy)))


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
