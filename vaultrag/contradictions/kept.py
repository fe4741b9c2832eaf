"""Contradictions between the index and whoever shows them: changed claims are compared once, what was found is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaultrag.contradictions.claims.extract import EXTRACTOR
from vaultrag.contradictions.claims.kept import read_claims
from vaultrag.contradictions.comparing.reasons import Ground, Reason
from vaultrag.contradictions.decision import PairDecision
from vaultrag.contradictions.gates import TextAt
from vaultrag.contradictions.scan import RECIPE, Judges, PairFinding, PairScan, ordered, scan
from vaultrag.domain import Claim, Embedder, PairVerdict, Vectors
from vaultrag.store.claims import owed_extractions
from vaultrag.store.database import Database
from vaultrag.store.pairs.claim_vectors import read_claim_vectors, write_claim_vectors
from vaultrag.store.pairs.judgements import (
    SHOWN,
    FoundPair,
    compared_claims,
    drop_judgements,
    note_compared,
    read_found,
    read_judgements,
    replace_found,
    write_judgements,
)

EMBEDDED = 256  # claims between two commits


def compare_owed(database: Database, text_at: TextAt, judges: Judges, embedder: Embedder | None = None) -> PairScan:
    """Compare the claims that changed since they were compared last, keep what is found, and return it.

    Without changes nothing is embedded, paired or judged. Pairs whose judge failed or was not reached stay owed.
    `judges.known` need not be given: what is kept of the judge counts.
    """
    claims = list({claim.key: claim for claim in read_claims(database)}.values())
    judge = judges.judge.fingerprint if judges.judge else ""
    recipe = f"{RECIPE} {judge} {embedder.fingerprint if embedder else ''}"
    changed = {claim.key for claim in claims} - compared_claims(database, recipe)
    if not changed:
        return scan([], set(), text_at, Judges())
    vectors = _vectors(database, claims, embedder) if embedder else None
    known = read_judgements(database, judge)
    looked = scan(claims, changed, text_at, Judges(judges.judge, judges.veto, known, judges.goes_on), vectors)
    with database.atomic():
        write_judgements(database, judge, looked.judged)
        replace_found(database, changed, map(_row, (*looked.found, *looked.removed)))
        note_compared(database, recipe, changed - looked.owed)
        if not owed_extractions(database, EXTRACTOR):  # else a claim that is missing may only not be extracted yet
            drop_judgements(database, [claim.key for claim in claims])
    return looked


def kept_findings(database: Database) -> list[PairFinding]:
    """Return what was found and passed the gates, of claims that stand, the surest first. Raises IndexDamaged."""
    claims = {claim.key: claim for claim in read_claims(database)}
    rows = (row for row in read_found(database) if row.gate == SHOWN and row.one in claims and row.other in claims)
    return [_finding(row, claims[row.one], claims[row.other]) for row in rows]


def _vectors(database: Database, claims: Sequence[Claim], embedder: Embedder) -> Vectors:
    """Return the vectors of claims in their order; each statement is embedded once."""
    known = read_claim_vectors(database, embedder.fingerprint)
    wanted = [claim for claim in claims if claim.key not in known]
    for first in range(0, len(wanted), EMBEDDED):
        batch = wanted[first : first + EMBEDDED]
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
    return PairFinding(one, other, told)
