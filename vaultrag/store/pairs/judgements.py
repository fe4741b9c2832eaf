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

_STANDS = "EXISTS (SELECT 1 FROM claims WHERE key = ?)"  # its note may be forgotten while it is compared


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two claims that were compared, by their keys in order, and what came of it.

    `ground` tells why, with the words of either side that differ. `gate` is the one that removed it. `at` is when it
    was found first, in microseconds since 1970: read, never written.
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
    at: int = 0


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


def read_found(database: Database, paths: Collection[str] | None = None) -> list[FoundPair]:
    """Return what was found, of these notes or of all, the surest first; what a gate removed stands with it."""
    own = (
        "SELECT key FROM notes JOIN chunks ON note_id = notes.id JOIN claims ON claims.chunk_id = chunks.id"
        f" WHERE path {AMONG}"
    )
    where = "" if paths is None else f" WHERE one IN ({own}) OR other IN ({own})"
    rows = database.rows(
        "SELECT one, other, verdict, confidence, ground, words_one, words_other, possible, gate, at FROM found_pairs"
        f"{where} ORDER BY possible, confidence DESC, one, other",
        () if paths is None else (as_list(paths),) * 2,
    )
    return [
        FoundPair(one, other, verdict, sure, ground, first, second, bool(possible), gate, at)
        for one, other, verdict, sure, ground, first, second, possible, gate, at in rows
    ]


def removed_count(database: Database) -> int:
    """Return how many of the pairs that were found a gate keeps back."""
    return int(database.value("SELECT count(*) FROM found_pairs WHERE gate <> ?", (SHOWN,)))


def replace_found(database: Database, replaced: Iterable[Keys], found: Iterable[FoundPair]) -> None:
    """Keep what was found in place of what was found of some pairs before.

    A pair that was known keeps the time at which it was found first. One of a claim that is gone by now is not kept.
    """
    now = time.time_ns() // 1000
    with database.atomic():
        query = "SELECT at FROM found_pairs WHERE one = ? AND other = ?"
        gone = {keys: database.value(query, keys) for keys in replaced}
        database.run_many("DELETE FROM found_pairs WHERE one = ? AND other = ?", gone)
        database.run_many(
            "INSERT OR REPLACE INTO found_pairs"
            " (one, other, verdict, confidence, ground, words_one, words_other, possible, gate, at)"
            f" SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE {_STANDS} AND {_STANDS}",
            ((*_values(pair), gone.get((pair.one, pair.other)) or now, pair.one, pair.other) for pair in found),
        )


def compared_claims(database: Database, recipe: str) -> frozenset[str]:
    """Return the claims that have been compared with all others by this recipe."""
    return frozenset(database.column("SELECT claim FROM compared_claims WHERE recipe = ?", (recipe,)))


def owed_comparisons(database: Database, recipe: str) -> int:
    """Return how many claims have not been compared with all others by this recipe."""
    query = (
        "SELECT count(DISTINCT key) FROM claims"
        " WHERE NOT EXISTS (SELECT 1 FROM compared_claims WHERE claim = claims.key AND recipe = ?)"
    )
    return int(database.value(query, (recipe,)))


def note_compared(database: Database, recipe: str, claims: Iterable[str]) -> None:
    """Note that claims that stand have been compared with all others; a later recipe compares them again."""
    with database.atomic():
        database.run_many(
            f"INSERT OR REPLACE INTO compared_claims (claim, recipe) SELECT ?, ? WHERE {_STANDS}",
            ((key, recipe, key) for key in claims),
        )


def drop_failures(database: Database, judge: str) -> None:
    """Forget which pairs a judge gave nothing for: they are about to be counted anew."""
    with database.atomic():
        database.run("DELETE FROM judgements WHERE judge = ? AND contradiction IS NULL", (judge,))


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
