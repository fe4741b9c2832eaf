"""What became of pairs of claims: which claims were compared, what a judge said, what was found.

A claim's key changes with its words, its date and its holder: a pair is judged once, and again only when either side
changes. Judgements hold no word of a note; what was found of a claim goes with it, by a trigger.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from vaultrag.domain import PairJudgement
from vaultrag.store.database import Database, Row
from vaultrag.store.lists import AMONG, as_list

SHOWN = ""
"""The gate of what no gate removed."""

JUDGEMENT = ("one", "other", "judge", "contradiction", "entailment")
"""The columns of a judgement."""

Keys = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two claims that were compared, by their keys in order, and what came of it.

    `ground` tells why, with the words of either side that differ. `gate` is the one that removed it.
    """

    one: str
    other: str
    verdict: str
    confidence: float
    ground: str
    words_one: str = ""
    words_other: str = ""
    possible: bool = False
    gate: str = SHOWN


def read_judgements(database: Database, judge: str) -> dict[Keys, PairJudgement]:
    """Return what a judge made of pairs, by the keys of both claims in order, as far as it answered."""
    rows = database.rows(
        "SELECT one, other, contradiction, entailment FROM judgements WHERE judge = ? AND contradiction IS NOT NULL",
        (judge,),
    )
    return {(one, other): PairJudgement(against, follows) for one, other, against, follows in rows}


def write_judgements(database: Database, judge: str, judgements: Mapping[Keys, PairJudgement | None]) -> None:
    """Keep what a judge made of pairs; None where it failed, which is as if it had not been asked, but counted."""
    rows = (
        (one, other, judge, *((told.contradiction, told.entailment) if told else (None, None)))
        for (one, other), told in judgements.items()
    )
    write_rows(database, rows)


def write_rows(database: Database, rows: Iterable[Row]) -> None:
    """Keep judgements as they are stored, in the order of `JUDGEMENT`."""
    with database.atomic():
        database.run_many(
            f"INSERT OR REPLACE INTO judgements ({', '.join(JUDGEMENT)}) VALUES (?, ?, ?, ?, ?)",
            rows,
        )


def is_judgement(row: Row) -> bool:
    """Tell whether a row, of a file that may be damaged, can be a judgement: no checksum is kept of it."""
    *keys, contradiction, entailment = row
    scores = (contradiction, entailment)
    return all(isinstance(key, str) for key in keys) and (
        scores == (None, None) or all(isinstance(score, float) and 0.0 <= score <= 1.0 for score in scores)
    )


def failed_count(database: Database, judge: str) -> int:
    """Return how many pairs a judge was asked about and gave nothing."""
    return int(database.value("SELECT count(*) FROM judgements WHERE judge = ? AND contradiction IS NULL", (judge,)))


def read_found(database: Database) -> list[FoundPair]:
    """Return what was found, the surest first; what a gate removed stands with it."""
    rows = database.rows(
        "SELECT one, other, verdict, confidence, ground, words_one, words_other, possible, gate FROM found_pairs"
        " ORDER BY possible, confidence DESC, one, other"
    )
    return [
        FoundPair(one, other, verdict, sure, ground, first, second, bool(possible), gate)
        for one, other, verdict, sure, ground, first, second, possible, gate in rows
    ]


def replace_found(database: Database, changed: Collection[str], found: Iterable[FoundPair]) -> None:
    """Keep what was found of changed claims, in place of what was found of them before.

    A pair that was known keeps the time at which it was found first.
    """
    now = time.time_ns() // 1000
    keys = as_list(sorted(changed))
    with database.atomic():
        known = {
            (one, other): at
            for one, other, at in database.rows(
                f"SELECT one, other, at FROM found_pairs WHERE one {AMONG} OR other {AMONG}", (keys, keys)
            )
        }
        database.run(f"DELETE FROM found_pairs WHERE one {AMONG} OR other {AMONG}", (keys, keys))
        database.run_many(
            "INSERT OR REPLACE INTO found_pairs"
            " (one, other, verdict, confidence, ground, words_one, words_other, possible, gate, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*_values(pair), known.get((pair.one, pair.other), now)) for pair in found),
        )


def compared_claims(database: Database, recipe: str) -> frozenset[str]:
    """Return the claims that have been compared with all others by this recipe."""
    return frozenset(database.column("SELECT claim FROM compared_claims WHERE recipe = ?", (recipe,)))


def note_compared(database: Database, recipe: str, claims: Iterable[str]) -> None:
    """Note that claims have been compared with all others; a later recipe compares them again."""
    with database.atomic():
        database.run_many(
            "INSERT OR REPLACE INTO compared_claims (claim, recipe) VALUES (?, ?)", ((key, recipe) for key in claims)
        )


def drop_judgements(database: Database, standing: Collection[str]) -> None:
    """Delete the judgements on claims that stand nowhere any more."""
    kept = as_list(sorted(standing))
    with database.atomic():
        database.run(f"DELETE FROM judgements WHERE NOT one {AMONG} OR NOT other {AMONG}", (kept, kept))


def _values(pair: FoundPair) -> tuple[str | float | bool, ...]:
    return (
        pair.one,
        pair.other,
        pair.verdict,
        pair.confidence,
        pair.ground,
        pair.words_one,
        pair.words_other,
        pair.possible,
        pair.gate,
    )
