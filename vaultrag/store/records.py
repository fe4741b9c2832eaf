"""Records: what the user said and kept. The journal has each change first, the table what holds in the end.

A change goes to the journal and onto the disk, then into SQLite, under SQLite's write lock. Killed in between, the
journal is ahead, which its size tells, and the next writer takes over what it says: doing that twice changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vaultrag.errors import IndexDamaged, StoreError
from vaultrag.store.database import Database, Row
from vaultrag.store.journal import Entry, Journal, Reading, as_body, latest

JOURNAL_SIZE = "journal_size"  # as it was when SQLite last agreed with it
JOURNAL_REWRITTEN = "journal_rewritten"  # its size when it was last written anew
GROWN = 2  # times that size, and it is written anew: what a record was before goes, at a cost in proportion to writing
SMALL = 65_536  # bytes: a journal below is not worth the work
WIPE_OWED = "wipe_owed"  # a record was deleted whose text may not be gone yet

FORGET_OWED = "forget_owed"  # an exclusion came whose traces may not be gone yet


class Kind(StrEnum):
    """What is kept. The body of every kind names the notes that it speaks of in `paths`, but for exclusions."""

    ANSWER = "answer"
    VERDICT = "verdict"
    EXCLUSION = "exclusion"
    JOB = "job"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of entries from elsewhere."""

    added: int = 0
    replaced: int = 0
    deleted: int = 0
    known: int = 0


class RecordBook:
    """The records of one index. Reading needs a database for reading only."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self.database = database
        self.journal = journal

    def put(self, kind: Kind, key: str, values: Mapping[str, Any]) -> None:
        """Write a record; it survives anything once this returns."""
        self.write([(kind, key, values)])

    def write(self, changes: Iterable[tuple[Kind, str, Mapping[str, Any] | None]]) -> None:
        """Write several records in one step; None deletes."""
        with self.database.atomic():
            self._catch_up()
            self._append([self._next(kind, key, values) for kind, key, values in changes])

    def take_back(self, kind: Kind, key: str) -> None:
        """Take a new record out of the journal whose transaction failed, where nobody has taken it over since.

        Else whoever was told that it could not be written would find it there, and again. What prevents this is no
        worse than a kill between the two.
        """
        with contextlib.suppress(StoreError), self.database.atomic():
            entries = self.journal.read().entries
            if entries and (entries[-1].kind, entries[-1].key) == (kind, key) and self.body(kind, key) is None:
                self.journal.drop_last(entries[-1])

    def delete(self, kind: Kind, key: str) -> bool:
        """Delete a record; return whether it was there."""
        with self.database.atomic():
            if self.body(kind, key) is None:
                return False
            self.write([(kind, key, None)])
            return True

    def body(self, kind: Kind, key: str) -> dict[str, Any] | None:
        """Return a record, None where it is not there. Raises IndexDamaged."""
        rows = self.database.rows(f"{_SELECT} WHERE kind = ? AND key = ?", (kind, key))
        return next((values for _, values in _values(rows)), None)

    def bodies(self, kind: Kind) -> dict[str, dict[str, Any]]:
        """Return the records of a kind by key, in the order they were last written. Raises IndexDamaged."""
        return read_bodies(self.database, kind)

    def entries(self) -> list[Entry]:
        """Return every record as it stands, deleted ones too. Raises IndexDamaged."""
        return [_sound(row) for row in self.database.rows(f"{_SELECT} ORDER BY at, kind, key")]

    def damaged(self) -> list[tuple[str, str]]:
        """Return (kind, key) of the rows that are not what was written."""
        rows = self.database.rows(f"{_SELECT} ORDER BY kind, key")
        return [(row[0], row[1]) for row in rows if Entry(*row[:4]).checksum != row[4]]

    def merge(self, entries: Sequence[Entry]) -> Merged:
        """Take over entries of another journal, where they are later than what stands here."""
        with self.database.atomic():
            self._catch_up()
            merged, news = self.compare(entries)
            self._append(news)
            return merged

    def compare(self, entries: Sequence[Entry]) -> tuple[Merged, list[Entry]]:
        """Return what merging these would do, and those of them that count."""
        standing = {(entry.kind, entry.key): entry for entry in self.entries()}
        news = [
            entry for name, entry in latest(entries).items() if name not in standing or entry.rank > standing[name].rank
        ]
        live = {name for name, entry in standing.items() if entry.body is not None}
        there = [(entry.kind, entry.key) in live for entry in news]
        bodies = [entry.body is not None for entry in news]
        counts = list(zip(there, bodies, strict=True))
        merged = Merged(
            added=counts.count((False, True)),
            replaced=counts.count((True, True)),
            deleted=counts.count((True, False)),
            known=len(latest(entries)) - len(news),
        )
        return merged, news

    def catch_up(self) -> None:
        """Take over what the journal has and SQLite lacks, as after a kill between the two. Not inside `atomic()`."""
        if self._behind():
            with self.database.atomic():
                self._catch_up()
        self.tidy()

    def tidy(self) -> None:
        """Remove what deleted records left in journal, table and log, and keep the journal short. Not in `atomic()`.

        While another process reads the index for long, the log keeps it until the next time; a journal with damaged
        lines is left to `replay`.
        """
        owed = self.database.meta(WIPE_OWED)
        if owed is None and not self._has_grown():
            return
        with self.database.atomic():
            self._catch_up()
            reading = self.journal.read()
            if not reading.damaged:
                self._rewrite(sorted(latest(reading.entries).values(), key=_by_time))
            if owed is not None:
                self._write_rows_anew()
        if owed is not None and not reading.damaged and self.database.checkpoint():
            with self.database.atomic():
                self.database.run("DELETE FROM meta WHERE key = ? AND value = ?", (WIPE_OWED, owed))

    def replay(self) -> tuple[int, ...]:
        """Heal table and journal, each from the other; return the numbers of the journal's damaged lines.

        Where the journal lacks anything it is written anew, from what both know.
        """
        with self.database.atomic():
            self.database.run_many("DELETE FROM records WHERE kind = ? AND key = ?", self.damaged())
            reading = self.journal.read()
            self._store(reading.entries)
            if reading.damaged or self._missing_in(reading):
                self._rewrite(self.entries())
            else:
                self._note_size(reading.size)
            return reading.damaged

    def erase(self, names: Sequence[tuple[Kind, str]]) -> None:
        """Remove every trace of these records, from the journal too."""
        with self.database.atomic():
            self._catch_up()
            self.database.run_many("DELETE FROM records WHERE kind = ? AND key = ?", names)
            self._rewrite(self.entries())

    def _append(self, entries: Sequence[Entry]) -> None:
        if entries:
            size = self.journal.append(entries)
            self._store(entries)
            self._note_size(size)

    def _store(self, entries: Sequence[Entry]) -> None:
        """Write the state of records, where it is later than what stands.

        A new exclusion owes its forgetting, a deletion the wiping of what it leaves.
        """
        before = self._excluded()
        deleted = self._new_deletions(entries)
        self.database.run_many(
            "INSERT INTO records (kind, key, at, body, checksum) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at, body = excluded.body,"
            " checksum = excluded.checksum WHERE (excluded.at, excluded.checksum) > (at, checksum)",
            ((entry.kind, entry.key, entry.at, entry.body, entry.checksum) for entry in entries),
        )
        if self._excluded() - before:
            self.database.set_meta(FORGET_OWED, "1")
        if deleted:
            self.database.set_meta(WIPE_OWED, str(max(deleted)))

    def _new_deletions(self, entries: Iterable[Entry]) -> list[int]:
        """Return the times of those deletions that the table does not know."""
        known = set(self.database.rows("SELECT kind, key, at FROM records WHERE body IS NULL"))
        return [entry.at for entry in entries if entry.body is None and (entry.kind, entry.key, entry.at) not in known]

    def _rewrite(self, entries: Sequence[Entry]) -> None:
        size = self.journal.rewrite(entries)
        self._note_size(size)
        self.database.set_meta(JOURNAL_REWRITTEN, str(size))

    def _write_rows_anew(self) -> None:
        """Write the table anew: emptied as a whole, each of its pages is overwritten."""
        rows = self.database.rows(_SELECT)
        self.database.run("DELETE FROM records")
        self.database.run_many("INSERT INTO records (kind, key, at, body, checksum) VALUES (?, ?, ?, ?, ?)", rows)

    def _has_grown(self) -> bool:
        return self.journal.size() > max(SMALL, GROWN * self.database.meta_number(JOURNAL_REWRITTEN))

    def _excluded(self) -> set[str]:
        live = "SELECT key FROM records WHERE kind = ? AND body IS NOT NULL"
        return set(self.database.column(live, (Kind.EXCLUSION,)))

    def _next(self, kind: Kind, key: str, values: Mapping[str, Any] | None) -> Entry:
        """Return the next state of a record: later than the last one, whatever the clock says."""
        before = self.database.value("SELECT at FROM records WHERE kind = ? AND key = ?", (kind, key)) or 0
        at = max(time.time_ns() // 1000, before + 1)
        return Entry(kind, key, at, None if values is None else as_body(values))

    def _behind(self) -> bool:
        return self.journal.size() != self.database.meta_number(JOURNAL_SIZE)

    def _catch_up(self) -> None:
        """Make journal and table agree, and leave what is damaged to `replay`."""
        if self._behind():
            reading = self.journal.read()
            self._store(reading.entries)
            missing = self._missing_in(reading)
            self._note_size(self.journal.append(missing) if missing else reading.size)

    def _missing_in(self, reading: Reading) -> list[Entry]:
        known = {entry.rank for entry in reading.entries}
        rows = self.database.rows(f"{_SELECT} ORDER BY at, kind, key")
        return [entry for row in rows if (entry := Entry(*row[:4])).checksum == row[4] and entry.rank not in known]

    def _note_size(self, size: int) -> None:
        self.database.set_meta(JOURNAL_SIZE, str(size))


def read_bodies(database: Database, kind: Kind) -> dict[str, dict[str, Any]]:
    """Return the records of a kind by key, in the order they were last written. Raises IndexDamaged."""
    return dict(_values(database.rows(f"{_SELECT} WHERE kind = ? ORDER BY at, key", (kind,))))


def moved_notes(database: Database) -> list[tuple[str, str]]:
    """Return (old path, new path) of the moves that records have not followed yet, in their order."""
    return [(old, new) for old, new in database.rows("SELECT old_path, new_path FROM moves ORDER BY id")]


def clear_moves(database: Database) -> None:
    """Note that records have followed all moves."""
    database.run("DELETE FROM moves")


_SELECT = "SELECT kind, key, at, body, checksum FROM records"


def _by_time(entry: Entry) -> tuple[int, str, str]:
    return entry.at, entry.kind, entry.key


def _values(rows: Iterable[Row]) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in rows:
        entry = _sound(row)
        if entry.body is not None:
            yield entry.key, json.loads(entry.body)


def _sound(row: Row) -> Entry:
    entry = Entry(*row[:4])
    if entry.checksum != row[4]:
        raise IndexDamaged(
            f"A record of kind “{entry.kind}” is not what was written.",
            "Run `vaultrag repair`: the journal holds it, too.",
        )
    return entry
