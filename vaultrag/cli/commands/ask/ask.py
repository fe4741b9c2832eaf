"""`vaultrag ask`: the draft as it is written, then the answer with its sources."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.text import Text

from vaultrag import wire
from vaultrag.cli import render
from vaultrag.cli.backend import ServerUse, find_backend, open_backend
from vaultrag.cli.terminal import Terminal, harmless
from vaultrag.config import Config
from vaultrag.domain import Keep, Role, counted
from vaultrag.errors import GenerationFailed
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.combinations import is_remote, role_map
from vaultrag.runtime.models.installed import require_model

FRAMES_PER_SECOND = 8
ROWS_KEPT_FREE = 3  # for the line that says what happens, and the cursor
NEAREST_SHOWN = 5
BAR_COLUMNS = 40


@dataclass(slots=True)
class Draft:
    """What is shown until the answer stands: the stage, the seconds, and the end of the draft."""

    stage: str
    text: str = ""
    share: float | None = None
    started: float = field(default_factory=time.monotonic)
    spinner: Spinner = field(default_factory=lambda: Spinner("dots"))

    def take(self, event: wire.Event) -> None:
        """Follow one event of the answer."""
        match event:
            case wire.Progress():
                self.stage, self.share = "Loading the model", event.done / max(1, event.total)
            case wire.PassagesFound():
                self.stage, self.share = f"Reading {counted(len(event.passages), 'passage')}", None
            case wire.TextPiece() if event.text:
                self.text += event.text
                self.stage = "Writing"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        seconds = time.monotonic() - self.started
        self.spinner.update(text=Text(f"{self.stage} … {seconds:.0f} s", style="dim"))
        yield self.spinner
        if self.share is not None:
            yield ProgressBar(total=1.0, completed=self.share, width=min(BAR_COLUMNS, options.max_width))
        lines = Text(harmless(self.text), style="dim").wrap(console, options.max_width)
        yield from lines[-max(1, options.size.height - ROWS_KEPT_FREE) :]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question as it was asked."""

    config: Config
    terminal: Terminal
    question: str
    server_use: ServerUse
    keep: Keep

    def run(self) -> None:
        """Print the answer: one JSON document, plain text into a pipe, or the draft and then the answer."""
        draft = Draft("Searching the notes")
        backend = find_backend(self.config, self.server_use)
        if backend is None:
            self._require_model()
            backend = open_backend(self.config, self.terminal, self.server_use)
            draft = Draft("Loading the models and searching the notes")
        with closing(backend):
            answer = self._follow(backend.ask(self.question, self.keep), draft)
        if self.terminal.json:
            self.terminal.print_json(answer)
        else:
            self._print(answer)

    def _require_model(self) -> None:
        """Raise ModelNotFound before anything is started in vain."""
        name = role_map(self.config.settings, self.config.models).model_of(Role.ANSWER)
        if is_remote(name):
            return
        require_model(find_model(name, ModelKind.CHAT, self.config.models), self.config.models)

    def _follow(self, events: wire.Events, draft: Draft) -> wire.Answer:
        console = self.terminal.out if self.terminal.live else self.terminal.err
        with (
            closing(events),
            Live(draft, console=console, transient=True, refresh_per_second=FRAMES_PER_SECOND),
        ):
            for event in events:
                if isinstance(event, wire.Answer):
                    return event
                draft.take(event)
        raise GenerationFailed("The answer ended before it was complete.", "Ask again.")

    def _print(self, answer: wire.Answer) -> None:
        vault = self.config.vault.name
        self.terminal.print(render.answer_text(answer, vault))
        if answer.status == "not_in_vault":
            self._print_nearest(answer)
        elif answer.citations:
            self.terminal.print("")
            self._print_sources(answer, vault)
        for warning in answer.warnings:
            self.terminal.warn(warning)
        if answer.saved:
            self.terminal.note(f"Saved: vaultrag answers show {answer.saved}")
        if self.terminal.live:
            self.terminal.print("", render.answer_footer(answer))

    def _print_sources(self, answer: wire.Answer, vault: str) -> None:
        if self.terminal.live:
            self.terminal.print(*render.source_list(answer.citations, vault))
        else:
            self.terminal.print(*render.source_lines(answer.citations, vault))

    def _print_nearest(self, answer: wire.Answer) -> None:
        if not answer.passages:
            return
        self.terminal.print("", Text("Nearest passages:", style="dim"))
        for number, passage in enumerate(answer.passages[:NEAREST_SHOWN], start=1):
            self.terminal.print(*render.passage_block(passage, number, self.question, self.config.vault.name))
