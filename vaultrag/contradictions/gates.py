"""Two gates before anything is shown: both quotes stand in their notes, and each is asserted by its holder.

A gate removes only on evidence that it can show; what it removes is kept with it, and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from vaultrag.domain import Claim, Contradiction, Stance

TextAt: TypeAlias = Callable[[Claim], str | None]
"""The text of a claim's note at its span now; None where the note is not there."""


class Gate(StrEnum):
    """Which gate removed a finding: its note is gone, other words stand there, or nobody asserts it."""

    GONE = "gone"
    CHANGED = "changed"
    NOT_ASSERTED = "not_asserted"


@dataclass(frozen=True, slots=True)
class Removal:
    """A finding that a gate removed: which claim failed, and what stands at its place now."""

    finding: Contradiction
    gate: Gate
    claim: Claim
    found: str


def through_gates(finding: Contradiction, text_at: TextAt) -> Removal | None:
    """Return why a finding is not shown; None where it passes both gates."""
    for claim in (finding.one, finding.other):
        found = text_at(claim)
        if found is None:
            return Removal(finding, Gate.GONE, claim, "")
        if found != claim.quote:
            return Removal(finding, Gate.CHANGED, claim, found)
        if claim.stance is not Stance.ASSERTED:
            return Removal(finding, Gate.NOT_ASSERTED, claim, claim.stance.value)
    return None
