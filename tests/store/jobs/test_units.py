"""Units of work: done with their result or not at all, and counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash_runner import DIED, MortalDatabase
from tests.notes import write
from vaultrag.domain import JobState
from vaultrag.store.database import Access, Database
from vaultrag.store.jobs.notes import add_notes, job_paths
from vaultrag.store.jobs.rows import MICROSECONDS, JobLease, LeaseLost, add_row, read_row, set_state, take
from vaultrag.store.jobs.units import (
    NOTHING_SPENT,
    JobUnit,
    Spent,
    add_unit,
    damaged_units,
    drop_damaged_units,
    drop_units,
    spent_by,
    unit_result,
)
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.opening import open_database

NOW = 1_800_000_000 * MICROSECONDS


@pytest.fixture
def lease(database: Database) -> JobLease:
    add_row(database, "a", JobState.QUEUED, 0)
    taken = take(database, "one", NOW)
    assert taken is not None
    return taken


def test_unit_is_kept_with_what_it_cost_and_the_job_has_got_on(database: Database, lease: JobLease) -> None:
    add_unit(database, lease, JobUnit("draft", "Картридж поменяли.", 40, 1.5), ["Дом/Бойлер.md"])
    add_unit(database, lease, JobUnit("score", "[0.25]", 8, 0.5), ["Дом/Бойлер.md", "Servers/mayak.md"])
    assert unit_result(database, "a", "draft") == "Картридж поменяли."
    assert unit_result(database, "a", "other") is None
    assert spent_by(database, "a") == Spent(2, 48, 2.0)
    assert spent_by(database, "b") == NOTHING_SPENT
    assert job_paths(database) == {"a": ["Servers/mayak.md", "Дом/Бойлер.md"]}
    row = read_row(database, "a")
    assert row is not None
    assert row.attempts == 0


def test_who_lost_the_job_adds_nothing(database: Database, lease: JobLease) -> None:
    set_state(database, "a", JobState.CANCELLED)
    with pytest.raises(LeaseLost):
        add_unit(database, lease, JobUnit("draft", "words"))
    with pytest.raises(LeaseLost):
        add_notes(database, lease, ["a.md"])
    assert unit_result(database, "a", "draft") is None
    assert job_paths(database) == {}


def test_unit_that_is_not_what_was_written_was_not_done(database: Database, lease: JobLease) -> None:
    add_unit(database, lease, JobUnit("draft", "The restore was tried."))
    add_unit(database, lease, JobUnit("score", "[0.25]"))
    database.run("UPDATE job_units SET result = 'The restore was never tried.' WHERE key = 'draft'")
    assert unit_result(database, "a", "draft") is None
    assert damaged_units(database) == [("a", "draft")]
    assert drop_damaged_units(database) == 1
    assert unit_result(database, "a", "score") == "[0.25]"
    add_unit(database, lease, JobUnit("draft", "The restore was tried."))
    assert damaged_units(database) == []


def test_job_that_begins_anew_has_done_and_read_nothing(database: Database, lease: JobLease) -> None:
    add_unit(database, lease, JobUnit("draft", "words"), ["a.md"])
    drop_units(database, "a")
    assert (spent_by(database, "a"), job_paths(database)) == (NOTHING_SPENT, {})


def test_notes_of_a_job_follow_them_when_they_move(catalog: Catalog, lease: JobLease) -> None:
    write(catalog, "Дом/Бойлер.md", ["Картридж"])
    add_notes(catalog.database, lease, ["Дом/Бойлер.md"])
    catalog.database.run("UPDATE notes SET path = 'Архив/Бойлер.md'")
    assert job_paths(catalog.database) == {"a": ["Архив/Бойлер.md"]}


def test_killed_between_any_two_writes_a_unit_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    with open_database(path) as database:
        add_row(database, "a", JobState.QUEUED, 0)
        lease = take(database, "one", NOW)
        assert lease is not None
    seen = set()
    for number in range(1, 20):
        child = os.fork()
        if not child:
            mortal = MortalDatabase(path, Access.WRITE)
            mortal.writes_left = number
            add_unit(mortal, lease, JobUnit(f"unit {number}", "done", 1, 1.0), [f"{number}.md"])
            os._exit(0)
        died = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
        with open_database(path, Access.READ) as database:
            is_done = unit_result(database, "a", f"unit {number}") is not None
            assert is_done == (f"{number}.md" in job_paths(database).get("a", []))
        seen.add((died, is_done))
        if not died:
            break
    assert seen == {(True, False), (False, True)}
