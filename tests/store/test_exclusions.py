"""Exclusions: forgotten paths are recognised, and written down nowhere."""

from __future__ import annotations

import unicodedata

import pytest

from vaultrag.store.database import Database
from vaultrag.store.exclusions import Exclusions, exclude, include, read_exclusions
from vaultrag.store.journal import Journal
from vaultrag.store.records import Kind, RecordBook


@pytest.fixture
def book(database: Database) -> RecordBook:
    return RecordBook(database, Journal(database.path.with_name("journal.jsonl")))


def test_nothing_is_forgotten_at_first(book: RecordBook) -> None:
    exclusions = read_exclusions(book.database)
    assert not exclusions
    assert not exclusions.covers("Дом/Бойлер.md")


def test_note_is_covered_and_its_neighbours_are_not(book: RecordBook) -> None:
    exclude(book, "Дом/Тайна.md")
    exclusions = read_exclusions(book.database)
    assert exclusions.covers("Дом/Тайна.md")
    assert exclusions.covers("дом/тайна.MD")
    assert exclusions.covers(unicodedata.normalize("NFD", "Дом/Тайна.md").replace("й", "й"))
    for other in ("Дом/Тайна.md.md", "Тайна.md", "Дом/Тайна", "Дом/", "Дом", "Дом/Тайна.md/", "Сад/Тайна.md", ""):
        assert not exclusions.covers(other), other


def test_folder_covers_all_that_is_in_it(book: RecordBook) -> None:
    exclude(book, "Private/Диk/")
    exclusions = read_exclusions(book.database)
    for inside in ("Private/Диk/a.md", "private/диk/deep/er/b.md", "Private/Диk/", "Private/Диk/deep/"):
        assert exclusions.covers(inside), inside
    for other in ("Private/a.md", "Private/", "Private/Диk2/a.md", "Диk/a.md", "Private/Диk"):
        assert not exclusions.covers(other), other


def test_path_stands_nowhere(book: RecordBook) -> None:
    exclude(book, "Дом/Тайна zqx.md")
    book.database.run("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in book.database.path.parent.iterdir():
        content = file.read_bytes().lower()
        assert b"zqx" not in content
        assert "тайна".encode() not in content


def test_excluding_twice_is_one_record_and_can_be_taken_back(book: RecordBook) -> None:
    exclude(book, "a.md")
    exclude(book, "A.md")
    exclude(book, "b/")
    assert len(book.bodies(Kind.EXCLUSION)) == 2
    assert len({values["salt"] for values in book.bodies(Kind.EXCLUSION).values()}) == 1
    assert include(book, "a.MD")
    assert not include(book, "a.md")
    exclusions = read_exclusions(book.database)
    assert not exclusions.covers("a.md")
    assert exclusions.covers("b/a.md")
    exclude(book, "a.md")
    assert read_exclusions(book.database).covers("a.md")


def test_hashes_with_several_salts_all_count(book: RecordBook) -> None:
    exclude(book, "here.md")
    elsewhere = Exclusions([("00", "x"), *((v["salt"], key) for key, v in book.bodies(Kind.EXCLUSION).items())])
    assert elsewhere.covers("here.md")
    assert not elsewhere.covers("there.md")
