"""Histories over an open vault: for the command, and for questions that ask how something was or changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import date

from vaultrag.contradictions.histories.questions import HistoryAsked, asks_for_history, is_sure, of_value_asked
from vaultrag.contradictions.histories.read import history_of
from vaultrag.domain import Embedder, History, SearchResult
from vaultrag.errors import UsageError
from vaultrag.store.database import Database


@dataclass(frozen=True, slots=True)
class Histories:
    """`search` and `allowed` (chunks, None for all) keep to a scope; without an embedder words decide alone."""

    database: Database
    search: Callable[[str, int], SearchResult]
    embedder: Callable[[], Embedder | None]
    today: date
    allowed: Set[int] | None = None

    def of(self, question: str, day: str = "") -> History:
        """Return how what a question names changed. Raises UsageError where the notes tell nothing of it."""
        return history_of(self.database, question, self._paths, self.today, day, self.embedder(), self.allowed)

    def told(self, question: str) -> History | None:
        """Return the history that answers a question, where it asks for one and this is sure; None for all others."""
        asked = asks_for_history(question, self.today)
        if asked is None:
            return None
        try:
            history = self.of(question)
        except UsageError:
            return None
        if asked is HistoryAsked.SINCE:
            history = of_value_asked(question, history)
        return history if is_sure(asked, history) else None

    def _paths(self, words: str, count: int) -> Sequence[str]:
        return [passage.chunk.path for passage in self.search(words, count).passages]
