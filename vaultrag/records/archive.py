"""What the user keeps: saved answers, the turns of chats, verdicts. They follow notes that move."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vaultrag.config import Config
from vaultrag.domain import (
    Answer,
    Chat,
    Citation,
    FileStat,
    LivingAnswer,
    QuoteState,
    SavedAnswer,
    ShownAnswer,
    SourceState,
    Verdict,
)
from vaultrag.errors import StoreError, UsageError, VaultError
from vaultrag.records.living import LEAST_WORDS, as_judged, look_at
from vaultrag.records.sources import CitedNote
from vaultrag.records.stored import answer_body, notes_of, read_answer, read_verdict, retarget, verdict_body
from vaultrag.store.database import Access, Database
from vaultrag.store.exclusions import Exclusions, read_exclusions
from vaultrag.store.jobs.notes import job_paths
from vaultrag.store.journal import Journal
from vaultrag.store.night.living import fates_of
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.lookups import notes_holding
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind, RecordBook, clear_moves, moved_notes, read_bodies
from vaultrag.store.traces import trace_paths
from vaultrag.text.language import word_stems
from vaultrag.vault.files import note_suffixes, read_note, scan_vault

ID_BYTES = 6  # of which three digits are enough to type; two homes that are merged do not clash
SPEAKING_OF_NOTES = (Kind.ANSWER, Kind.VERDICT, Kind.JOB, Kind.ANALYSIS)


def open_for_records(config: Config) -> Database:
    """Open an index that exists, to write records: SQLite's lock orders the writers, so nobody need own it.

    Raises IndexMissing, and StoreError for an index that must be migrated first.
    """
    open_database(config.database_path, Access.READ).close()
    return open_database(config.database_path)


class Archive:
    """The kept answers and verdicts of one vault. To read, a database for reading is enough."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        self.book = RecordBook(database, Journal(config.journal_path))

    def save(self, answer: Answer, chat: str = "") -> str:
        """Keep an answer, in a chat if one is named; return its id.

        Raises StoreError, also for an answer from a note that was forgotten while the model wrote.
        """
        with self.database.atomic():
            key = self._unused_id()
            self.keep(key, answer, chat)
        self.book.tidy()
        return key

    def keep(self, key: str, answer: Answer, chat: str = "") -> None:
        """Keep an answer under this id, in place of what stood there. Raises StoreError as `save` does."""
        paths = notes_of_answer(answer)
        with self.database.atomic():
            self.follow_moves()
            self._refuse_forgotten(paths)
            saved = SavedAnswer(key, _now(), chat.strip(), replace(answer, passages=()), tuple(paths))
            self.book.put(Kind.ANSWER, key, answer_body(saved))

    def answers(self, chat: str | None = None) -> list[SavedAnswer]:
        """Return what is saved, the oldest first; of one chat, or of none and all."""
        bodies = self._answers_where_notes_lie().items()
        saved = [read_answer(key, values) for key, values in bodies if chat is None or values.get("chat") == chat]
        return sorted(saved, key=lambda answer: (answer.saved_at, answer.id))

    def answer(self, beginning: str) -> SavedAnswer:
        """Return the saved answer whose id begins so. Raises UsageError, IndexDamaged."""
        key = self._key(beginning)
        return read_answer(key, self._answers_where_notes_lie()[key])

    def show(self, beginning: str) -> ShownAnswer:
        """Return a saved answer, and whether what it cites still stands in the notes."""
        saved = self.answer(beginning)
        return ShownAnswer(saved, tuple(self.sources(saved.answer.citations)))

    def sources(self, citations: Iterable[Citation]) -> list[SourceState]:
        """Look up in the notes how citations stand now."""
        notes: dict[str, CitedNote | QuoteState] = {}
        return [self._source(citation, notes) for citation in citations]

    def look_at(self, saved: SavedAnswer) -> LivingAnswer:
        """Hold a saved answer against the notes as they are, by code and by what a night has judged; ask no model."""
        notes: dict[str, CitedNote | QuoteState] = {}

        def looks(citations: Iterable[Citation]) -> list[SourceState]:
            return [self._source(citation, notes) for citation in citations]

        def elsewhere(citation: Citation) -> tuple[str, SourceState] | None:
            """Find words that were moved into another note, if only one has them."""
            if len(word_stems(citation.quote)) < LEAST_WORDS:
                return None
            found = [path for path in notes_holding(self.database, citation.quote, 3) if path != citation.path]
            state = self._source(replace(citation, path=found[0]), notes) if len(found) == 1 else None
            return (found[0], state) if state and state.state in (QuoteState.STANDS, QuoteState.MOVED) else None

        return as_judged(look_at(saved, looks, elsewhere), fates_of(self.database, saved.id))

    def delete_answer(self, beginning: str) -> str:
        """Delete a saved answer with all that is left of it; return its id. Raises UsageError."""
        key = self._key(beginning)
        self.book.delete(Kind.ANSWER, key)
        self.book.tidy()
        return key

    def chats(self) -> list[Chat]:
        """Return the chats, the one spoken in last at the end."""
        turns: dict[str, list[str]] = {}
        for answer in self.answers():
            if answer.chat:
                turns.setdefault(answer.chat, []).append(answer.saved_at)
        found = [Chat(name=name, turns=len(at), first_at=at[0], last_at=at[-1]) for name, at in turns.items()]
        return sorted(found, key=lambda chat: chat.last_at)

    def chat(self, name: str) -> list[SavedAnswer]:
        """Return the turns of a chat, the first one first. Raises UsageError."""
        found = self.answers(name.strip()) if name.strip() else []
        if not found:
            raise UsageError(f"There is no chat “{name}”.", "See: vaultrag chats list")
        return found

    def delete_chat(self, name: str) -> int:
        """Delete a chat with all its turns; return how many. Raises UsageError."""
        with self.database.atomic():
            turns = self.chat(name)
            self.book.write((Kind.ANSWER, turn.id, None) for turn in turns)
        self.book.tidy()
        return len(turns)

    def decide(self, verdict: Verdict) -> None:
        """Keep a verdict; it takes the place of an earlier one with its key. Raises StoreError as `save` does."""
        with self.database.atomic():
            self.follow_moves()
            self._refuse_forgotten(verdict.paths)
            self.book.put(Kind.VERDICT, verdict.key, verdict_body(verdict))

    def verdicts(self) -> dict[str, Verdict]:
        """Return the verdicts by key."""
        return {key: read_verdict(key, values) for key, values in self.book.bodies(Kind.VERDICT).items()}

    def reopen(self, key: str) -> bool:
        """Take a verdict back; return whether there was one."""
        was_there = self.book.delete(Kind.VERDICT, key)
        self.book.tidy()
        return was_there

    def follow_moves(self) -> int:
        """Make records name moved notes by their new paths; return how many did not."""
        with self.database.atomic():
            moves = moved_notes(self.database)
            if not moves:
                return 0
            changed = [
                (kind, key, moved)
                for kind in SPEAKING_OF_NOTES
                for key, values in self.book.bodies(kind).items()
                if (moved := retarget(values, moves)) != values
            ]
            self.book.write(changed)
            clear_moves(self.database)
            return len(changed)

    def _answers_where_notes_lie(self) -> dict[str, dict[str, Any]]:
        """Return the bodies of saved answers with the paths that their notes have now."""
        bodies, moves = self.book.bodies(Kind.ANSWER), moved_notes(self.database)
        return {key: retarget(values, moves) for key, values in bodies.items()} if moves else bodies

    def _key(self, beginning: str) -> str:
        keys = self.book.bodies(Kind.ANSWER)
        found = [key for key in keys if key.startswith(beginning.strip().lower() or "-")]
        if len(found) == 1:
            return found[0]
        what = "Several saved answers have ids that begin" if found else "No saved answer has an id that begins"
        raise UsageError(f"{what} with “{beginning}”.", "See: vaultrag answers list")

    def _refuse_forgotten(self, paths: Iterable[str]) -> None:
        exclusions = read_exclusions(self.database)
        if any(exclusions.covers(path) for path in paths):
            raise StoreError("One of its notes has been forgotten.", "Ask again.")

    def _unused_id(self) -> str:
        taken = {*self.book.bodies(Kind.ANSWER), *self.book.bodies(Kind.JOB)}
        while (key := secrets.token_hex(ID_BYTES)) in taken:
            pass
        return key

    def _source(self, citation: Citation, notes: dict[str, CitedNote | QuoteState]) -> SourceState:
        if citation.path not in notes:
            notes[citation.path] = self._cited_note(citation.path)
        note = notes[citation.path]
        return SourceState(citation.number, note) if isinstance(note, QuoteState) else note.state_of(citation)

    def _cited_note(self, path: str) -> CitedNote | QuoteState:
        """Return a note as it is now, or why there is none."""
        try:
            file = self._file(path)
            if file is None:
                return QuoteState.GONE
            return CitedNote(path, read_note(self.config.vault, file, self.config.settings.vault.max_note_bytes))
        except VaultError:
            return QuoteState.UNREADABLE

    def _file(self, path: str) -> FileStat | None:
        """Return a note's file: by the index, or as it lies in the vault, as after an import into an empty home."""
        stored = Catalog(self.database).stored_file(path)
        if stored is not None:
            return stored.stat
        section = self.config.settings.vault
        listed = scan_vault(self.config.vault, section.ignore, note_suffixes(section), [path]).notes
        return next(iter(listed), None)


def notes_of_answer(answer: Answer) -> list[str]:
    """Return the notes that an answer was made from, and those that it cites, quotes, lists or tells findings of."""
    listed = answer.listing.citations if answer.listing else ()
    cited = {citation.path for citation in (*answer.citations, *answer.quotes, *listed)}
    cited |= {side.path for finding in answer.findings for side in (finding.one, finding.other)}
    return sorted(cited | {passage.chunk.path for passage in answer.passages})


def records_about(database: Database, exclusions: Exclusions) -> list[tuple[Kind, str]]:
    """Return the records that speak of a forgotten note."""
    return [
        (kind, key)
        for kind in SPEAKING_OF_NOTES
        for key, values in read_bodies(database, kind).items()
        if any(map(exclusions.covers, notes_of(values)))
    ]


def paths_spoken_of(database: Database) -> set[str]:
    """Return the notes that records, traces and jobs speak of, those that are gone among them."""
    bodies = (values for kind in SPEAKING_OF_NOTES for values in read_bodies(database, kind).values())
    traced = (path for paths in trace_paths(database).values() for path in paths)
    read = (path for paths in job_paths(database).values() for path in paths)
    return {*traced, *read, *(path for values in bodies for path in notes_of(values) if not path.endswith("/"))}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
