"""How a thought changed: what was said of one attribute of one subject, in order of time."""

from __future__ import annotations

from dataclasses import dataclass

from vaultrag.domain.claims import AsOf, Holder, Stance
from vaultrag.domain.notes import Span


@dataclass(frozen=True, slots=True)
class QuotedPlace:
    """Where a value is stated: `quote` stands in the note verbatim, in the lines of `span`."""

    path: str
    title: str
    span: Span
    quote: str


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One value of a history. `value` is empty where only the quote as a whole says it; `also` are its repetitions.

    `is_own` where the user states it as a fact: a plan, a report, a supposition or an assistant's words are none. One
    without a date `follows` where its sentence tells that it came behind the one before. It `is_named` where it says,
    word by word, all that is asked for, or stands under it.
    """

    value: str
    as_of: AsOf | None
    holder: Holder
    speaker: str
    stance: Stance
    is_own: bool
    place: QuotedPlace
    also: tuple[QuotedPlace, ...] = ()
    follows: bool = False
    is_named: bool = False

    def began_by(self, day: str) -> bool:
        """Tell whether it held on a day, or began before and is not known to have ended; undated ones tell nothing."""
        if self.as_of is None or self.as_of.first > day:
            return False
        return bool(self.as_of.first) or day <= self.as_of.last


@dataclass(frozen=True, slots=True)
class History:
    """The values in order of time, those without a date last. `day` is the day (`YYYY-MM-DD`) that was asked for."""

    asked: str
    steps: tuple[HistoryStep, ...]
    day: str = ""

    @property
    def held(self) -> HistoryStep | None:
        """The user's last own value at or before the day; one without a date where all others are later.

        Without a day it is the last one of all, be it one that only follows: when that was is not known.
        """
        own = [step for step in self.steps if step.is_own]
        known = [step for step in own if (step.began_by(self.day) if self.day else step.as_of or step.follows)]
        undated = [step for step in own if step.as_of is None and not step.follows]
        return known[-1] if known else undated[0] if undated else None
