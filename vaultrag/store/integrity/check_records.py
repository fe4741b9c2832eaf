"""Records and journal: each whole by its checksum, and both telling the same. Traces, jobs and claims are whole too."""

from __future__ import annotations

from collections.abc import Iterator

from vaultrag.domain import Finding, counted
from vaultrag.store.claims import damaged_extractions
from vaultrag.store.integrity.check import INDEX, REPAIR, examples
from vaultrag.store.jobs.rows import unreadable_rows
from vaultrag.store.jobs.units import damaged_units
from vaultrag.store.journal import latest
from vaultrag.store.records import FORGET_OWED, RecordBook
from vaultrag.store.traces import damaged_traces


def check_records(book: RecordBook) -> Iterator[Finding]:
    """Yield what is wrong with what cannot be rebuilt. Raises IndexTooNew and StoreError."""
    if wrong := damaged_traces(book.database):
        detail = f"{counted(len(wrong), 'trace')} of longer answers are not what was written."
        yield Finding("traces", "error", detail, REPAIR)
    if wrong := [*unreadable_rows(book.database), *map(str, damaged_units(book.database))]:
        detail = f"{counted(len(wrong), 'row')} of jobs are not what was written."
        yield Finding("jobs", "error", detail, REPAIR)
    if lost := damaged_extractions(book.database):
        detail = f"The claims of {counted(len(lost), 'passage')} are not what was written."
        yield Finding("claims", "error", detail, REPAIR)
    reading = book.journal.read()
    if reading.damaged:
        lines = f"{counted(len(reading.damaged), 'line')} of the journal are damaged: {examples(reading.damaged)}."
        yield Finding("journal", "error", lines, REPAIR)
    torn = set(book.damaged())
    if torn:
        yield Finding(
            "records", "error", f"{counted(len(torn), 'record')} in the index are not what was written.", REPAIR
        )
        return
    told = {name: entry.rank for name, entry in latest(reading.entries).items()}
    held = {(entry.kind, entry.key): entry.rank for entry in book.entries()}
    if differing := {name for name in told.keys() | held.keys() if told.get(name) != held.get(name)}:
        detail = f"Index and journal differ in {counted(len(differing), 'record')}."
        yield Finding("records-journaled", "error", detail, REPAIR)
    if book.database.meta(FORGET_OWED):
        yield Finding("forgetting-finished", "warning", "What was forgotten may have left traces.", INDEX)
