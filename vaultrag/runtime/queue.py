"""Who may use a model next: persons before the night's work, each in the order they came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from vaultrag.domain import Priority


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the line. `give_way` is called, from any thread, on a night ticket in use when a person comes.

    It must not wait for the line.
    """

    priority: Priority
    give_way: Callable[[], None]


@dataclass(slots=True)
class RequestQueue:
    """Tickets that wait, and the one whose turn it is."""

    _waiting: list[Ticket] = field(default_factory=list)
    _served: Ticket | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def join(self, priority: Priority, give_way: Callable[[], None]) -> Ticket:
        """Take a place at the end of those with the same priority."""
        ticket = Ticket(priority, give_way)
        with self._changed:
            self._waiting.append(ticket)
            if self._served is not None and self._must_give_way(self._served):
                self._served.give_way()  # now: once it has left, this would interrupt whoever came after it
        return ticket

    def wait(self, ticket: Ticket, seconds: float) -> bool:
        """Wait at most that long; return whether it is this ticket's turn."""
        with self._changed:
            if self._changed.wait_for(lambda: self._served is None and self._next() is ticket, seconds):
                self._waiting.remove(ticket)
                self._served = ticket
                return True
            return False

    def person_waits(self) -> bool:
        with self._changed:
            return any(ticket.priority is Priority.PERSON for ticket in self._waiting)

    def step_aside(self, ticket: Ticket) -> None:
        """Give the turn back and wait again, before all others of the same priority: what was begun is finished."""
        with self._changed:
            self._served = None
            self._waiting.insert(0, ticket)
            self._changed.notify_all()

    def leave(self, ticket: Ticket) -> None:
        """Give the place or the turn back. Harmless when it was given back before."""
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if self._served is ticket:
                self._served = None
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        with self._changed:
            return self._served is None and not self._waiting

    def _must_give_way(self, served: Ticket) -> bool:
        return served.priority is Priority.NIGHT and self.person_waits()

    def _next(self) -> Ticket:
        """Return who is first: `min` keeps the order of those who are equal."""
        return min(self._waiting, key=lambda ticket: ticket.priority is Priority.NIGHT)
