"""Kept answers, held against the notes as they are now: whether what an answer says still stands there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What became of what an answer cites.

    HOLDS: what the answer says by it still stands. CHANGED: the notes say something else by now. GONE: the line is not
    there any more, or its note. NOT_JUDGED: the line reads otherwise, and nobody could tell whether it says the same.
    """

    HOLDS = "holds"
    CHANGED = "changed"
    GONE = "gone"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class LivingSource:
    """One citation of a kept answer, and its fate.

    `said` are the words that were cited. `now` is what the line that comes nearest to them says, in `lines`; it is
    empty where they stand as they were, and where nothing does. `path` is the note in which that is, or was. `doubtful`
    are the sentences of the answer of which it must be understood whether that line still says them.
    """

    number: int
    path: str
    fate: Fate
    said: str
    now: str = ""
    lines: tuple[int, int] | None = None
    doubtful: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LivingAnswer:
    """A kept answer with the fates of its citations. `about` is its question, or what an analysis is of."""

    id: str
    about: str
    at: str
    sources: tuple[LivingSource, ...]

    @property
    def fate(self) -> Fate:
        """The worst of its citations' fates; one without citations holds."""
        fates = {source.fate for source in self.sources}
        return next((fate for fate in _WORST_FIRST if fate in fates), Fate.HOLDS)


_WORST_FIRST = (Fate.CHANGED, Fate.GONE, Fate.NOT_JUDGED)
