"""Where the notes disagree: two claims that cannot both hold now, and what the user decided about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from vaultrag.domain.claims import Claim, FindingKind, PairVerdict
from vaultrag.domain.records import Verdict, VerdictState


@dataclass(frozen=True, slots=True)
class ClaimFinding:
    """Two claims that were found to disagree.

    `key` is of both claims in any order: it changes with the words, date or holder of either. `confidence` is between 0
    and 1; `reason` one sentence in the reader's language, which may quote the values that differ. `found_at` is in ISO
    8601, UTC. `gate` names what keeps it from being shown, empty where nothing does.
    """

    key: str
    kind: FindingKind
    one: Claim
    other: Claim
    verdict: PairVerdict
    confidence: float
    reason: str
    found_at: str = ""
    decided: Verdict | None = None
    gate: str = ""

    def is_open(self, today: date) -> bool:
        """Tell whether it waits for the user: undecided, or snoozed until a day that has come."""
        if self.gate:
            return False
        if self.decided is None:
            return True
        return self.decided.state is VerdictState.SNOOZED and self.decided.until <= today.isoformat()

    @property
    def paths(self) -> tuple[str, ...]:
        """The notes of it, one or two."""
        return tuple(sorted({self.one.path, self.other.path}))


@dataclass(frozen=True, slots=True)
class ScanStanding:
    """How far the look for contradictions is: what it owes is not judged yet, and no sign that nothing is there.

    `notes_owed` are notes whose claims are still to be extracted, `claims_owed` claims still to be compared,
    `not_judged` pairs whose judge failed or was not reached, `removed` findings that a gate keeps back. `judge` names
    who judges pairs; empty: code alone compares. `unmeasured` names a chat model that takes nothing back, since nobody
    has measured what its word on claims is worth.
    """

    claims: int
    notes_owed: int
    claims_owed: int
    not_judged: int
    removed: int
    judge: str = ""
    unmeasured: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is owed: only then does the absence of findings tell something."""
        return not (self.notes_owed or self.claims_owed or self.not_judged)
