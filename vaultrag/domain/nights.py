"""What a night does: its stages, each with what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StageState(StrEnum):
    """How a stage ended. PARTIAL: its share of the night was over; what it did stands, and the next night goes on."""

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What a stage did: `done` things, `left` over, at a cost of so many seconds and tokens.

    `error` is the kind of what it failed by, empty where it did not; `exit_code` is the one of that error.
    """

    name: str
    state: StageState
    done: int = 0
    left: int = 0
    seconds: float = 0.0
    tokens: int = 0
    error: str = ""
    message: str = ""
    remedy: str = ""
    exit_code: int = 0
