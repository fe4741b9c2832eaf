"""Claims in the index: kept with their passage, gone with it, owed again where it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notes import make_chunks, make_note, make_stat, resolve_nothing, write
from vaultrag.errors import IndexDamaged
from vaultrag.store.claims import (
    StoredClaim,
    damaged_extractions,
    dropped_parts,
    owed_extractions,
    stored_claims,
    write_extraction,
)
from vaultrag.store.database import Database
from vaultrag.store.integrity.check_records import check_records
from vaultrag.store.integrity.mend import drop_damaged_claims
from vaultrag.store.journal import Journal
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.records import RecordBook

TEXTS = ["Насос берёт 300 Вт.", "The pump is Italian."]


def extract(database: Database, recipe: str = "1") -> int:
    """Keep one claim of each owed chunk: all its words."""
    owed = owed_extractions(database, recipe)
    for row_id in owed:
        text = database.value("SELECT text FROM chunks WHERE id = ?", (row_id,))
        claim = StoredClaim(row_id, f"key {row_id}", 0, len(text), "{}")
        assert write_extraction(database, row_id, text, recipe, [claim], {"question": 2})
    return len(owed)


def test_extraction_is_owed_once(database: Database, catalog: Catalog) -> None:
    write(catalog, "Насос.md", TEXTS)
    assert extract(database) == 2
    assert owed_extractions(database, "1") == []
    assert [claim.length for claim in stored_claims(database)] == list(map(len, TEXTS))
    assert dropped_parts(database) == {"question": 4}


def test_another_recipe_owes_all_and_replaces(database: Database, catalog: Catalog) -> None:
    write(catalog, "Насос.md", TEXTS)
    extract(database)
    assert extract(database, "2") == 2
    assert len(stored_claims(database)) == 2


def test_passage_that_stays_keeps_its_claims_and_one_that_changes_loses_them(
    database: Database, catalog: Catalog
) -> None:
    write(catalog, "Насос.md", TEXTS)
    extract(database)
    write(catalog, "Насос.md", ["Новая первая строка.", TEXTS[0], "The pump is Spanish."])
    assert len(owed_extractions(database, "1")) == 2
    assert len(stored_claims(database)) == 1


@pytest.mark.parametrize("change", ["title", "date"])
def test_note_of_another_name_or_day_is_owed_its_claims(database: Database, catalog: Catalog, change: str) -> None:
    write(catalog, "Насос.md", TEXTS)
    extract(database)
    database.run(f"UPDATE notes SET {change} = '2024-05-05'")
    assert stored_claims(database) == []
    assert len(owed_extractions(database, "1")) == 2


def test_note_written_again_unchanged_keeps_all(database: Database, catalog: Catalog) -> None:
    note, chunks = make_note("Насос.md", TEXTS), make_chunks("Насос.md", TEXTS)
    for _ in range(2):
        catalog.write_note(note, make_stat("Насос.md"), chunks, resolve=resolve_nothing)
        extract(database)
    assert len(stored_claims(database)) == 2


def test_removed_note_leaves_no_claim(database: Database, catalog: Catalog) -> None:
    write(catalog, "Насос.md", TEXTS)
    extract(database)
    catalog.remove_note("Насос.md")
    assert database.value("SELECT count(*) FROM claims") == 0
    assert database.value("SELECT count(*) FROM extractions") == 0


def test_what_changed_meanwhile_is_not_written(database: Database, catalog: Catalog) -> None:
    write(catalog, "Насос.md", TEXTS)
    [first, *_] = owed_extractions(database, "1")
    assert not write_extraction(database, first, "other words", "1", [], {})
    assert not write_extraction(database, 999, TEXTS[0], "1", [], {})
    assert len(owed_extractions(database, "1")) == 2


def test_damaged_claims_are_found_and_extracted_again(database: Database, catalog: Catalog, tmp_path: Path) -> None:
    write(catalog, "Насос.md", TEXTS)
    extract(database)
    book = RecordBook(database, Journal(tmp_path / "home" / "journal.jsonl"))
    assert list(check_records(book)) == []
    [first, _] = stored_claims(database)
    database.run("UPDATE claims SET body = '[]' WHERE chunk_id = ?", (first.chunk,))
    assert damaged_extractions(database) == [first.chunk]
    assert [finding.invariant for finding in check_records(book)] == ["claims"]
    with pytest.raises(IndexDamaged):
        stored_claims(database)
    assert drop_damaged_claims(database) == [
        "The claims of 1 passage were not what was written and are extracted again."
    ]
    assert extract(database) == 1
    assert list(check_records(book)) == []
