"""Traces of longer answers: written step by step, bounded, and whole by their checksums."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from vaultrag.domain import StepTaken
from vaultrag.errors import IndexDamaged, UsageError
from vaultrag.store.database import Access, Database
from vaultrag.store.opening import open_database
from vaultrag.store.traces import (
    END,
    KEPT,
    LONGEST_DETAIL,
    MOST_STEPS,
    add_step,
    begin_trace,
    damaged_traces,
    delete_traces,
    find_trace,
    read_traces,
    trace_paths,
)

QUESTION = "Кто чинит бойлер? Who repairs it?"


def test_trace_is_read_step_by_step(database: Database) -> None:
    key = begin_trace(database, QUESTION, "deep")
    add_step(database, key, StepTaken("search", "бойлер"), ["Дом/Бойлер.md"])
    running = find_trace(database, key[:3])
    assert (running.question, running.mode, running.ended) == (QUESTION, "deep", False)
    assert [(step.step, step.detail) for step in running.steps] == [("search", "бойлер")]
    add_step(database, key, StepTaken(END, "answered"), ["Дом/Бойлер.md", "Люди/Давид.md"])
    assert find_trace(database, "").ended
    assert trace_paths(database) == {key: ["Дом/Бойлер.md", "Люди/Давид.md"]}


def test_trace_that_is_begun_again_under_its_key_has_the_new_steps_alone(database: Database) -> None:
    other = begin_trace(database, QUESTION, "deep")
    for step in ("plan", "search"):
        assert begin_trace(database, QUESTION, "deep", "key") == "key"
        add_step(database, "key", StepTaken(step), ["Дом/Бойлер.md"])
    assert [step.step for step in find_trace(database, "key").steps] == ["search"]
    assert {trace.id for trace in read_traces(database)} == {"key", other}


def test_steps_survive_the_killing_of_their_process(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    open_database(path).close()
    child = os.fork()
    if not child:
        database = open_database(path)
        key = begin_trace(database, QUESTION, "deep")
        add_step(database, key, StepTaken("plan", "two parts"))
        add_step(database, key, StepTaken("draft"))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with open_database(path, Access.READ) as database:
        (trace,) = read_traces(database)
    assert [step.step for step in trace.steps] == ["plan", "draft"]
    assert not trace.ended


def test_the_oldest_go_and_none_grows_without_end(database: Database) -> None:
    keys = [begin_trace(database, f"question {number}", "deep") for number in range(KEPT + 2)]
    assert [trace.id for trace in read_traces(database)] == keys[:1:-1]
    assert not add_step(database, keys[0], StepTaken("late"), ["a.md"])
    assert "a.md" not in str(trace_paths(database))
    last = keys[-1]
    for _ in range(MOST_STEPS + 3):
        add_step(database, last, StepTaken("search", "x" * (LONGEST_DETAIL + 1)))
    assert add_step(database, last, StepTaken(END))
    steps = find_trace(database, last).steps
    assert len(steps) == MOST_STEPS + 1
    assert max(len(step.detail) for step in steps) == LONGEST_DETAIL


def test_trace_follows_a_note_that_moves(database: Database) -> None:
    database.run(
        "INSERT INTO notes (path, fs_path, title, size, mtime_ns, inode, content_hash, recipe, date, date_source,"
        " language, indexed_at, problems, properties) VALUES ('a.md', 'a.md', 'a', 1, 1, 1, '', '', '', '', '', 0,"
        " '[]', '{}')"
    )
    key = begin_trace(database, QUESTION, "deep")
    add_step(database, key, StepTaken("search"), ["a.md"])
    database.run("UPDATE notes SET path = 'b.md'")
    assert trace_paths(database) == {key: ["b.md"]}


def test_ids_that_mean_nothing_are_refused(database: Database) -> None:
    with pytest.raises(UsageError, match="No answer has left a trace"):
        find_trace(database, "")
    begin_trace(database, QUESTION, "deep")
    with pytest.raises(UsageError, match="No trace has an id"):
        find_trace(database, "nothing")


@pytest.mark.parametrize(
    "damage", ["UPDATE traces SET question = 'other'", "UPDATE trace_steps SET detail = CAST(x'ff' AS TEXT)"]
)
def test_what_is_not_what_was_written_is_named_and_can_be_dropped(database: Database, damage: str) -> None:
    sound = begin_trace(database, "sound", "deep")
    key = begin_trace(database, QUESTION, "deep")
    add_step(database, key, StepTaken("search", "words"))
    assert damaged_traces(database) == []
    database.run(f"{damage} WHERE {'trace_id' if 'steps' in damage else 'id'} = ?", (key,))
    with pytest.raises(IndexDamaged):
        read_traces(database)
    if "steps" not in damage:
        assert damaged_traces(database) == [key]
        delete_traces(database, [key])
        assert [trace.id for trace in read_traces(database)] == [sound]
