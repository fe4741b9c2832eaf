"""Derived rows that are wrong are dropped, so that the next run of the indexer makes them anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from vaultrag.domain import Progress, counted
from vaultrag.store import embeddings
from vaultrag.store.claims import damaged_extractions, delete_extractions
from vaultrag.store.database import Database
from vaultrag.store.integrity.check import check_keywords, texts_without_embedding, unreadable_states
from vaultrag.store.integrity.check_home import leftovers, make_private, readable_by_others, remove
from vaultrag.store.integrity.check_vectors import unsound_embeddings
from vaultrag.store.integrity.salvage import first_days, readable_records
from vaultrag.store.jobs.rows import delete_jobs, unreadable_rows
from vaultrag.store.jobs.units import drop_damaged_units
from vaultrag.store.notes.keywords import rebuild_keywords
from vaultrag.store.records import RecordBook
from vaultrag.store.schema import FIRST_SEEN
from vaultrag.store.traces import damaged_traces, delete_traces


def mend_states(database: Database) -> list[str]:
    """Drop what the index keeps of its own state where it cannot be read: it is found out again."""
    wrong = unreadable_states(database)
    with database.atomic():
        for key in wrong:
            database.clear_meta(key)
    return [f"What could not be read of the index's own state was dropped: {', '.join(wrong)}."] if wrong else []


def mend_records(book: RecordBook, damaged_files: Sequence[Path]) -> list[str]:
    """Heal records and journal, each from the other and from damaged files; return what was done."""
    wrong = book.damaged()
    lines = book.replay()
    merged = book.merge([entry for path in damaged_files for entry in readable_records(path)])
    taken = merged.added + merged.replaced + merged.deleted
    lost = set(wrong) - {(entry.kind, entry.key) for entry in book.entries()}
    return [
        *_said(lines, "{} of the journal was damaged; it is written anew.", "line"),
        *_said(wrong, "{} in the index was not what was written; the journal was asked.", "record"),
        *_said(range(taken), "{} was taken over from the damaged file.", "record"),
        *_said(lost, "{} is lost: neither index nor journal had it whole.", "record"),
    ]


def drop_damaged_traces(database: Database) -> list[str]:
    """Drop the traces that are not what was written: nothing else has them; return what was done."""
    wrong = damaged_traces(database)
    if wrong:
        delete_traces(database, wrong)
    return _said(wrong, "{} of a longer answer was not what was written and is dropped.", "trace")


def drop_damaged_claims(database: Database) -> list[str]:
    """Drop the claims of passages that are not what was written: they are extracted again; return what was done."""
    wrong = damaged_extractions(database)
    if wrong:
        delete_extractions(database, wrong)
    return _said(wrong, "The claims of {} were not what was written and are extracted again.", "passage")


def drop_damaged_jobs(database: Database) -> list[str]:
    """Drop what is not as it was written of how far jobs are, so that it is done again; return what was done."""
    rows = unreadable_rows(database)
    if rows:
        delete_jobs(database, rows)
    units = drop_damaged_units(database)
    return [
        *_said(rows, "{} was not what was written and begins anew.", "job"),
        *_said(range(units), "{} of jobs was not what was written and is done again.", "unit"),
    ]


def mend_keywords(database: Database) -> list[str]:
    """Build those keyword indexes anew that do not agree with the rows; return what was done."""
    if not list(check_keywords(database)):
        return []
    rebuild_keywords(database)
    return ["The keyword indexes were built anew."]


def drop_rows(database: Database, notes: Iterable[str]) -> None:
    """Drop everything derived from these notes but their own rows; they are owed a reading, their keys a look."""
    for path in notes:
        with database.atomic():
            note_id = database.value("SELECT id FROM notes WHERE path = ?", (path,))
            embeddings.queue(
                database, database.column("SELECT DISTINCT text_hash FROM chunks WHERE note_id = ?", (note_id,))
            )
            for table, column in (
                ("chunks", "note_id"),
                ("names", "note_id"),
                ("tags", "note_id"),
                ("tasks", "note_id"),
                ("links", "source_id"),
            ):
                database.run(f"DELETE FROM {table} WHERE {column} = ?", (note_id,))
            database.run("UPDATE notes SET recipe = '', content_hash = '' WHERE id = ?", (note_id,))


def drop_files(database: Database, paths: Sequence[str]) -> None:
    """Forget that these files are known; the next run meets them as new, and follows the links to them again."""
    with database.atomic():
        database.run_many("DELETE FROM files WHERE path = ?", ((path,) for path in paths))


def owe_all_mentions(database: Database) -> None:
    """Have the mentions of the whole vault looked for again."""
    with database.atomic():
        database.run("DELETE FROM mentions")
        database.run("INSERT OR IGNORE INTO mentions_owed (note_id) SELECT id FROM notes")


def drop_unsound_embeddings(database: Database, progress: Progress) -> list[str]:
    """Drop the embeddings that are not what was written; return what was done."""
    unsound = unsound_embeddings(database, progress)
    _delete_embeddings(database, unsound)
    return _said(unsound, "{} was not what was written and is made anew.", "embedding")


def drop_needless_embeddings(database: Database) -> list[str]:
    """Drop the embeddings that belong to no text; return what was done."""
    needless = database.column(
        "SELECT id FROM embeddings WHERE text_hash NOT IN (SELECT text_hash FROM chunks)"
        " AND text_hash NOT IN (SELECT key FROM outbox)"
    )
    _delete_embeddings(database, needless)
    return _said(needless, "{} belonged to no text and is removed.", "embedding")


def queue_missing_embeddings(database: Database) -> list[str]:
    """Queue every text that lacks an embedding; return what was done."""
    missing = texts_without_embedding(database)
    with database.atomic():
        embeddings.queue(database, missing)
    return _said(missing, "{} without an embedding is queued.", "text")


def _delete_embeddings(database: Database, row_ids: Sequence[int]) -> None:
    if row_ids:
        with database.atomic():
            database.run_many("DELETE FROM embeddings WHERE id = ?", ((row_id,) for row_id in row_ids))
            embeddings.advance_version(database)


def restore_days(database: Database, damaged_files: Sequence[Path]) -> None:
    """Give notes that name no date the day back that they were first seen."""
    for path in damaged_files:
        days: Mapping[str, str] = first_days(path)
        with database.atomic():
            database.run_many(
                f"UPDATE notes SET date = ?1 WHERE path = ?2 AND date_source = '{FIRST_SEEN}' AND date > ?1",
                ((day, note) for note, day in days.items()),
            )


def mend_home(home: Path) -> list[str]:
    """Close the files to others, and remove what interrupted work left; return what was done."""
    exposed, left = readable_by_others(home), leftovers(home)
    make_private(exposed)
    remove(left)
    return [
        *_said(exposed, "{} could be read by others and is closed to them.", "file"),
        *_said(left, "{} that interrupted work left is removed.", "file or folder"),
    ]


def _said(things: Collection[object], sentence: str, noun: str) -> list[str]:
    return [sentence.format(counted(len(things), noun))] if things else []
