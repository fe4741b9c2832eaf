"""`vaultrag search`: words at once, meaning as soon as a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from rich.text import Text

from vaultrag.cli import render
from vaultrag.cli.backend import Backend, ServerUse, find_backend, open_backend, open_quick
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import FILTER_LANE
from vaultrag.retrieval.filters import parse_query
from vaultrag.wire import Passage, SearchResult


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
        """Print what was found: one JSON document, or hits as they come."""
        server = find_backend(self.config, self.server_use)
        if server is not None:
            self._print_all(self._full(server))
        elif self.terminal.json:
            self._print_all(self._full(open_backend(self.config, self.terminal, self.server_use)))
        else:
            self._print_in_two_steps()

    def _print_in_two_steps(self) -> None:
        with closing(open_quick(self.config)) as local:
            words = local.search(self.query, self.k, "words")
        if words.lanes == [FILTER_LANE]:
            self._print_all(words)
            return
        self._title("By words and links:" if words.passages else "No hits by words or links.")
        self._print_passages(words.passages, words)
        backend = open_backend(self.config, self.terminal, self.server_use)
        with self.terminal.waiting("Loading the embedding model: hits by meaning follow"):
            full = self._full(backend)
        if "vector" in full.lanes:
            self._print_by_meaning(words, full)
        self._print_warnings(full)

    def _print_by_meaning(self, words: SearchResult, full: SearchResult) -> None:
        known = {_place(passage) for passage in words.passages}
        new = [passage for passage in full.passages if _place(passage) not in known]
        self._title("By meaning, too (numbered by rank among all):" if new else "Meaning adds no other hits.")
        ranks = {_place(passage): rank for rank, passage in enumerate(full.passages, start=1)}
        self._print_passages(new, full, [ranks[_place(passage)] for passage in new])

    def _full(self, backend: Backend) -> SearchResult:
        with closing(backend):
            return backend.search(self.query, self.k, "full")

    def _print_all(self, result: SearchResult) -> None:
        if self.terminal.json:
            self.terminal.print_json(result)
            return
        if not result.passages:
            self._title("Nothing found.")
        self._print_passages(result.passages, result)
        self._print_warnings(result)

    def _print_passages(
        self, passages: Sequence[Passage], result: SearchResult, ranks: Sequence[int] | None = None
    ) -> None:
        words = parse_query(self.query).text
        for number, passage in zip(ranks or range(1, len(passages) + 1), passages, strict=True):
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


def _place(passage: Passage) -> tuple[str, tuple[int, int], tuple[int, int]]:
    return passage.path, passage.lines, passage.columns
