"""`vaultrag ask`: the draft as it is written, then the answer with its sources."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.text import Text

from vaultrag import wire
from vaultrag.cli import render
from vaultrag.cli.answer_words import doubt_words, words_around
from vaultrag.cli.backend import BUSY, Backend, ServerUse, announce_start, find_backend, open_backend, open_quick
from vaultrag.cli.models.recommend import hint
from vaultrag.cli.terminal import Terminal, harmless, one_line
from vaultrag.config import Config
from vaultrag.domain import USUAL, AnswerStyle, Keep, Manner, Role, counted
from vaultrag.errors import GenerationFailed, VaultragError
from vaultrag.runtime.models.catalogue import ModelKind, find_model
from vaultrag.runtime.models.combinations import is_remote, role_map
from vaultrag.runtime.models.installed import require_model

FRAMES_PER_SECOND = 8
STAGES = {
    "plan": "Planning",
    "search": "Searching",
    "follow": "Following links",
    "evidence": "Reading",
    "draft": "Drafting",
    "check": "Checked",
    "section": "Reading on",
    "revise": "Drafting again",
    "quotes": "Answering by the notes' own lines",
    "ask": "Asking",
    "said": "Heard",
    "compare": "Compared",
    "examine": "Examining",
    "hand over": "Handing over",
}
NEW_DRAFT = frozenset({"draft", "revise", "ask"})
ROWS_KEPT_FREE = 3  # for the line that says what happens, and the cursor
NEAREST_SHOWN = 5
BAR_COLUMNS = 40


@dataclass(slots=True)
class ShownDraft:
    """What is shown until the answer stands: the stage, the seconds, what is read, and then the end of the draft."""

    stage: str
    question: str = ""
    nearest: Sequence[wire.Passage] = ()
    quotes: Sequence[wire.Citation] = ()
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
                self.nearest = event.passages
            case wire.QuotesFound():
                self.quotes = event.quotes
                self.stage = "Looking whether the notes answer" if event.sureness is None else "Reading the passages"
            case wire.StepTaken():
                self._take_step(event)
            case wire.TextPiece() if event.text:
                self.text += event.text
                self.stage = "Writing"

    def _take_step(self, taken: wire.StepTaken) -> None:
        """Show what is being done; a new draft takes the place of the one before."""
        first = taken.detail.partition("\n")[0]
        self.stage = f"{STAGES.get(taken.step, taken.step.capitalize())}: {one_line(first)}".removesuffix(": ")
        self.share = None
        if taken.step in NEW_DRAFT:
            self.text = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        seconds = time.monotonic() - self.started
        self.spinner.update(text=Text(f"{self.stage} … {seconds:.0f} s", style="dim"))
        yield self.spinner
        if self.share is not None:
            yield ProgressBar(total=1.0, completed=self.share, width=min(BAR_COLUMNS, options.max_width))
        rows = max(1, options.size.height - ROWS_KEPT_FREE)
        if self.text:
            yield from Text(harmless(self.text), style="dim").wrap(console, options.max_width)[-rows:]
            return
        if self.quotes:
            quoted = Group(*render.quote_blocks(self.quotes))
            yield from console.render(quoted, options.update(height=None))
            return
        for number, passage in enumerate(self.nearest[: min(rows, NEAREST_SHOWN)], start=1):
            yield render.nearest_line(passage, number, self.question)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question as it was asked."""

    config: Config
    terminal: Terminal
    question: str
    server_use: ServerUse
    keep: Keep
    manner: Manner = USUAL

    def run(self) -> None:
        """Print the answer: one JSON document, plain text into a pipe, or the draft and then the answer."""
        draft = ShownDraft("Searching the notes", self.question)
        with contextlib.ExitStack() as waiting:
            backend = find_backend(self.config, self.server_use, lambda: self._wait(draft, waiting))
        if backend is None:
            self._require_model()
            announce_start(self.config, self.terminal, self.server_use)
        with self._shown(draft):
            self._find_by_words(draft, backend)
            if backend is None:
                draft.stage = "Loading the models and searching the notes"
                backend = open_backend(self.config, self.server_use)
            with closing(backend):
                answer = self._follow(backend.ask(self.question, self.keep, self.manner), draft)
        self._hand_over(answer, (*_where_saved(answer), *_where_traced(answer)))

    def ask(self, backend: Backend) -> wire.Answer:
        """Ask a backend that is open already, print the answer and return it. KeyboardInterrupt aborts the model.

        Whoever asks on has been told once where it all is kept; a pipe is told of the answers alone.
        """
        draft = ShownDraft("Searching the notes", self.question)
        with self._shown(draft):
            answer = self._follow(backend.ask(self.question, self.keep, self.manner), draft)
        self._hand_over(answer, _where_traced(answer) if self.terminal.live else ())
        return answer

    def _hand_over(self, answer: wire.Answer, places: Sequence[str]) -> None:
        """Print an answer, and the places where it can be read again."""
        if self.terminal.json:
            self.terminal.print_json(answer)
        else:
            self._print(answer)
            for place in places:
                self.terminal.note(place)
            if self.terminal.live:
                self.terminal.print("", render.answer_footer(answer))
            hint(self.config, self.terminal, answer.model)

    def _require_model(self) -> None:
        """Raise ModelNotFound before anything is started in vain: where the notes' own lines will not do."""
        settings = self.config.settings
        name = role_map(settings, self.config.models).model_of(Role.ANSWER)
        wanted = self.manner.style or settings.answering.style
        if is_remote(name) or (wanted != AnswerStyle.PROSE and not settings.models.combination):
            return
        require_model(find_model(name, ModelKind.CHAT, self.config.models), self.config.models)

    def _wait(self, draft: ShownDraft, waiting: contextlib.ExitStack) -> None:
        """Say why the server is waited for, over what words find meanwhile."""
        draft.stage = BUSY
        waiting.enter_context(self._shown(draft))
        self._find_by_words(draft, None)

    def _find_by_words(self, draft: ShownDraft, server: Backend | None) -> None:
        """Find something to look at while models load; whatever fails here is told by the question itself."""
        if not self._console.is_terminal:
            return
        with contextlib.suppress(VaultragError), contextlib.ExitStack() as stack:
            backend = server or stack.enter_context(closing(open_quick(self.config)))
            draft.nearest = backend.search(self.question, NEAREST_SHOWN, "words").passages

    @property
    def _console(self) -> Console:
        return self.terminal.out if self.terminal.live else self.terminal.err

    def _shown(self, draft: ShownDraft) -> Live:
        return Live(draft, console=self._console, transient=True, refresh_per_second=FRAMES_PER_SECOND)

    def _follow(self, events: wire.Events, draft: ShownDraft) -> wire.Answer:
        with closing(events):
            for event in events:
                if isinstance(event, wire.Answer):
                    return event
                draft.take(event)
        raise GenerationFailed("The answer ended before it was complete.", "Ask again.")

    def _print(self, answer: wire.Answer) -> None:
        vault = self.config.vault.name
        self.terminal.print(*render.level_lines(answer), render.answer_text(answer, vault))
        if answer.status == "not_in_vault":
            self._print_nearest(answer)
        elif answer.citations:
            self.terminal.print("")
            self._print_sources(answer, vault)
        if answer.listing:
            self.terminal.print(*render.listing_lines(answer.listing, words_around(answer)))
        self.terminal.print(*render.remarks(answer), *render.known_findings(answer))
        for warning in answer.warnings:
            self.terminal.warn(warning)
        self.terminal.note_once(doubt_words(answer))

    def _print_sources(self, answer: wire.Answer, vault: str) -> None:
        as_sources = render.source_list if self.terminal.live else render.source_lines
        self.terminal.print(*as_sources(answer.citations, vault, with_quotes=answer.style == "prose"))

    def _print_nearest(self, answer: wire.Answer) -> None:
        """Offer the lines that come near without saying it; passages where there are no lines."""
        vault = self.config.vault.name
        if answer.quotes:
            self.terminal.print("", Text(words_around(answer).near, style="dim"))
            as_sources = render.source_list if self.terminal.live else render.source_lines
            self.terminal.print(*as_sources(answer.quotes, vault))
        elif answer.passages:
            self.terminal.print("", Text(words_around(answer).passages, style="dim"))
            for number, passage in enumerate(answer.passages[:NEAREST_SHOWN], start=1):
                self.terminal.print(*render.passage_block(passage, number, self.question, vault))


def _where_saved(answer: wire.Answer) -> Sequence[str]:
    return (f"Saved: vaultrag answers show {answer.saved}",) if answer.saved else ()


def _where_traced(answer: wire.Answer) -> Sequence[str]:
    return (f"How it was come by: vaultrag traces show {answer.trace}",) if answer.trace else ()
