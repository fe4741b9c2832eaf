"""Records: nothing acknowledged is lost, nothing is there twice, whatever happens between journal and table."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from vaultrag.errors import DiskFull, IndexDamaged
from vaultrag.store.database import Access, Database
from vaultrag.store.exclusions import exclude
from vaultrag.store.journal import Entry, Journal, as_body
from vaultrag.store.opening import open_database
from vaultrag.store.records import FORGET_OWED, SMALL, WIPE_OWED, Kind, RecordBook


@pytest.fixture
def book(database: Database) -> RecordBook:
    return RecordBook(database, Journal(database.path.with_name("journal.jsonl")))


def _fill(book: RecordBook) -> None:
    book.put(Kind.ANSWER, "a", {"text": "Картридж", "paths": ["Дом/Бойлер.md"]})
    book.put(Kind.VERDICT, "v", {"note": "checked", "paths": []})
    book.put(Kind.ANSWER, "b", {"text": "restic", "paths": ["Servers/mayak.md"]})
    book.delete(Kind.ANSWER, "b")


def put_on_a_full_disk(book: RecordBook) -> None:
    with book.database.atomic():
        book.put(Kind.JOB, "j", {"paths": []})
        raise DiskFull("No space.", "Free some.")


def test_new_record_whose_transaction_failed_is_taken_back(book: RecordBook) -> None:
    with pytest.raises(DiskFull):
        put_on_a_full_disk(book)
    assert book.journal.read().entries[-1].key == "j", "nothing was to be taken back"
    book.take_back(Kind.JOB, "j")
    book.catch_up()
    assert book.body(Kind.JOB, "j") is None
    book.put(Kind.JOB, "k", {"paths": []})
    book.take_back(Kind.JOB, "k")
    assert book.body(Kind.JOB, "k") is not None, "what was written stays"
    assert not book.journal.drop_last(Entry(Kind.JOB, "elsewhere", 1, None))
    assert book.journal.read().damaged == ()


def test_records_are_read_back_by_kind_and_key(book: RecordBook) -> None:
    _fill(book)
    assert book.body(Kind.ANSWER, "a") == {"text": "Картридж", "paths": ["Дом/Бойлер.md"]}
    assert list(book.bodies(Kind.ANSWER)) == ["a"]
    assert book.body(Kind.ANSWER, "b") is None
    assert not book.delete(Kind.ANSWER, "b")


def test_later_change_counts_even_if_the_clock_went_back(book: RecordBook) -> None:
    far = Entry(Kind.VERDICT, "v", 2**62, as_body({"note": "from the future"}))
    book.merge([far])
    book.put(Kind.VERDICT, "v", {"note": "now"})
    assert book.body(Kind.VERDICT, "v") == {"note": "now"}


def test_what_the_journal_has_and_the_table_lacks_is_taken_over(book: RecordBook) -> None:
    _fill(book)
    lost = Entry(Kind.VERDICT, "w", 5, as_body({"note": "written, then killed"}))
    book.journal.append([lost])
    book.catch_up()
    assert book.body(Kind.VERDICT, "w") == {"note": "written, then killed"}
    before = book.entries()
    book.catch_up()
    book.replay()
    assert book.entries() == before


def test_table_that_is_gone_comes_back_from_the_journal(book: RecordBook, tmp_path: Path) -> None:
    _fill(book)
    with open_database(tmp_path / "other" / "index.sqlite3") as other:
        again = RecordBook(other, book.journal)
        assert again.replay() == ()
        assert again.entries() == book.entries()
        assert again.journal.read().entries == book.journal.read().entries


def test_journal_that_is_gone_comes_back_from_the_table(book: RecordBook) -> None:
    _fill(book)
    before = book.entries()
    book.journal.path.unlink()
    book.put(Kind.VERDICT, "w", {"note": "later"})
    assert {entry.key for entry in book.journal.read().entries} == {"a", "b", "v", "w"}
    assert book.entries()[:-1] == before


def test_damaged_line_is_named_and_healed_from_the_table(book: RecordBook) -> None:
    _fill(book)
    before = book.entries()
    content = bytearray(book.journal.path.read_bytes())
    content[content.index(b"checked")] ^= 1
    book.journal.path.write_bytes(content)
    assert book.replay() == (2,)
    assert book.entries() == before
    assert book.journal.read().damaged == ()
    assert set(book.journal.read().entries) >= set(before)


def test_damaged_row_is_refused_and_healed_from_the_journal(book: RecordBook) -> None:
    _fill(book)
    before = book.entries()
    book.database.run("UPDATE records SET body = replace(body, 'checked', 'chesked') WHERE kind = 'verdict'")
    assert book.damaged() == [("verdict", "v")]
    with pytest.raises(IndexDamaged):
        book.bodies(Kind.VERDICT)
    assert book.replay() == ()
    assert book.entries() == before


def test_damaged_row_does_not_stand_in_the_way_of_new_ones(book: RecordBook) -> None:
    _fill(book)
    book.database.run("UPDATE records SET body = '{' WHERE kind = 'verdict'")
    book.journal.path.unlink()
    book.put(Kind.ANSWER, "c", {"text": "new"})
    assert book.body(Kind.ANSWER, "c") == {"text": "new"}
    assert "v" not in {entry.key for entry in book.journal.read().entries}


def test_write_that_is_rolled_back_leaves_both_agreeing(book: RecordBook) -> None:
    _fill(book)
    with contextlib.suppress(ZeroDivisionError), book.database.atomic():
        book.put(Kind.VERDICT, "w", {"note": "never acknowledged"})
        raise ZeroDivisionError
    book.put(Kind.VERDICT, "x", {"note": "after"})
    journaled = {(entry.kind, entry.key) for entry in book.journal.read().entries}
    assert journaled == {(entry.kind, entry.key) for entry in book.entries()}


def test_merging_in_any_order_any_number_of_times_ends_the_same(book: RecordBook, tmp_path: Path) -> None:
    drawn = random.Random(7)
    entries = [
        Entry(Kind.ANSWER, drawn.choice("abc"), drawn.randrange(5), drawn.choice([None, as_body({"n": n})]))
        for n in range(40)
    ]
    ends = []
    for attempt in range(5):
        drawn.shuffle(entries)
        with open_database(tmp_path / f"{attempt}" / "index.sqlite3") as database:
            other = RecordBook(database, Journal(database.path.with_name("journal.jsonl")))
            for start in range(0, len(entries), 7):
                other.merge(entries[start : start + 9])
            assert other.merge(entries).known == 3
            ends.append(other.entries())
    assert all(end == ends[0] for end in ends)


@pytest.mark.slow
def test_killed_before_any_write_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.store.records_runner", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(book: RecordBook) -> None:
    folder = book.journal.path.parent
    command = [sys.executable, "-m", "tests.store.records_runner", str(folder)]
    writers = [subprocess.Popen([*command, name, "25"]) for name in ("first", "second", "third")]
    for number in range(25):
        book.put(Kind.ANSWER, f"own-{number}", {"text": "own"})
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(book.bodies(Kind.ANSWER)) == 100
    reading = book.journal.read()
    assert (len(reading.entries), reading.damaged) == (100, ())
    assert not book.replay()


def test_new_exclusion_owes_a_forgetting_wherever_it_comes_from(book: RecordBook, tmp_path: Path) -> None:
    assert book.database.meta(FORGET_OWED) is None
    exclude(book, "a.md")
    book.database.clear_meta(FORGET_OWED)
    exclude(book, "a.md")
    book.database.clear_meta(FORGET_OWED)
    book.replay()
    assert book.database.meta(FORGET_OWED) is None
    with open_database(tmp_path / "other" / "index.sqlite3") as other:
        RecordBook(other, book.journal).replay()
        assert other.meta(FORGET_OWED) == "1"


def test_erased_record_leaves_no_trace(book: RecordBook) -> None:
    _fill(book)
    book.erase([(Kind.ANSWER, "a")])
    assert "Картридж".encode() not in book.journal.path.read_bytes()
    assert book.body(Kind.VERDICT, "v") is not None
    assert book.replay() == ()
    assert book.body(Kind.ANSWER, "a") is None


@pytest.mark.parametrize("secret", ["щъёжак", "zqwombat"])
def test_deleted_record_leaves_no_trace_in_any_file(book: RecordBook, secret: str) -> None:
    for number in range(40):
        long = {"text": f"{secret} {number} " * 400, "paths": []}
        book.put(Kind.ANSWER, f"{number:02}", long if number % 3 == 0 else {"text": f"stays {number}", "paths": []})
    assert _files_with(book, secret) == {"index.sqlite3-wal", "journal.jsonl"}
    book.database.checkpoint()
    assert "index.sqlite3" in _files_with(book, secret)
    book.write([(Kind.ANSWER, f"{number:02}", None) for number in range(0, 40, 3)])
    book.tidy()
    assert _files_with(book, secret) == set()
    assert len(book.bodies(Kind.ANSWER)) == 26
    assert book.replay() == ()
    assert not book.delete(Kind.ANSWER, "03")


def test_deletion_is_not_undone_by_an_earlier_export(book: RecordBook) -> None:
    _fill(book)
    exported = book.entries()
    book.delete(Kind.ANSWER, "a")
    book.tidy()
    assert book.merge(exported).added == 0
    assert book.body(Kind.ANSWER, "a") is None


def test_wiping_is_owed_while_somebody_reads_and_made_up_for_later(book: RecordBook) -> None:
    _fill(book)
    with Database(book.database.path, Access.READ) as reader:
        with reader.snapshot():
            assert reader.value("SELECT count(*) FROM records") == 3
            book.database.run("PRAGMA busy_timeout = 1")
            book.delete(Kind.ANSWER, "a")
            book.tidy()
            assert book.database.meta(WIPE_OWED) is not None
        book.catch_up()
    assert book.database.meta(WIPE_OWED) is None
    assert _files_with(book, "Картридж") == set()


def test_damaged_line_keeps_the_journal_from_being_shortened(book: RecordBook) -> None:
    _fill(book)
    content = bytearray(book.journal.path.read_bytes())
    content[content.index(b"checked")] ^= 1
    book.journal.path.write_bytes(content)
    book.delete(Kind.ANSWER, "a")
    book.tidy()
    assert book.replay() == (2,)
    book.catch_up()
    assert book.body(Kind.VERDICT, "v") is not None
    assert _files_with(book, "Картридж") == set()


def test_journal_stays_short_however_often_a_record_changes(book: RecordBook) -> None:
    _fill(book)
    for number in range(300):
        book.put(Kind.VERDICT, "v", {"note": f"{number} " + "заметка " * 100, "paths": []})
        book.tidy()
    assert book.journal.size() < 2 * SMALL
    assert book.replay() == ()
    assert str(book.bodies(Kind.VERDICT)["v"]["note"]).startswith("299 ")


def _files_with(book: RecordBook, text: str) -> set[str]:
    return {path.name for path in book.database.path.parent.iterdir() if text.encode() in path.read_bytes()}
