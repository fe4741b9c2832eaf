"""Keeping the answers that are wanted kept, whoever owns the index."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from vaultrag.config import Config
from vaultrag.domain import Answer, AnswerEvent, AnswerReady, Exchange, Keep
from vaultrag.errors import StoreError
from vaultrag.records.archive import Archive, open_for_records
from vaultrag.store.database import Access, Database


@dataclass(frozen=True, slots=True)
class Keeping:
    """Saves answers into one index; where it is open to read only, by a connection of its own."""

    config: Config
    database: Database

    def exchanges(self, chat: str, before: datetime | None) -> list[Exchange]:
        """Return what was said in a chat, up to a moment if one is named; nothing where it begins."""
        turns = Archive(self.config, self.database).answers(chat.strip()) if chat.strip() else []
        said = [turn for turn in turns if before is None or datetime.fromisoformat(turn.saved_at) <= before]
        return [Exchange(turn.answer.question, turn.answer.text, turn.paths) for turn in said]

    def kept(self, events: Generator[AnswerEvent, None, None], keep: Keep) -> Generator[AnswerEvent, None, None]:
        """Hand an answer's events through, and save the answer if that is wanted."""
        wanted = keep.saved or keep.chat or self.config.settings.answering.save
        with closing(events):
            for event in events:
                if wanted and isinstance(event, AnswerReady):
                    yield AnswerReady(self._save(event.answer, keep.chat))
                else:
                    yield event

    def _save(self, answer: Answer, chat: str) -> Answer:
        """Save an answer; what prevents that is no reason to withhold it."""
        try:
            if self.database.access is Access.WRITE:
                return replace(answer, saved=Archive(self.config, self.database).save(answer, chat))
            with open_for_records(self.config) as database:
                return replace(answer, saved=Archive(self.config, database).save(answer, chat))
        except StoreError as error:
            return replace(answer, warnings=(*answer.warnings, f"The answer could not be saved: {error.message}"))
