"""Two gates before anything is shown: both quotes stand in their notes, and each is asserted by its holder.

A gate removes only on evidence that it can show; what it removes is kept with it, and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from vaultrag.domain import Claim, Stance

TextAt: TypeAlias = Callable[[Claim], str | None]
"""The text of a claim's note at its span now; None where the note is not there."""


class Gate(StrEnum):
    """Which gate removed a finding: its note is gone, other words stand there, or nobody asserts it.

    FOLLOWS: a judge says that one claim follows from the other. READ: a model that read both sees no contradiction.
    """

    GONE = "gone"
    CHANGED = "changed"
    NOT_ASSERTED = "not_asserted"
    FOLLOWS = "follows"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Removal:
    """Why a finding is not shown: which of its claims failed which gate, and what stands at its place now."""

    gate: Gate
    claim: Claim
    found: str


def through_gates(one: Claim, other: Claim, text_at: TextAt) -> Removal | None:
    """Return why what was found of two claims is not shown; None where it passes both gates."""
    for claim in (one, other):
        found = text_at(claim)
        if found is None:
            return Removal(Gate.GONE, claim, "")
        if found != claim.quote:
            return Removal(Gate.CHANGED, claim, found)
        if claim.stance is not Stance.ASSERTED:
            return Removal(Gate.NOT_ASSERTED, claim, claim.stance.value)
    return None
