"""What nights did: figures, and the place of each report. Derived: an index that is built anew knows of none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from vaultrag.domain import StageOutcome, StageState
from vaultrag.store.database import Database, Row
from vaultrag.store.lists import AMONG, as_list

KEPT = 60  # nights: two months, of which reports outside the vault stand for one

_LATEST_FIRST = (  # by the jobs' own numbers: a clock that was set back does not turn their order round
    "ifnull((SELECT number FROM jobs WHERE jobs.id = nights.id), 0) DESC, began_at DESC, id"
)


@dataclass(frozen=True, slots=True)
class NightRow:
    """A night. Times are microseconds since 1970; one that has not ended has 0."""

    id: str
    began_at: int
    ended_at: int
    report: str
    stages: tuple[StageOutcome, ...]


def begin_night(database: Database, key: str, began_at: int) -> None:
    """Write that a night began, unless that is known, and let the oldest go."""
    with database.atomic():
        database.run(
            "INSERT OR IGNORE INTO nights (id, began_at, ended_at, report, outcome) VALUES (?, ?, 0, '', '[]')",
            (key, began_at),
        )
        old = database.column(f"SELECT id FROM nights ORDER BY {_LATEST_FIRST} LIMIT -1 OFFSET ?", (KEPT,))
        database.run(f"DELETE FROM nights WHERE id {AMONG}", (as_list(old),))


def note_report(database: Database, key: str, place: str, paths: Iterable[str]) -> None:
    """Write where a night's report is to lie, and of which notes it speaks: before it is written there."""
    with database.atomic():
        database.run("UPDATE nights SET report = ? WHERE id = ?", (place, key))
        database.run_many(
            "INSERT OR IGNORE INTO night_notes (night_id, path) VALUES (?, ?)", ((key, path) for path in paths)
        )


def end_night(database: Database, key: str, ended_at: int, stages: Sequence[StageOutcome]) -> None:
    outcome = json.dumps([asdict(stage) for stage in stages], ensure_ascii=False)
    with database.atomic():
        database.run("UPDATE nights SET ended_at = ?, outcome = ? WHERE id = ?", (ended_at, outcome, key))


def read_nights(database: Database) -> list[NightRow]:
    """Return the nights, the latest first; of what cannot be read, as if it had not been."""
    rows = database.rows(f"SELECT id, began_at, ended_at, report, outcome FROM nights ORDER BY {_LATEST_FIRST}")
    return [night for night in map(_night, rows) if night is not None]


def night_before(database: Database, key: str) -> NightRow | None:
    """Return the last other night that ended."""
    return next((one for one in read_nights(database) if one.ended_at and one.id != key), None)


def night_paths(database: Database) -> dict[str, list[str]]:
    """Return by id the notes that each night's report speaks of."""
    found: dict[str, list[str]] = {}
    for key, path in database.rows("SELECT night_id, path FROM night_notes ORDER BY night_id, path"):
        found.setdefault(key, []).append(path)
    return found


def drop_reports(database: Database, keys: Sequence[str]) -> None:
    """Forget where these nights' reports lay and of what they spoke."""
    with database.atomic():
        database.run(f"UPDATE nights SET report = '' WHERE id {AMONG}", (as_list(keys),))
        database.run(f"DELETE FROM night_notes WHERE night_id {AMONG}", (as_list(keys),))


def drop_sentences(database: Database) -> None:
    """Keep of what failed only its kind: a sentence may name a note."""
    with database.atomic():
        for night in read_nights(database):
            plain = [asdict(stage) | {"message": "", "remedy": ""} for stage in night.stages]
            database.run("UPDATE nights SET outcome = ? WHERE id = ?", (json.dumps(plain), night.id))


def _night(row: Row) -> NightRow | None:
    key, began_at, ended_at, report, outcome = row
    try:
        stages = tuple(StageOutcome(**{**one, "state": StageState(one["state"])}) for one in json.loads(outcome))
    except (ValueError, TypeError, KeyError):
        return None
    sound = tuple(map(type, row)) == (str, int, int, str, str)
    return NightRow(key, began_at, ended_at, report, stages) if sound else None
