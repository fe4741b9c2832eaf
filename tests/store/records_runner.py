"""Writes records in processes that die before their n-th write or step of a file, and compares with what was promised.

`python -m tests.store.records_runner FOLDER` tries every n and prints how many there were; a difference is an error.
`python -m tests.store.records_runner FOLDER NAME COUNT` writes so many records of its own, beside others that do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from tests.crash_runner import DIED, MortalDatabase
from vaultrag.store.database import Access
from vaultrag.store.journal import Entry, Journal, as_body
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind, RecordBook

FAR = Entry(Kind.VERDICT, "v", 2**60, as_body({"note": "imported"}))
STEPS: tuple[Callable[[RecordBook], object], ...] = (
    lambda book: book.put(Kind.ANSWER, "a", {"text": "Картридж"}),
    lambda book: book.put(Kind.ANSWER, "b", {"text": "restic"}),
    lambda book: book.put(Kind.ANSWER, "a", {"text": "Картридж, второй"}),
    lambda book: book.delete(Kind.ANSWER, "b"),
    lambda book: book.tidy(),
    lambda book: book.write([(Kind.VERDICT, "v", {"note": "1"}), (Kind.VERDICT, "w", {"note": "2"})]),
    lambda book: book.merge([FAR]),
    lambda book: book.erase([(Kind.ANSWER, "a")]),
    lambda book: book.put(Kind.ANSWER, "c", {"text": "end"}),
)
State = dict[tuple[str, str], str]


def main(folder: Path) -> None:
    states = _states(folder / "whole")
    for number in count(1):
        home = folder / str(number)
        child = os.fork()
        if not child:
            _write(home, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        _compare(home, states, number)
        if code == 0:
            sys.stdout.write(f"{number - 1}\n")
            return
        assert code == DIED, code


def write_many(folder: Path, name: str, wanted: int) -> None:
    with open_database(folder / "index.sqlite3") as database:
        book = RecordBook(database, Journal(folder / "journal.jsonl"))
        for number in range(wanted):
            book.put(Kind.ANSWER, f"{name}-{number}", {"text": name})


def _states(folder: Path) -> list[State]:
    """Return what is kept before the first step and after each."""
    with open_database(folder / "index.sqlite3") as database:
        book = RecordBook(database, Journal(folder / "journal.jsonl"))
        states = [_state(book)]
        for step in STEPS:
            step(book)
            states.append(_state(book))
        return states


def _state(book: RecordBook) -> State:
    return {(entry.kind, entry.key): entry.body for entry in book.entries() if entry.body is not None}


def _write(home: Path, number: int) -> None:
    open_database(home / "index.sqlite3").close()
    database = MortalDatabase(home / "index.sqlite3", Access.WRITE)
    database.writes_left = number
    for step_of_file in ("fsync", "replace", "ftruncate"):
        setattr(os, step_of_file, _mortal(database, getattr(os, step_of_file)))
    book = RecordBook(database, Journal(home / "journal.jsonl"))
    for done, step in enumerate(STEPS, start=1):
        step(book)
        (home / "acknowledged").write_text(str(done), encoding="ascii")
    os._exit(0)


def _mortal(database: MortalDatabase, work: Callable[..., None]) -> Callable[..., None]:
    def die_or_work(*arguments: object) -> None:
        database.count_down()
        work(*arguments)

    return die_or_work


def _compare(home: Path, states: list[State], number: int) -> None:
    acknowledged = home / "acknowledged"
    done = int(acknowledged.read_text(encoding="ascii")) if acknowledged.exists() else 0
    with open_database(home / "index.sqlite3") as database:
        book = RecordBook(database, Journal(home / "journal.jsonl"))
        book.catch_up()
        assert _state(book) in states[done : done + 2], (number, done, _state(book))
        if done > 1 and (Kind.ANSWER, "b") not in _state(book):
            assert not [path for path in home.iterdir() if b"restic" in path.read_bytes()], (number, done)
        book.put(Kind.VERDICT, "after", {})
        reading = book.journal.read()
        assert reading.damaged == ()
        assert len({entry.rank for entry in reading.entries}) == len(reading.entries), "a change is there twice"
        assert book.replay() == ()
        assert {entry.rank for entry in book.entries()} <= {entry.rank for entry in reading.entries}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        write_many(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    else:
        main(Path(sys.argv[1]))
