"""Work that nobody waits for: what is asked for, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """How far a job is.

    SPENT: its budget is; what it did stands. FAILED: it is not tried again by itself, and says why.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    SPENT = "spent"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nobody works at it any more, unless somebody resumes it."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class JobBudget:
    """What a job may cost: minutes of work, and tokens that models read and write. 0 sets no bound."""

    minutes: float
    tokens: int


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why an attempt failed: the error's kind, its sentence, and what to do about it."""

    error: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What a job is to do.

    `about` says it in the user's words, `request` is the JSON object that its kind reads, in which `note` names a note
    and follows it when it moves. Of several jobs the one of the least `rank` goes first. `paths` are the notes that it
    speaks of.
    """

    kind: str
    about: str
    request: Mapping[str, Any]
    budget: JobBudget
    rank: int = 0
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobCounts:
    """How many jobs are still to be done, and how many wait for somebody to look at them: failed, or out of budget."""

    to_do: int = 0
    put_aside: int = 0


NO_JOBS = JobCounts()


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. Times are in ISO 8601, UTC.

    `granted` is how often it was given its budget. `attempts` counts the beginnings since it last got on; the next one
    comes not before `due`. `failure` is of the last attempt that failed. `result` names what came of it. `stage` is
    what it is at, `units` what it has done of it, at a cost of so many tokens and seconds.
    """

    id: str
    order: JobOrder
    state: JobState
    at: str
    ended_at: str = ""
    granted: int = 1
    failure: JobFailure | None = None
    result: str = ""
    attempts: int = 0
    due: str = ""
    stage: str = ""
    units: int = 0
    tokens: int = 0
    seconds: float = 0.0
