"""What reaches the terminal: consoles, text made harmless, JSON, errors."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from io import TextIOWrapper
from typing import Any, TextIO

from pydantic import BaseModel
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from vaultrag.errors import VaultragError
from vaultrag.text.steering import harmless, one_line, without_steering
from vaultrag.wire import Fault, dumps

__all__ = [
    "PIPE_WIDTH", "HarmlessConsole", "HarmlessStream", "Indented", "Terminal", "accept_any_text", "harmless",
    "local_time", "one_line", "size",
]  # fmt: skip

PIPE_WIDTH = 100_000  # characters: nothing is folded or cut for a reader that is no terminal


JSON_ESCAPES = "vaultrag.json"  # the name of an error handler


def accept_any_text() -> None:
    """Let any text be printed: what the encoding of a stream lacks is escaped, and a stream that is closed is none."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # as long as the program runs
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(JSON_ESCAPES, _as_json)


def size(count: int) -> str:
    """Return a number of bytes as a person says it."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def local_time(moment: str) -> str:
    """Return a stored moment as the clock on the wall shows it, to the minute."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")


class HarmlessConsole(Console):
    """A console that lets Rich's own colours through, and of the text that is printed nothing that steers a terminal.

    Whatever a command prints passes here, so that none has to remember it.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(without_steering(segment.text), segment.style)


class HarmlessStream:
    """A stream that drops what steers a terminal: for what is written past the console, as warnings and logs are."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(without_steering(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
    _noted: set[str] = field(default_factory=set)

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
        _write_json(sys.stdout, dumps(value, indent=2))

    def print_line(self, value: BaseModel) -> None:
        """Print one JSON document on one line, for a reader that follows."""
        _write_json(sys.stdout, dumps(value))

    def print_plain(self, document: str) -> None:
        """Print a document of another format as it is, for files and other programs; it must be harmless."""
        sys.stdout.write(harmless(document) + "\n")
        sys.stdout.flush()

    def note(self, sentence: str) -> None:
        """Say something beside the result, on stderr."""
        self.err.print(Text(harmless(sentence), style="dim"))

    def note_once(self, sentence: str) -> None:
        """Say something beside the results, unless it was said before or is nothing."""
        if sentence and sentence not in self._noted:
            self._noted.add(sentence)
            self.note(sentence)

    def warn(self, sentence: str) -> None:
        """Say on stderr what the result lacks."""
        self.err.print(Text.assemble(("Note: ", "yellow"), harmless(sentence)))

    def fail(self, error: VaultragError) -> None:
        """Print an error on stderr: one sentence and what to do about it."""
        if self.json:
            _write_json(sys.stderr, dumps(Fault.of(error)))
            return
        self.err.print(Text.assemble(("Error: ", "bold red"), harmless(error.message)))
        if error.remedy:
            self.err.print(Text.assemble(("  → ", "bold"), harmless(error.remedy)))


def _write_json(stream: TextIO, document: str) -> None:
    """Write a document in which the signs that the stream's encoding lacks stand as JSON escapes them."""
    encoding = stream.encoding or "utf-8"
    stream.write(document.encode(encoding, JSON_ESCAPES).decode(encoding) + "\n")
    stream.flush()


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else PIPE_WIDTH
    return HarmlessConsole(file=stream, width=width, highlight=False, markup=False, emoji=False)
