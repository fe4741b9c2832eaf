"""Contradictions between the index and whoever shows them: changed claims are compared once, what was found is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from vaultrag.contradictions.claims.extract import EXTRACTOR
from vaultrag.contradictions.claims.kept import read_claims, read_claims_of
from vaultrag.contradictions.comparing.reasons import Ground, Reason
from vaultrag.contradictions.decision import ComparedPair, PairDecision
from vaultrag.contradictions.gates import Gate, Removal, TextAt
from vaultrag.contradictions.hearing import Judges, Keys, ordered
from vaultrag.contradictions.judging import BATCH
from vaultrag.contradictions.scan import RECIPE, PairFinding, PairScan, Scanner
from vaultrag.domain import Claim, Embedder, PairVerdict, Progress, Vectors, unwatched
from vaultrag.store.claims import owed_extractions
from vaultrag.store.database import Database
from vaultrag.store.pairs.claim_vectors import read_claim_vectors, write_claim_vectors
from vaultrag.store.pairs.judgements import (
    SHOWN,
    FoundPair,
    compared_claims,
    drop_failures,
    drop_judgements,
    note_compared,
    owed_comparisons,
    read_found,
    read_judgements,
    replace_found,
    write_judgements,
)

T = TypeVar("T")
AT_ONCE = 100  # claims between two commits: a second or so, in which nobody can stop it
EMBEDDED = 256  # claims between two commits of vectors
FAILURES = 3  # batches in which the judge told nothing: it is not asked any further
_TRANSIENT = frozenset({Gate.GONE, Gate.CHANGED})  # the note is about to be read again, and its claim may stand then


@dataclass(frozen=True, slots=True)
class ScanRun:
    """What a run of comparing came to: claims and pairs that were compared, claims `left`, and what was found anew.

    `not_judged` are pairs whose judge failed or was not reached.
    """

    claims: int = 0
    left: int = 0
    pairs: int = 0
    not_judged: int = 0
    found: tuple[PairFinding, ...] = ()
    removed: tuple[PairFinding, ...] = ()


def compare_owed(
    database: Database,
    text_at: TextAt,
    judges: Judges,
    embedder: Embedder | None = None,
    progress: Progress = unwatched,
    must_stop: Callable[[], bool] = lambda: False,
) -> ScanRun:
    """Compare the claims that changed since they were compared last, and keep what is found, some claims at a time.

    Killed or stopped anywhere, what is left is still owed. Without changes nothing is embedded, paired or judged. Pairs
    whose judge failed or was not reached stay owed. What is kept of the judges counts as `judges.known`.
    """
    recipe = recipe_of(judges, embedder)
    if not owed_comparisons(database, recipe):
        return ScanRun()
    claims = list({claim.key: claim for claim in read_claims(database)}.values())
    compared = compared_claims(database, recipe)
    owed = [claim.key for claim in claims if claim.key not in compared]
    if not owed_extractions(database, EXTRACTOR):  # else a claim that is missing may only not be extracted yet
        drop_judgements(database, [claim.key for claim in claims])
    vectors = _vectors(database, claims, embedder, must_stop) if embedder else None
    if must_stop():
        return ScanRun(left=len(owed))
    run = _Run(database, Scanner(claims, vectors), judges, text_at, recipe, set(compared))
    return run.over(owed, progress, must_stop)


def recipe_of(judges: Judges, embedder: Embedder | None) -> str:
    """Return what claims are compared by: when it changes, all are compared anew."""
    return f"{RECIPE} {' + '.join(judges.fingerprints)} {embedder.fingerprint if embedder else ''}"


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """What was found, with the moment at which it was found first, in microseconds since 1970."""

    finding: PairFinding
    at: int


def kept_findings(database: Database) -> list[PairFinding]:
    """Return what was found and passed the gates, of claims that stand, the surest first. Raises IndexDamaged."""
    return [kept.finding for kept in all_kept(database) if kept.finding.removal is None]


def all_kept(database: Database, paths: Collection[str] | None = None) -> list[KeptFinding]:
    """Return what was found of claims that stand, of these notes or of all, with what a gate keeps back.

    Raises IndexDamaged.
    """
    rows = read_found(database, paths)
    claims = read_claims_of(database, {key for row in rows for key in (row.one, row.other)})
    return [
        KeptFinding(_finding(row, claims[row.one], claims[row.other]), row.at)
        for row in rows
        if row.one in claims and row.other in claims
    ]


class _Run:
    """One run over owed claims: code compares all of them first, then the judge is asked, the likeliest pair first."""

    def __init__(
        self, database: Database, scanner: Scanner, judges: Judges, text_at: TextAt, recipe: str, compared: set[str]
    ) -> None:
        self._database, self._scanner, self._text_at = database, scanner, text_at
        self._recipe, self._compared = recipe, compared
        self._judges = replace(judges, known={one: read_judgements(database, one) for one in judges.fingerprints})
        self._known = {(row.one, row.other) for row in read_found(database)}
        self._found: dict[Keys, PairFinding] = {}
        self._unjudged: set[Keys] = set()
        self._gated: set[str] = set()

    def over(self, owed: Sequence[str], progress: Progress, must_stop: Callable[[], bool]) -> ScanRun:
        for judge in self._judges.fingerprints:
            drop_failures(self._database, judge)
        waiting: list[ComparedPair] = []
        done = pairs = 0
        for batch in _parts(owed, AT_ONCE):
            if must_stop():
                break
            compared = self._scanner.pairs(batch)
            looked = self._scanner.decided(compared, batch, self._text_at, replace(self._judges, goes_on=_never))
            self._commit(looked, batch)
            waiting += (pair for pair in compared if self._waits(pair, looked))
            done, pairs = done + len(batch), pairs + len(compared)
            progress("contradictions", done, len(owed))
        self._ask(waiting, must_stop)
        found = self._found.values()
        return ScanRun(
            claims=done,
            left=len(owed) - done,
            pairs=pairs,
            not_judged=len(self._unjudged),
            found=tuple(one for one in found if not one.removal),
            removed=tuple(one for one in found if one.removal),
        )

    def _waits(self, pair: ComparedPair, looked: PairScan) -> bool:
        """Tell whether somebody has still to be asked about a pair."""
        return self._keys(pair) in looked.unjudged

    def _ask(self, waiting: Sequence[ComparedPair], must_stop: Callable[[], bool]) -> None:
        """Ask the judges about pairs, and note as compared what they told everything of."""
        judges = replace(self._judges, goes_on=lambda: self._judges.goes_on() and not must_stop())
        failed = 0
        for batch in _parts(sorted(waiting, key=lambda pair: -pair.likelihood), BATCH):
            if not judges.goes_on() or failed == FAILURES:
                break
            looked = self._scanner.decided(batch, (), self._text_at, judges)
            failed = failed + 1 if any(not any(said.values()) for said in looked.judged.values()) else 0
            self._commit(looked, ())
        asked = {key for pair in waiting for key in self._keys(pair)}
        note_compared(self._database, self._recipe, (asked & self._compared) - self._owed() - self._gated)

    def _commit(self, looked: PairScan, batch: Sequence[str]) -> None:
        own, found = set(batch), {ordered(one.one, one.other): one for one in (*looked.found, *looked.removed)}
        replaced = [keys for keys in self._known if keys in looked.told or self._is_of(keys, own)]
        self._unjudged -= looked.told.keys()
        self._unjudged |= looked.unjudged
        self._gated |= {key for one in looked.removed if _is_passing(one) for key in (one.one.key, one.other.key)}
        with self._database.atomic():
            for judge, said in looked.judged.items():
                write_judgements(self._database, judge, said)
            replace_found(self._database, replaced, map(_row, found.values()))
            note_compared(self._database, self._recipe, own - looked.owed - self._gated)
        self._known = (self._known - set(replaced)) | found.keys()
        self._compared |= own
        for keys in looked.told.keys() & self._found.keys():
            del self._found[keys]
        self._found |= found

    def _is_of(self, keys: Keys, own: set[str]) -> bool:
        """Tell whether a pair was found of these claims, and not of one that has been compared since."""
        return bool(own & set(keys)) and not any(key in self._compared and key not in own for key in keys)

    def _owed(self) -> set[str]:
        return {key for keys in self._unjudged for key in keys}

    def _keys(self, pair: ComparedPair) -> Keys:
        return ordered(*self._scanner.claims_of(pair))


def _is_passing(finding: PairFinding) -> bool:
    """Tell whether what a gate says may be otherwise once the note has been read again."""
    return finding.removal is not None and finding.removal.gate in _TRANSIENT


def _never() -> bool:
    return False


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _vectors(
    database: Database, claims: Sequence[Claim], embedder: Embedder, must_stop: Callable[[], bool]
) -> Vectors | None:
    """Return the vectors of claims in their order; each statement is embedded once. None where it had to stop."""
    known = read_claim_vectors(database, embedder.fingerprint)
    wanted = [claim for claim in claims if claim.key not in known]
    for batch in _parts(wanted, EMBEDDED):
        if must_stop():
            return None
        made = embedder.embed_passages([claim.statement for claim in batch])
        news = {claim.key: made[place] for place, claim in enumerate(batch)}
        write_claim_vectors(database, embedder.fingerprint, news)
        known |= news
    return np.stack([known[claim.key] for claim in claims])


def _row(finding: PairFinding) -> FoundPair:
    one, other = ordered(finding.one, finding.other)
    told = finding.told
    words = (told.reason.one, told.reason.other)
    if one != finding.one.key:
        words = words[::-1]
    gate = finding.removal.gate.value if finding.removal else SHOWN
    return FoundPair(one, other, told.verdict, told.confidence, told.reason.ground, *words, told.possible, gate)


def _finding(row: FoundPair, one: Claim, other: Claim) -> PairFinding:
    reason = Reason(Ground(row.ground), row.words_one, row.words_other)
    told = PairDecision(PairVerdict(row.verdict), reason, row.confidence, row.possible)
    removal = Removal(Gate(row.gate), one, "") if row.gate != SHOWN else None
    return PairFinding(one, other, told, removal)
