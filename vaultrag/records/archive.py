"""What the user keeps: saved answers, the turns of chats, verdicts. They follow notes that move."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from vaultrag.config import Config
from vaultrag.domain import Answer, FileStat, Verdict, VerdictState
from vaultrag.errors import IndexDamaged, StoreError, UsageError, VaultError
from vaultrag.store.database import Access, Database
from vaultrag.store.exclusions import Exclusions, read_exclusions
from vaultrag.store.journal import Entry, Journal
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind, RecordBook, read_bodies
from vaultrag.vault.files import note_suffixes, read_note, scan_vault
from vaultrag.vault.parsing.lines import Lines
from vaultrag.wire import Answer as AnswerShape
from vaultrag.wire import Citation
from vaultrag.wire.records import Chat, SavedAnswer, ShownAnswer, SourceState

ID_BYTES = 6  # of which three digits are enough to type; two homes that are merged do not clash
SPEAKING_OF_NOTES = (Kind.ANSWER, Kind.VERDICT)


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
        paths = sorted({passage.chunk.path for passage in answer.passages} | {c.path for c in answer.citations})
        shape = AnswerShape.of(replace(answer, passages=()))
        with self.database.atomic():
            self.follow_moves()
            self._refuse_forgotten(paths)
            key = self._unused_id()
            saved = SavedAnswer(id=key, saved_at=_now(), chat=chat.strip(), answer=shape, paths=paths)
            self.book.put(Kind.ANSWER, key, saved.model_dump(exclude={"id"}))
        self.book.tidy()
        return key

    def answers(self, chat: str | None = None) -> list[SavedAnswer]:
        """Return what is saved, the oldest first; of one chat, or of none and all."""
        saved = [_saved(key, values) for key, values in self.book.bodies(Kind.ANSWER).items()]
        return sorted(
            (answer for answer in saved if chat is None or answer.chat == chat),
            key=lambda answer: (answer.saved_at, answer.id),
        )

    def answer(self, beginning: str) -> SavedAnswer:
        """Return the saved answer whose id begins so. Raises UsageError, IndexDamaged."""
        key = self._key(beginning)
        return _saved(key, self.book.bodies(Kind.ANSWER)[key])

    def show(self, beginning: str) -> ShownAnswer:
        """Return a saved answer, and whether what it cites still stands in the notes."""
        saved = self.answer(beginning)
        return ShownAnswer(saved=saved, sources=self.sources(saved.answer.citations))

    def sources(self, citations: Iterable[Citation]) -> list[SourceState]:
        """Look up in the notes how citations stand now."""
        texts: dict[str, str | SourceState] = {}
        return [self._source(citation, texts) for citation in citations]

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
            values = {
                "state": verdict.state.value,
                "paths": list(verdict.paths),
                "note": verdict.note,
                "until": verdict.until,
            }
            self.book.put(Kind.VERDICT, verdict.key, values)

    def verdicts(self) -> dict[str, Verdict]:
        """Return the verdicts by key."""
        return {key: _verdict(key, values) for key, values in self.book.bodies(Kind.VERDICT).items()}

    def reopen(self, key: str) -> bool:
        """Take a verdict back; return whether there was one."""
        was_there = self.book.delete(Kind.VERDICT, key)
        self.book.tidy()
        return was_there

    def follow_moves(self) -> int:
        """Make records name moved notes by their new paths; return how many did not."""
        with self.database.atomic():
            moves = self.database.rows("SELECT old_path, new_path FROM moves ORDER BY id")
            if not moves:
                return 0
            changed = [
                (kind, key, moved)
                for kind in SPEAKING_OF_NOTES
                for key, values in self.book.bodies(kind).items()
                if (moved := retarget(values, moves)) != values
            ]
            self.book.write(changed)
            self.database.run("DELETE FROM moves")
            return len(changed)

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
        taken = self.book.bodies(Kind.ANSWER)
        while (key := secrets.token_hex(ID_BYTES)) in taken:
            pass
        return key

    def _source(self, citation: Citation, texts: dict[str, str | SourceState]) -> SourceState:
        if citation.path not in texts:
            texts[citation.path] = self._text(citation)
        text = texts[citation.path]
        if isinstance(text, SourceState):
            return text.model_copy(update={"number": citation.number})
        return source_state(citation, text)

    def _text(self, citation: Citation) -> str | SourceState:
        """Return the note's text as it is now, or why there is none."""
        try:
            file = self._file(citation.path)
            if file is None:
                return SourceState(number=citation.number, state="gone")
            return read_note(self.config.vault, file, self.config.settings.vault.max_note_bytes)
        except VaultError:
            return SourceState(number=citation.number, state="unreadable")

    def _file(self, path: str) -> FileStat | None:
        """Return a note's file: by the index, or as it lies in the vault, as after an import into an empty home."""
        rows = self.database.rows("SELECT path, fs_path, size, mtime_ns, inode FROM notes WHERE path = ?", (path,))
        if rows:
            return FileStat(*rows[0])
        section = self.config.settings.vault
        listed = scan_vault(self.config.vault, section.ignore, note_suffixes(section), [path]).notes
        return next(iter(listed), None)


def source_state(citation: Citation, text: str) -> SourceState:
    """Say whether a quote stands where it was cited from, elsewhere in the note, or nowhere in it."""
    lines = Lines(text)
    places = _places(text, citation.quote, lines) if citation.quote else []
    if not places:
        return SourceState(number=citation.number, state="changed")
    nearest = min(places, key=lambda place: abs(place[0] - citation.lines[0]))
    if nearest == tuple(citation.lines):
        return SourceState(number=citation.number, state="stands", lines=nearest)
    return SourceState(number=citation.number, state="moved", lines=nearest)


def retarget(values: Mapping[str, Any], moves: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a record's body with the new paths of notes that moved, one move after the other."""
    now: dict[str, str] = {}
    for old, new in reversed(moves):
        now[old] = now.get(new, new)
    paths = [now.get(path, path) for path in values["paths"]]
    changed = {**values, "paths": list(dict.fromkeys(paths))}
    if "answer" in values:
        cited = values["answer"]["citations"]
        citations = [{**citation, "path": now.get(citation["path"], citation["path"])} for citation in cited]
        changed["answer"] = {**values["answer"], "citations": citations}
    return changed


def is_sound(entry: Entry) -> bool:
    """Tell whether an entry from a stranger's file is a record as we write them."""
    if entry.body is None:
        return entry.kind in list(Kind)
    values = json.loads(entry.body)
    try:
        match entry.kind:
            case Kind.ANSWER:
                datetime.fromisoformat(_saved(entry.key, values).saved_at)
                return _are_texts(values["paths"])
            case Kind.VERDICT:
                _verdict(entry.key, values)
                return _are_texts(values["paths"]) and _are_texts([values["note"], values["until"]])
            case Kind.EXCLUSION:
                return _are_texts([values["salt"]])
    except (IndexDamaged, ValueError, KeyError, TypeError):
        return False
    return False


def records_about(database: Database, exclusions: Exclusions) -> list[tuple[Kind, str]]:
    """Return the records that speak of a forgotten note."""
    return [
        (kind, key)
        for kind in SPEAKING_OF_NOTES
        for key, values in read_bodies(database, kind).items()
        if any(exclusions.covers(path) for path in values.get("paths", ()))
    ]


def paths_spoken_of(database: Database) -> set[str]:
    """Return the notes that records speak of, those that are gone among them."""
    bodies = (values for kind in SPEAKING_OF_NOTES for values in read_bodies(database, kind).values())
    return {path for values in bodies for path in values.get("paths", ())}


def _places(text: str, quote: str, lines: Lines) -> list[tuple[int, int]]:
    """Return the first and last line of each place that a quote stands at."""
    found: list[tuple[int, int]] = []
    start = text.find(quote)
    while start >= 0:
        span = lines.span(start, start + len(quote))
        found.append((span.first_line, span.last_line))
        start = text.find(quote, start + 1)
    return found


def _saved(key: str, values: Mapping[str, Any]) -> SavedAnswer:
    try:
        return SavedAnswer.model_validate({**values, "id": key})
    except ValidationError as error:
        raise IndexDamaged(
            f"The saved answer {key} is none that this version understands.", f"Run: vaultrag answers delete {key}"
        ) from error


def _verdict(key: str, values: Mapping[str, Any]) -> Verdict:
    return Verdict(key, VerdictState(values["state"]), tuple(values["paths"]), values["note"], values["until"])


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
