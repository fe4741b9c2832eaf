"""Which models lie in memory beside which, as one plan for all of them says: who comes, and who leaves for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vaultrag.domain import Priority

log = logging.getLogger("vaultrag.models")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that can be loaded; `leave` ends its process, which nobody is using."""

    path: Path
    name: str
    is_loaded: Callable[[], bool]
    leave: Callable[[], None]


@dataclass(eq=False, slots=True)
class Lease:
    """A request that uses a model, or waits until it may be loaded."""

    path: Path
    priority: Priority


class Eviction:
    """Models of `alone` share the memory with no other; all the rest lie side by side.

    Whoever uses a model asks for a lease, waits for it and ends it. A model in use is never made to leave.
    """

    def __init__(self, alone: Collection[Path] = ()) -> None:
        self._alone = frozenset(alone)
        self._candidates: dict[Path, Candidate] = {}
        self._waiting: list[Lease] = []
        self._holding: list[Lease] = []
        self._changed = threading.Condition()
        self.last_swap = ""  # a sentence

    def settle(self, candidate: Candidate) -> None:
        """Make a model known."""
        self._candidates[candidate.path] = candidate

    @contextmanager
    def lease(self, path: Path, priority: Priority) -> Iterator[Lease]:
        """Hold a stay, which begins once it was waited for."""
        held = Lease(path, priority)
        try:
            yield held
        finally:
            self._end(held)

    def wait(self, held: Lease, seconds: float) -> bool:
        """Wait at most that long, behind those of the same priority; return whether the model may be loaded now.

        Who has no room beside it is gone by then.
        """
        with self._changed:
            if held in self._holding:
                return True
            if held not in self._waiting:
                self._waiting.append(held)
            if not self._changed.wait_for(lambda: self._may_hold(held), seconds):
                return False
            self._waiting.remove(held)
            self._holding.append(held)
        self._make_room(held)
        return True

    def person_waits_for(self, held: Lease) -> bool:
        """Whether a person waits for a model that has no room beside the one of this stay."""
        with self._changed:
            persons = [other for other in self._waiting if other.priority is Priority.PERSON]
            return any(self._clash(held.path, other.path) for other in persons)

    def step_aside(self, held: Lease) -> None:
        """Give the room back where a person waits for it; the stay begins anew once it is waited for again."""
        with self._changed:
            if held in self._holding and self.person_waits_for(held):
                self._holding.remove(held)
                self._changed.notify_all()

    def _end(self, held: Lease) -> None:
        with self._changed:
            for leases in (self._waiting, self._holding):
                if held in leases:
                    leases.remove(held)
            self._changed.notify_all()

    def _may_hold(self, held: Lease) -> bool:
        """Whoever joins a model that is in use has no one to wait for: its other user may wait for this one."""
        if any(other.path == held.path for other in self._holding):
            return True
        before = [other for other in self._waiting if other is not held and self._comes_before(other, held)]
        return not any(self._clash(held.path, other.path) for other in (*self._holding, *before))

    def _comes_before(self, other: Lease, held: Lease) -> bool:
        """Persons come before the night, then those who came first."""
        if other.priority is not held.priority:
            return other.priority is Priority.PERSON
        return self._waiting.index(other) < self._waiting.index(held)

    def _clash(self, first: Path, second: Path) -> bool:
        return first != second and not self._alone.isdisjoint((first, second))

    def _make_room(self, held: Lease) -> None:
        comer = self._candidates.get(held.path)
        for candidate in self._candidates.values():
            if comer is not None and self._clash(held.path, candidate.path) and candidate.is_loaded():
                candidate.leave()
                self.last_swap = f"{candidate.name} left the memory for {comer.name}: there is no room for both."
                log.info(self.last_swap)
