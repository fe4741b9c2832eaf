"""The JSON of where the notes disagree: what `contradictions` prints and the server lists. As in `vaultrag.wire`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from vaultrag import domain
from vaultrag.wire.answers import FindingSide
from vaultrag.wire.shapes import Request, Shape

OPEN = "open"  # the state of what was decided, once it is taken back
NOTE_LENGTH = 2_000  # characters of a person's reason


class ClaimSide(FindingSide):
    """`statement` is the quote with what it leaves out; `key` stays as long as the claim's words, day and holder do."""

    key: str
    title: str
    statement: str
    subject: str
    attribute: str
    stance: str
    context: str
    language: str


class Verdict(Shape):
    """What was decided: dismissed, snoozed (until `until`), resolved (`right`: the key of the right side), accepted."""

    key: str
    state: str
    paths: list[str]
    note: str = ""
    until: str = ""
    right: str = ""


class ClaimFinding(Shape):
    """Two claims that disagree. `kind` is contradiction, superseded, possible or assistants; only the first counts.

    `key` stays until the words, the day or the holder of a side change. `confidence` is between 0 and 1. `open` where
    nothing was decided, or what was put off has come back. `gate` names what keeps it from being shown: a side whose
    note is gone, that changed, that is not_asserted; a model by which one follows from the other, or that read both.
    """

    key: str
    kind: str
    verdict: str
    confidence: float
    reason: str
    found_at: str
    open: bool
    gate: str = ""
    one: ClaimSide
    other: ClaimSide
    decided: Verdict | None


class ScanStanding(Shape):
    """How far the look for contradictions is. What is owed or not judged is unknown, and no sign that nothing is there.

    `notes_owed` are still to be read for what they state, `claims_owed` statements still to be compared, `not_judged`
    pairs whose judge failed or was not reached. `judge` names who judges pairs; empty: code alone compares.
    `unmeasured` names a chat model that takes nothing back, since nobody measured what its word is worth.
    """

    claims: int
    notes_owed: int
    claims_owed: int
    not_judged: int
    removed: int
    judge: str
    unmeasured: str = ""


class ListedFindings(Shape):
    """`decided` counts those that were decided and left out of the list; `kept_back` are told with all others only."""

    findings: list[ClaimFinding]
    standing: ScanStanding
    decided: int
    kept_back: list[ClaimFinding] = []

    @classmethod
    def listed(
        cls,
        findings: list[ClaimFinding],
        standing: domain.ScanStanding,
        decided: int,
        kept_back: Iterable[ClaimFinding] = (),
    ) -> Self:
        return cls(findings=findings, standing=ScanStanding.of(standing), decided=decided, kept_back=list(kept_back))


class DecideRequest(Request):
    """`key` may be the beginning of one. `state` open takes a verdict back; `until` is a day, for snoozed alone.

    `right` is the key of the side that is right, for resolved alone.
    """

    key: str = Field(min_length=1, max_length=64)
    state: str = Field(pattern=f"^({'|'.join(domain.VerdictState)}|{OPEN})$")
    note: str = Field("", max_length=NOTE_LENGTH)
    until: str = Field("", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    right: str = Field("", max_length=64)
