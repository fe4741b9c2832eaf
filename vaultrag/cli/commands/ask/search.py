"""`vaultrag search`: words at once, for whoever watches; one list by words and meaning as soon as a model is loaded."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from vaultrag.cli import render
from vaultrag.cli.backend import BUSY, Backend, ServerUse, announce_start, find_backend, open_backend, open_quick
from vaultrag.cli.render import nearest_line
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import FILTER_LANE
from vaultrag.errors import ServerBusy, VaultragError
from vaultrag.retrieval.filters import parse_query
from vaultrag.wire import SearchResult

LOADING = "By words and links; by meaning, too, in a moment"
ROWS_KEPT_FREE = 3  # for the line that says what happens, and the cursor


@dataclass(frozen=True, slots=True)
class Search:
    """One search as it was asked for. `explain` prints each passage's trace."""

    config: Config
    terminal: Terminal
    query: str
    k: int
    explain: bool
    server_use: ServerUse

    def run(self) -> None:
        """Print what was found: one JSON document, or one ranked list."""
        try:
            with ExitStack() as waiting:
                server = find_backend(self.config, self.server_use, lambda: self._wait(waiting))
        except ServerBusy as busy:
            self._print_words(busy)
            return
        if server is not None:
            self._print_all(self._full(server))
        elif self.terminal.json:
            self._print_all(self._full(open_backend(self.config, self.server_use)))
        else:
            self._load_and_print()

    def _wait(self, waiting: ExitStack) -> None:
        """Say why the server is waited for, over what words find meanwhile."""
        if self.terminal.live:
            waiting.enter_context(Live(self._waiting(self._words(), BUSY), console=self.terminal.out, transient=True))

    def _print_words(self, busy: ServerBusy) -> None:
        words = self._words()
        warning = f"{busy.message} These are hits by words and links only."
        self._print_all(words.model_copy(update={"warnings": [*words.warnings, warning]}))

    def _words(self) -> SearchResult:
        with closing(open_quick(self.config)) as local:
            return local.search(self.query, self.k, "words")

    def _load_and_print(self) -> None:
        """Show hits by words while the model for meaning loads, then print the list of both in their place."""
        words = self._words()
        if words.lanes == [FILTER_LANE]:
            self._print_all(words)
            return
        announce_start(self.config, self.terminal, self.server_use)
        try:
            with Live(self._waiting(words, LOADING), console=self.terminal.out, transient=True):
                full = self._full(open_backend(self.config, self.server_use))
        except (VaultragError, KeyboardInterrupt):
            self._print_all(words)  # better than nothing; then why there is no more
            raise
        self._print_all(full)

    def _waiting(self, words: SearchResult, reason: str) -> Group:
        """Return what is shown meanwhile: as many hits by words as the terminal has rows for."""
        rows = max(1, self.terminal.out.height - ROWS_KEPT_FREE)
        text = parse_query(self.query).text
        lines = [nearest_line(passage, n, text) for n, passage in enumerate(words.passages[:rows], start=1)]
        return Group(Spinner("dots", Text(f"{reason} …", style="dim")), *lines)

    def _full(self, backend: Backend) -> SearchResult:
        with closing(backend):
            return backend.search(self.query, self.k, "full")

    def _print_all(self, result: SearchResult) -> None:
        if self.terminal.json:
            self.terminal.print_json(result)
            return
        if not result.passages:
            self._title("Nothing found.")
        self._print_passages(result)
        self._print_warnings(result)

    def _print_passages(self, result: SearchResult) -> None:
        words = parse_query(self.query).text
        for number, passage in enumerate(result.passages, start=1):
            self.terminal.print(*render.passage_block(passage, number, words, self.config.vault.name))
            if self.explain:
                self.terminal.print(render.trace_table(passage))
        if self.explain:
            self.terminal.print(render.timing_line(result))

    def _print_warnings(self, result: SearchResult) -> None:
        for warning in result.warnings:
            self.terminal.warn(warning)

    def _title(self, sentence: str) -> None:
        self.terminal.print(Text(sentence, style="dim"))
