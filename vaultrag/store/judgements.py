"""What became of pairs of claims: which claims were compared, what a judge scored, what was found. No word of a note.

A claim's key changes with its words, its date and its holder, and so does all that is kept here: a pair is judged once,
and again only when either side changes. Reasons are read off the claims whenever a pair is shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vaultrag.domain import PairJudgement
from vaultrag.store.database import Database
from vaultrag.store.lists import AMONG, as_list

SHOWN = ""
"""The gate of what no gate removed."""


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two claims that were compared, by their keys in order, and what came of it. `gate` is the one that removed it."""

    one: str
    other: str
    verdict: str
    confidence: float
    possible: bool = False
    gate: str = SHOWN


def read_judgements(database: Database, judge: str) -> dict[tuple[str, str], PairJudgement]:
    """Return what a judge made of pairs, by the keys of both claims in order, as far as it answered."""
    rows = database.rows(
        "SELECT one, other, contradiction, entailment FROM judgements WHERE judge = ? AND contradiction IS NOT NULL",
        (judge,),
    )
    return {(one, other): PairJudgement(against, follows) for one, other, against, follows in rows}


def write_judgements(
    database: Database, judge: str, judgements: Mapping[tuple[str, str], PairJudgement | None]
) -> None:
    """Keep what a judge made of pairs; None where it failed, which is as if it had not been asked, but counted."""
    with database.atomic():
        database.run_many(
            "INSERT OR REPLACE INTO judgements (one, other, judge, contradiction, entailment) VALUES (?, ?, ?, ?, ?)",
            (
                (one, other, judge, *((told.contradiction, told.entailment) if told else (None, None)))
                for (one, other), told in judgements.items()
            ),
        )


def failed_count(database: Database, judge: str) -> int:
    """Return how many pairs a judge was asked about and gave nothing."""
    return int(database.value("SELECT count(*) FROM judgements WHERE judge = ? AND contradiction IS NULL", (judge,)))


def read_found(database: Database) -> list[FoundPair]:
    """Return what was found, the surest first; what a gate removed stands with it."""
    rows = database.rows(
        "SELECT one, other, verdict, confidence, possible, gate FROM found_pairs"
        " ORDER BY possible, confidence DESC, one, other"
    )
    return [FoundPair(one, other, verdict, sure, bool(maybe), gate) for one, other, verdict, sure, maybe, gate in rows]


def write_found(database: Database, found: Iterable[FoundPair]) -> None:
    """Keep findings; a pair that was known before keeps the time at which it was found first."""
    now = time.time_ns() // 1000
    with database.atomic():
        database.run_many(
            "INSERT INTO found_pairs (one, other, verdict, confidence, possible, gate, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (one, other) DO UPDATE SET verdict = excluded.verdict, confidence = excluded.confidence,"
            " possible = excluded.possible, gate = excluded.gate",
            ((pair.one, pair.other, pair.verdict, pair.confidence, pair.possible, pair.gate, now) for pair in found),
        )


def drop_found(database: Database, pairs: Iterable[tuple[str, str]]) -> None:
    """Take back findings that are none any more, as when a judge was asked again."""
    with database.atomic():
        database.run_many("DELETE FROM found_pairs WHERE one = ? AND other = ?", pairs)


def compared_claims(database: Database, recipe: str) -> frozenset[str]:
    """Return the claims that have been compared with all others by this recipe."""
    return frozenset(database.column("SELECT claim FROM compared_claims WHERE recipe = ?", (recipe,)))


def note_compared(database: Database, recipe: str, claims: Iterable[str]) -> None:
    """Note that claims have been compared with all others; a later recipe compares them again."""
    with database.atomic():
        database.run_many(
            "INSERT OR REPLACE INTO compared_claims (claim, recipe) VALUES (?, ?)", ((key, recipe) for key in claims)
        )


def forget_pairs(database: Database, standing: Sequence[str]) -> int:
    """Delete what is kept about claims that stand nowhere any more; return how many of them there were."""
    kept = as_list(standing)
    with database.atomic():
        for table in ("judgements", "found_pairs"):
            database.run(f"DELETE FROM {table} WHERE NOT one {AMONG} OR NOT other {AMONG}", (kept, kept))
        return database.run(f"DELETE FROM compared_claims WHERE NOT claim {AMONG}", (kept,))
