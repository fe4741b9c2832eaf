"""A job in the hands of who works at it: its units, each done once, its budget, and the word to stop.

A unit's key says what went into it. Resumed after a kill, a kind does the same steps again, and each unit that was done
hands over its result instead of being done: what no unit holds has to cost little.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from vaultrag.domain import Job, JobBudget
from vaultrag.errors import StoreError
from vaultrag.store.database import Database
from vaultrag.store.exclusions import read_exclusions
from vaultrag.store.jobs.notes import add_notes
from vaultrag.store.jobs.rows import JobLease, note_stage
from vaultrag.store.jobs.units import JobUnit, add_unit, spent_by, unit_result

KEY_LENGTH = 32  # hexadecimal digits of a unit's key


class Interrupted(Exception):
    """The work ends here because somebody says so, not because it failed; it goes on another time."""


class BudgetSpent(Exception):
    """The job has cost what it may."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: `result` names it, `write` writes it in the transaction that ends the job."""

    result: str = ""
    write: Callable[[], None] | None = None


@dataclass(slots=True)
class JobRun:
    """One job that is worked at, by one thread. `stop` may be called from any other.

    `tell` is called when the job gets on.
    """

    job: Job
    lease: JobLease
    database: Database
    tell: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    _before: float = field(init=False)
    _tokens: int = field(init=False)
    _paths: set[str] = field(default_factory=set)
    _written: set[str] = field(default_factory=set)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        spent = spent_by(self.database, self.job.id)
        self.began, self._before, self._tokens = self.clock(), spent.seconds, spent.tokens

    def stop(self) -> None:
        """Have the work end at its next look."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def look(self) -> None:
        """Go on, or raise Interrupted. Costs nothing: to be asked at each sign of life of a model."""
        if self._stopped.is_set():
            raise Interrupted

    @property
    def budget(self) -> JobBudget:
        """What the job may cost in all: its budget, as often as it was granted."""
        budget, times = self.job.order.budget, self.job.granted
        return JobBudget(budget.minutes * times, budget.tokens * times)

    @property
    def seconds_left(self) -> float:
        """Seconds of work that are left, before and after interruptions; infinite without a bound."""
        if not self.budget.minutes:
            return float("inf")
        return max(0.0, self.budget.minutes * 60 - self._before - (self.clock() - self.began))

    @property
    def tokens(self) -> int:
        """Tokens that models have read and written for it, before and after interruptions."""
        return self._tokens

    @property
    def tokens_left(self) -> int | None:
        """Tokens that are left; None without a bound."""
        return max(0, self.budget.tokens - self._tokens) if self.budget.tokens else None

    def require_budget(self) -> None:
        """Go on, or raise BudgetSpent; to be asked before a unit is begun. Raises Interrupted."""
        self.look()
        if not self.seconds_left or self.tokens_left == 0:
            raise BudgetSpent

    def stage(self, name: str) -> None:
        """Say what the job is at, in a word or two and none of a note's. Raises LeaseLost."""
        note_stage(self.database, self.lease, name)
        self.tell()

    def reads(self, paths: Iterable[str]) -> None:
        """Say whose words are about to be read: they are written down with the next unit, or before."""
        self._paths.update(paths)

    def result(self, key: str) -> str | None:
        """Return the result of a unit that was done; None where it is still to be done."""
        return unit_result(self.database, self.job.id, key)

    def done(
        self,
        key: str,
        result: str = "",
        *,
        tokens: int = 0,
        seconds: float = 0.0,
        write: Callable[[], None] | None = None,
    ) -> None:
        """Write a unit that was done, and with it what `write` writes: all of it is kept, or nothing.

        Raises LeaseLost where somebody else has the job, and StoreError, also for a note that was forgotten meanwhile.
        """
        with self.database.atomic():
            self._refuse_forgotten()
            add_unit(self.database, self.lease, JobUnit(key, result, tokens, seconds), self._paths - self._written)
            if write is not None:
                write()
        self._written |= self._paths
        self._tokens += tokens
        self.tell()

    def keep_paths(self) -> None:
        """Write down whose words were read so far. Raises as `done` does."""
        fresh = self._paths - self._written
        if fresh:
            with self.database.atomic():
                self._refuse_forgotten()
                add_notes(self.database, self.lease, fresh)
            self._written |= fresh

    def value(self, key: str, measure: Callable[[], Any]) -> Any:
        """Return a value, as JSON knows it, that must be the same after an interruption: measured once."""
        known = self.result(key)
        if known is None:
            known = json.dumps(measure())
            self.done(key, known)
        return json.loads(known)

    def _refuse_forgotten(self) -> None:
        """A note that is forgotten while the job reads it leaves nothing in its units: the next attempt lacks it."""
        exclusions = read_exclusions(self.database)
        if any(map(exclusions.covers, self._paths)):
            raise StoreError("A note that the job was reading has been forgotten.", "It is tried again without it.")


def unit_key(*parts: Any) -> str:
    """Return the key of a unit: a digest of what goes into it, as JSON knows it."""
    said = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_LENGTH]
