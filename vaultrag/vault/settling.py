"""When what happened in the vault is worth a look: after some quiet, or when the first of it has waited long enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MANY = 2000  # places; beyond that one walk over the vault costs less than looking at each


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Places where something may have happened, relative to the vault and as the disk spells them: hints, not facts.

    With a `reason` the whole vault has to be looked at.
    """

    places: frozenset[str] = frozenset()
    reason: str = ""


class Settling:
    """Gathers places until they settle. Time is the caller's, in seconds of a clock that never goes back."""

    def __init__(self, quiet: float, longest: float) -> None:
        self.quiet = quiet
        self.longest = longest
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._reason = ""
        self._first = self._last = 0.0
        self._later: dict[str, float] = {}

    def add_file(self, place: str, now: float) -> None:
        self._note(now)
        if not self._is_covered(place):
            self._files.add(place)

    def add_folder(self, place: str, now: float) -> None:
        """Add a folder with all that lies in it, now or when it was last looked at."""
        self._note(now)
        if not self._is_covered(place):
            self._folders.add(place)

    def add_everything(self, reason: str, now: float) -> None:
        self._note(now)
        self._reason = reason

    def postpone(self, places: Iterable[str], until: float) -> None:
        """Look at these places again, not before that time."""
        for place in places:
            self._later[place] = until

    def due(self) -> float | None:
        """Return when there will be something to take; None while nothing is waiting."""
        waiting = list(self._later.values())
        if self._is_pending:
            waiting.append(min(self._last + self.quiet, self._first + self.longest))
        return min(waiting, default=None)

    def take(self, now: float) -> ChangeSet | None:
        """Return what has settled by now, and forget it."""
        ready = {place for place, until in self._later.items() if until <= now}
        if self._is_pending and now >= min(self._last + self.quiet, self._first + self.longest):
            ready |= self._files | self._folders
            reason = self._reason or ("very much happened at once" if len(ready) > MANY else "")
            self._files, self._folders, self._reason = set(), set(), ""
        else:
            reason = ""
        for place in ready:
            self._later.pop(place, None)
        if reason:
            return ChangeSet(reason=reason)
        return ChangeSet(frozenset(ready)) if ready else None

    @property
    def _is_pending(self) -> bool:
        return bool(self._files or self._folders or self._reason)

    def _note(self, now: float) -> None:
        if not self._is_pending:
            self._first = now
        self._last = now

    def _is_covered(self, place: str) -> bool:
        while place and self._folders:
            if place in self._folders:
                return True
            place = place.rpartition("/")[0]
        return False
