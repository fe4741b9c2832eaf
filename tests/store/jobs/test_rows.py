"""Jobs change hands whole: one holder at a time, whatever the clock says, and who lost one writes nothing more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vaultrag.domain import JobCounts, JobState
from vaultrag.store.database import Database
from vaultrag.store.integrity.check import check_file
from vaultrag.store.jobs.rows import (
    LEASE_SECONDS,
    LONGEST_DELAY,
    MICROSECONDS,
    JobLease,
    LeaseLost,
    add_row,
    delete_jobs,
    free_all,
    is_alive,
    is_due,
    job_counts,
    note_stage,
    put_back,
    read_row,
    read_rows,
    renew,
    set_state,
    take,
    unreadable_rows,
)

NOW = 1_800_000_000 * MICROSECONDS
LEASE = int(LEASE_SECONDS) * MICROSECONDS
HOUR = 3600 * MICROSECONDS


def queue(database: Database, *jobs: str, rank: int = 0) -> None:
    for job in jobs:
        add_row(database, job, JobState.QUEUED, rank)


def taken(database: Database, now: int = NOW, holder: str = "one") -> str:
    lease = take(database, holder, now)
    return lease.job if lease else ""


def test_jobs_are_taken_in_the_order_they_came_the_lowest_rank_first(database: Database) -> None:
    queue(database, "night", rank=5)
    queue(database, "first", "second")
    assert [taken(database) for _ in range(4)] == ["first", "second", "night", ""]


def test_job_that_waits_for_its_next_attempt_is_left_until_it_is_due(database: Database) -> None:
    queue(database, "a")
    lease = take(database, "one", NOW)
    assert lease is not None
    put_back(database, lease, NOW + HOUR, counts=True)
    assert job_counts(database) == JobCounts(to_do=1)
    assert taken(database, NOW + HOUR - 1) == ""
    again = take(database, "one", NOW + HOUR)
    assert again is not None
    assert again.attempts == 2


def test_job_that_was_given_back_has_had_no_attempt(database: Database) -> None:
    queue(database, "a")
    lease = take(database, "one", NOW)
    assert lease is not None
    put_back(database, lease)
    row = read_row(database, "a")
    assert row is not None
    assert (row.state, row.attempts, row.holder) == (JobState.QUEUED, 0, "")


def test_lease_that_is_over_goes_to_another_and_the_first_writes_nothing_more(database: Database) -> None:
    queue(database, "a")
    first = take(database, "one", NOW)
    assert first is not None
    assert taken(database, NOW + LEASE - 1, "two") == ""
    renew(database, first, NOW + LEASE - 1)
    assert taken(database, NOW + LEASE, "two") == ""
    second = take(database, "two", NOW + 2 * LEASE)
    assert second is not None
    assert second.fence > first.fence
    writes: list[Callable[[JobLease], None]] = [
        lambda lease: renew(database, lease, NOW),
        lambda lease: note_stage(database, lease, "x"),
        lambda lease: put_back(database, lease),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            write(first)
    note_stage(database, second, "draft")
    row = read_row(database, "a")
    assert row is not None
    assert (row.stage, row.holder) == ("draft", "two")


def test_same_holder_that_took_a_job_again_has_lost_its_first_lease(database: Database) -> None:
    queue(database, "a")
    first = take(database, "one", NOW)
    assert taken(database, NOW + LEASE, "one") == "a"
    assert first is not None
    with pytest.raises(LeaseLost):
        renew(database, first, NOW + LEASE)


def test_holder_whose_lease_ran_out_unnoticed_goes_on_while_nobody_took_the_job(database: Database) -> None:
    queue(database, "a")
    lease = take(database, "one", NOW)
    assert lease is not None
    renew(database, lease, NOW + 10 * LEASE)
    assert taken(database, NOW + 10 * LEASE, "two") == ""


@pytest.mark.parametrize("back", [HOUR, 24 * HOUR, 10_000 * HOUR])
def test_clock_that_goes_back_makes_no_lease_last_and_no_job_wait(database: Database, back: int) -> None:
    queue(database, "dead", "waiting")
    assert taken(database) == "dead"  # its holder dies
    lease = take(database, "one", NOW)
    assert lease is not None
    put_back(database, lease, NOW + HOUR, counts=True)
    assert taken(database, NOW - back, "two") == "dead"
    far = NOW - back + int(LONGEST_DELAY) * MICROSECONDS < NOW + HOUR
    assert taken(database, NOW - back, "two") == ("waiting" if far else "")


def test_clock_that_goes_ahead_ends_leases_and_nothing_is_written_twice(database: Database) -> None:
    queue(database, "a")
    first = take(database, "one", NOW)
    assert taken(database, NOW + 1000 * HOUR, "two") == "a"
    assert first is not None
    with pytest.raises(LeaseLost):
        note_stage(database, first, "draft")


def test_moments_that_no_clock_of_ours_can_have_written_count_as_over() -> None:
    assert is_alive(NOW + 1, NOW)
    assert not is_alive(NOW, NOW)
    assert is_alive(NOW + LEASE, NOW)
    assert not is_alive(NOW + LEASE + 1, NOW)
    assert is_due(NOW, NOW)
    assert not is_due(NOW + 1, NOW)
    assert is_due(NOW + int(LONGEST_DELAY) * MICROSECONDS + 1, NOW)


def test_owner_of_the_index_frees_what_the_dead_held(database: Database) -> None:
    queue(database, "a", "b", "c")
    first = take(database, "gone", NOW)
    set_state(database, "c", JobState.CANCELLED)
    free_all(database)
    assert [row.state for row in read_rows(database).values()] == ["queued", "queued", "cancelled"]
    assert first is not None
    with pytest.raises(LeaseLost):
        renew(database, first, NOW)
    again = take(database, "new", NOW)
    assert again is not None
    assert (again.job, again.attempts) == ("a", 2)


@pytest.mark.parametrize("state", [state for state in JobState if state.ended])
def test_job_that_has_ended_is_in_nobodys_hands(database: Database, state: JobState) -> None:
    queue(database, "a")
    lease = take(database, "one", NOW)
    set_state(database, "a", state)
    assert lease is not None
    with pytest.raises(LeaseLost):
        renew(database, lease, NOW)
    assert taken(database) == ""


def test_deleted_job_is_lost_to_who_works_at_it(database: Database) -> None:
    queue(database, "a", "b")
    lease = take(database, "one", NOW)
    delete_jobs(database, ["a"])
    assert lease is not None
    with pytest.raises(LeaseLost):
        put_back(database, lease)
    assert list(read_rows(database)) == ["b"]


def test_row_that_is_none_of_ours_is_told(database: Database) -> None:
    queue(database, "a", "b")
    database.run("UPDATE jobs SET due = 'soon' WHERE id = 'b'")
    assert unreadable_rows(database) == ["b"]
    assert list(check_file(database)) == []
