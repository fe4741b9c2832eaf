"""Traces that are not what was written are found by a deep check, and repair drops them alone."""

from __future__ import annotations

from pathlib import Path

from vaultrag.domain import StepTaken
from vaultrag.store.database import Database
from vaultrag.store.integrity.check_records import check_records
from vaultrag.store.integrity.mend import drop_damaged_traces
from vaultrag.store.journal import Journal
from vaultrag.store.records import RecordBook
from vaultrag.store.traces import add_step, begin_trace, read_traces


def test_damaged_trace_is_named_and_dropped_and_the_others_stay(database: Database, tmp_path: Path) -> None:
    book = RecordBook(database, Journal(tmp_path / "home" / "journal.jsonl"))
    sound, wrong = begin_trace(database, "sound", "deep"), begin_trace(database, "wrong", "deep")
    add_step(database, wrong, StepTaken("search", "words"))
    assert list(check_records(book)) == []
    assert drop_damaged_traces(database) == []
    database.run("UPDATE trace_steps SET detail = 'other words'")
    (finding,) = check_records(book)
    assert (finding.invariant, finding.severity) == ("traces", "error")
    assert "1 trace" in finding.detail
    assert drop_damaged_traces(database) == ["1 trace of a longer answer was not what was written and is dropped."]
    assert [trace.id for trace in read_traces(database)] == [sound]
    assert list(check_records(book)) == []
