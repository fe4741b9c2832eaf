from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.notes import make_chunks, make_note, make_stat, resolve_nothing, write
from vaultrag.domain import Chunk, Task
from vaultrag.store.integrity.check import check_index
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.keywords import search_keywords


def row_ids(catalog: Catalog) -> dict[str, int]:
    rows = catalog.database.rows("SELECT text, id FROM chunks")
    return dict(rows)


def chunks_of(catalog: Catalog, path: str) -> list[Chunk]:
    ids = catalog.database.column(
        "SELECT chunks.id FROM chunks JOIN notes ON notes.id = note_id WHERE path = ? ORDER BY ordinal", (path,)
    )
    stored = catalog.chunks_by_row_ids(ids)
    return [stored[row_id].chunk for row_id in ids]


def owed_keys(catalog: Catalog) -> set[str]:
    return set(catalog.database.column("SELECT key FROM outbox"))


def broken(catalog: Catalog) -> list[str]:
    return [finding.invariant for finding in check_index(catalog.database) if finding.severity != "info"]


def settle_all(catalog: Catalog) -> None:
    catalog.database.run("DELETE FROM outbox")


def test_chunks_come_back_as_they_were_written(catalog: Catalog) -> None:
    chunks = make_chunks("Дом/Кот.md", ["Бублик спит.", "The cat sleeps."])
    chunks[1] = replace(chunks[1], block_id="cat", heading_path=("Дом", "Кот"), lead="| кот | cat |")
    chunks[1] = replace(chunks[1], speaker="assistant", said="2025-06-10T06:41", model="gpt-4o")
    chunks = [replace(chunk, date="2024-05-05", about="порода: дворовая") for chunk in chunks]
    note = replace(make_note("Дом/Кот.md"), date="2024-05-05", date_source="property", about="порода: дворовая")
    catalog.write_note(note, make_stat("Дом/Кот.md"), chunks, resolve=resolve_nothing)
    assert chunks_of(catalog, "Дом/Кот.md") == chunks
    found = catalog.chunks_by_row_ids([*row_ids(catalog).values(), 1000])
    assert [stored.title for stored in found.values()] == ["Кот", "Кот"], "an unknown row is left out"


def test_a_note_without_a_date_keeps_the_day_it_was_first_seen(catalog: Catalog) -> None:
    def dated() -> tuple[str, str]:
        ((date, source),) = catalog.database.rows("SELECT date, date_source FROM notes")
        return date, source

    write(catalog, "a.md", ["один"])
    assert (len(dated()[0]), dated()[1]) == (len("2025-01-01"), "first seen")
    assert [chunk.date for chunk in chunks_of(catalog, "a.md")] == [""], "the day it was indexed is not what it says"
    catalog.database.run("UPDATE notes SET date = '2020-02-02'")
    write(catalog, "a.md", ["два"])
    assert dated() == ("2020-02-02", "first seen")
    note = replace(make_note("a.md"), date="2024-05-05", date_source="property")
    catalog.write_note(note, make_stat("a.md"), [], resolve=resolve_nothing)
    assert dated() == ("2024-05-05", "property")


def test_equal_sections_of_two_notes_are_two_chunks_with_one_key(catalog: Catalog) -> None:
    write(catalog, "a.md", ["общий раздел"])
    write(catalog, "b.md", ["общий раздел"])
    assert catalog.counts().chunks == 2
    assert owed_keys(catalog) == {chunk.text_hash for path in ("a.md", "b.md") for chunk in chunks_of(catalog, path)}
    assert len(owed_keys(catalog)) == 1


def test_equal_sections_of_one_note_are_two_chunks(catalog: Catalog) -> None:
    write(catalog, "a.md", ["again", "again"])
    assert catalog.counts().chunks == 2
    assert catalog.counts().embedding_keys == 1


def test_unchanged_chunks_keep_their_rows_and_owe_nothing(catalog: Catalog) -> None:
    write(catalog, "a.md", ["one", "two", "three"])
    settle_all(catalog)
    before = row_ids(catalog)
    write(catalog, "a.md", ["new first", "one", "three"])
    after = row_ids(catalog)
    assert after["one"] == before["one"]
    assert after["three"] == before["three"]
    assert len(owed_keys(catalog)) == 2, "the new text and the dropped one"
    (moved_down,) = catalog.chunks_by_row_ids([before["one"]]).values()
    assert moved_down.chunk.span.first_line == 2


def test_moved_note_keeps_its_rows_and_owes_nothing(catalog: Catalog) -> None:
    note_id = write(catalog, "old/a.md", ["one", "same", "same"])
    settle_all(catalog)
    before = sorted(catalog.database.column("SELECT id FROM chunks"))
    moved = make_note("new/b.md", ["one", "same", "same"])
    chunks = make_chunks("new/b.md", ["one", "same", "same"])
    stat = make_stat("new/b.md")
    assert catalog.write_note(moved, stat, chunks, resolve=resolve_nothing, old_path="old/a.md") == note_id
    assert sorted(catalog.database.column("SELECT id FROM chunks")) == before
    assert not owed_keys(catalog)
    assert list(catalog.stored_files()) == ["new/b.md"]
    assert chunks_of(catalog, "new/b.md") == chunks


def test_chunks_that_trade_ids_are_written(catalog: Catalog) -> None:
    first, second = make_chunks("a.md", ["same", "same"])
    catalog.write_note(make_note("a.md"), make_stat("a.md"), [first, second], resolve=resolve_nothing)
    traded = [replace(first, id=second.id, text="x"), replace(second, id=first.id)]
    catalog.write_note(make_note("a.md"), make_stat("a.md"), traded, resolve=resolve_nothing)
    assert chunks_of(catalog, "a.md") == traded


def test_removed_note_leaves_nothing_but_owed_keys(catalog: Catalog) -> None:
    write(catalog, "a.md", ["привет"], links=["b"], aliases=["псевдоним"])
    settle_all(catalog)
    catalog.remove_note("a.md")
    for table in ("notes", "chunks", "links", "names", "tags", "tasks"):
        assert catalog.database.value(f"SELECT count(*) FROM {table}") == 0, table
    assert len(owed_keys(catalog)) == 1
    assert not search_keywords(catalog.database, [("привет",)], 10)
    assert broken(catalog) == []


def test_failure_in_the_middle_leaves_the_note_as_it_was(catalog: Catalog) -> None:
    write(catalog, "a.md", ["one"])

    def fail(target: str, source: str) -> str | None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        catalog.write_note(
            make_note("a.md", ["two"], links=["x"]), make_stat("a.md"), make_chunks("a.md", ["two"]), resolve=fail
        )
    assert list(row_ids(catalog)) == ["one"]
    assert broken(catalog) == []


def test_half_a_surrogate_pair_is_stored_as_a_question_mark(catalog: Catalog) -> None:
    write(catalog, "a.md", ["broken \ud800 text"], aliases=["\udfff"])
    assert list(row_ids(catalog)) == ["broken ? text"]


def test_a_note_is_written_with_names_tags_and_the_language_of_most_of_its_text(catalog: Catalog) -> None:
    write(catalog, "Кот.md", ["Бублик спит на диване.", "cat"], aliases=["Cat", "Бублик"])
    names = catalog.database.column("SELECT name FROM names WHERE kind = 'alias' ORDER BY id")
    assert names == ["Cat", "Бублик"]
    assert catalog.database.column("SELECT tag FROM tags ORDER BY tag") == ["test", "проба"]
    assert catalog.database.column("SELECT language FROM notes") == ["ru"]


def test_tasks_are_written_with_their_state_and_days_and_replaced_with_their_note(catalog: Catalog) -> None:
    tasks = (Task(" ", "купить трубу", 3, (("due", "2024-05-01"),)), Task("x", "measure", 4))
    for written in (tasks, tasks[1:]):
        note = replace(make_note("a.md"), tasks=written)
        catalog.write_note(note, make_stat("a.md"), [], resolve=resolve_nothing)
        rows = catalog.database.rows("SELECT line, status, text, dates FROM tasks ORDER BY line")
        assert rows == [(task.line, task.status, task.text, json.dumps(dict(task.dates))) for task in written]


def test_touched_note_changes_its_file_only(catalog: Catalog) -> None:
    write(catalog, "a.md", ["one"])
    catalog.touch([make_stat("a.md", mtime_ns=99)])
    assert catalog.stored_files()["a.md"].stat.mtime_ns == 99


def test_counts_are_those_of_the_tables(catalog: Catalog) -> None:
    write(catalog, "a.md", ["one", "two"], links=["b", "c"])
    write(catalog, "b.md", ["раз"])
    counts = catalog.counts()
    assert (counts.notes, counts.chunks, counts.links, counts.unresolved_links) == (2, 3, 2, 2)
    assert (counts.embedding_keys, counts.embedded, counts.owed) == (3, 0, 3)
