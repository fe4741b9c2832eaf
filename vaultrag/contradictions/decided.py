"""What the user decided about findings: it stays until the words, date or holder of either side change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from vaultrag.contradictions.scan import PairFinding, pair_key
from vaultrag.domain import Verdict, VerdictState


def undecided(findings: Iterable[PairFinding], verdicts: Mapping[str, Verdict], today: date) -> list[PairFinding]:
    """Return the findings that wait for the user: without a verdict, or snoozed until a day that has come."""
    return [finding for finding in findings if not _is_settled(verdicts.get(key_of(finding)), today)]


def decision_on(finding: PairFinding, state: VerdictState, note: str = "", until: str = "") -> Verdict:
    """Return a verdict on a finding, for `Archive.decide`: it names both notes, and follows them when they move."""
    paths = tuple(sorted({finding.one.path, finding.other.path}))
    return Verdict(key_of(finding), state, paths, note, until)


def key_of(finding: PairFinding) -> str:
    """Return the key by which a verdict names a finding."""
    return pair_key(finding.one, finding.other)


def _is_settled(verdict: Verdict | None, today: date) -> bool:
    if verdict is None:
        return False
    return verdict.state is not VerdictState.SNOOZED or today.isoformat() < verdict.until
