"""Traces: how longer answers were come by, each step written as it is taken, so that a killed one can be read.

They are derived, hold words of notes, and so are few: the oldest go when one begins.
"""

from __future__ import annotations

import json
import secrets
import time
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from vaultrag.domain import StepTaken, Trace, TraceStep
from vaultrag.errors import UsageError
from vaultrag.store.database import Database, Row
from vaultrag.store.errors import damaged
from vaultrag.store.lists import AMONG, as_list

KEPT = 50  # traces: to be read in the days after, not for good
MOST_STEPS = 400  # of one trace: a budget of hours takes fewer
LONGEST_DETAIL = 4_000  # characters of a step: a page of evidence
END = "end"
"""The step that only a trace has that came to its end."""
ID_BYTES = 6


def begin_trace(database: Database, question: str, mode: str, key: str = "") -> str:
    """Begin a trace, and let the oldest go; return its id: the `key`, in place of what stood there, or a new one."""
    with database.atomic():
        if key:
            delete_traces(database, [key])
        key = key or _unused_id(database)
        at = _now()
        database.run(
            "INSERT INTO traces (id, at, mode, question, checksum) VALUES (?, ?, ?, ?, ?)",
            (key, at, mode, question, _checksum(key, at, mode, question)),
        )
        delete_traces(database, _ids(database)[KEPT:])
    return key


def add_step(database: Database, key: str, taken: StepTaken, paths: Iterable[str] = ()) -> bool:
    """Add a step, and the notes that it speaks of; return whether the trace is still there and has room for it."""
    with database.atomic():
        count = database.value("SELECT count(*) FROM trace_steps WHERE trace_id = ?", (key,))
        if key not in _ids(database) or count >= MOST_STEPS + (taken.step == END):
            return False
        at, step, detail = _now(), taken.step, taken.detail[:LONGEST_DETAIL]
        database.run(
            "INSERT INTO trace_steps (trace_id, at, step, detail, checksum) VALUES (?, ?, ?, ?, ?)",
            (key, at, step, detail, _checksum(key, at, step, detail)),
        )
        database.run_many(
            "INSERT OR IGNORE INTO trace_notes (trace_id, path) VALUES (?, ?)", ((key, path) for path in paths)
        )
        return True


def read_traces(database: Database) -> list[Trace]:
    """Return the traces, the latest first. Raises IndexDamaged."""
    steps: dict[str, list[TraceStep]] = {}
    for row in database.rows("SELECT trace_id, at, step, detail, checksum FROM trace_steps ORDER BY id"):
        key, at, step, detail = _sound(database, row)
        steps.setdefault(key, []).append(TraceStep(_day(at), step, detail))
    rows = database.rows("SELECT id, at, mode, question, checksum FROM traces ORDER BY at DESC, id")
    return [_trace(*_sound(database, row), steps=steps) for row in rows]


def find_trace(database: Database, beginning: str) -> Trace:
    """Return the trace whose id begins so; the latest for the empty beginning. Raises UsageError, IndexDamaged."""
    wanted = beginning.strip().lower()
    found = [trace for trace in read_traces(database) if trace.id.startswith(wanted)]
    if len(found) == 1 or (found and not wanted):
        return found[0]
    if not wanted:
        raise UsageError("No answer has left a trace yet.", 'Ask a long question: vaultrag ask --deep "…"')
    what = "Several traces have ids that begin" if found else "No trace has an id that begins"
    raise UsageError(f"{what} with “{beginning}”.", "See: vaultrag traces list")


def trace_paths(database: Database) -> dict[str, list[str]]:
    """Return by id the notes that each trace speaks of."""
    found: dict[str, list[str]] = {key: [] for key in _ids(database)}
    for key, path in database.rows("SELECT trace_id, path FROM trace_notes ORDER BY trace_id, path"):
        found.setdefault(key, []).append(path)
    return found


def delete_traces(database: Database, keys: Sequence[str]) -> None:
    with database.atomic():
        for table, column in (("trace_steps", "trace_id"), ("trace_notes", "trace_id"), ("traces", "id")):
            database.run(f"DELETE FROM {table} WHERE {column} {AMONG}", (as_list(keys),))


def damaged_traces(database: Database) -> list[str]:
    """Return the ids of the traces that are not what was written."""
    wrong: dict[str, None] = {}
    for query in (
        "SELECT id, at, mode, question, checksum FROM traces ORDER BY id",
        "SELECT trace_id, at, step, detail, checksum FROM trace_steps ORDER BY trace_id",
    ):
        wrong |= dict.fromkeys(str(row[0]) for row in database.rows(query) if not _is_sound(row))
    return list(wrong)


def _unused_id(database: Database) -> str:
    taken = _ids(database)
    while (key := secrets.token_hex(ID_BYTES)) in taken:
        pass
    return key


def _ids(database: Database) -> list[str]:
    """Return the ids, the latest first."""
    return database.column("SELECT id FROM traces ORDER BY at DESC, id")


def _trace(key: str, at: int, mode: str, question: str, *, steps: dict[str, list[TraceStep]]) -> Trace:
    taken = steps.get(key, [])
    ended = bool(taken) and taken[-1].step == END
    return Trace(key, _day(at), mode, question, tuple(taken), ended)


def _sound(database: Database, row: Row) -> tuple[str, int, str, str]:
    if not _is_sound(row):
        raise damaged(database.path, "a trace is not what was written")
    key, at, one, other, _ = row
    return key, at, one, other


def _is_sound(row: Row) -> bool:
    return tuple(map(type, row)) == (str, int, str, str, int) and _checksum(*row[:4]) == row[4]


def _checksum(*values: str | int) -> int:
    return zlib.crc32(json.dumps(values).encode())


def _now() -> int:
    return time.time_ns() // 1000


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat(timespec="milliseconds")
