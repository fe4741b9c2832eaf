"""Connections that ask for nothing cost the server nothing: a limit in time, and one in number.

A process has so many files. Whoever opens connections and sends no request, or half of one, would take them all, and
then nobody is answered, nor is the index read. uvicorn times a connection only after its first answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

if sys.platform != "win32":
    import resource

HEAD_SECONDS = 10.0  # a program on this machine sends the head of a request at once
FILES_WANTED = 4096  # more are never needed; some systems refuse what they call unlimited
RESERVE = 192  # files of index, log, children and threads (60 at rest, three for each that searches), and of new ones
MOST = 512  # connections; one user's programs have a dozen
FEWEST = 16  # however low the system's limit is


def most_connections() -> int:
    """Return how many connections may be open at once, after raising the limit of files as far as it goes."""
    return max(FEWEST, min(MOST, _files() - RESERVE))


def protocol(most: int, head_seconds: float = HEAD_SECONDS) -> type[H11Protocol]:
    """Return uvicorn's protocol with these limits: at most so many connections, a whole head within so many seconds."""
    return cast(type[H11Protocol], type("Bounded", (_Bounded,), {"bounds": Bounds(most, head_seconds)}))


@dataclass(frozen=True, slots=True)
class Bounds:
    most: int
    head_seconds: float


class _Bounded(H11Protocol):
    """A connection that is closed when the head of a request does not come, or when others need its place."""

    bounds: Bounds
    since = 0.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.since = self.loop.time()
        self._time_the_head()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._time_the_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timing()
        super().connection_lost(exc)

    @property
    def asks_for_nothing(self) -> bool:
        """Tell whether no request is being answered here."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is None or cycle.response_complete

    def give_way(self) -> None:
        """End a connection at once, without a word that nobody waits for."""
        self.transport.abort()

    def _time_the_head(self) -> None:
        if not self.asks_for_nothing:
            self._stop_timing()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.bounds.head_seconds, self._too_late)

    def _stop_timing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        if self.asks_for_nothing:
            self.give_way()

    def _make_room(self) -> None:
        """End the connection that has asked for nothing longest; a new one is let in, for it may be the user's."""
        if len(self.connections) <= self.bounds.most:
            return
        others = [other for other in self.connections if isinstance(other, _Bounded) and other is not self]
        idle = [other for other in others if other.asks_for_nothing]
        victim = min(idle, key=lambda other: other.since, default=self)
        self.connections.discard(victim)  # it is told so only in the next round
        victim.give_way()


def _files() -> int:
    """Return how many files this process may have open, after asking for more. Windows counts them otherwise."""
    if sys.platform == "win32":
        return MOST + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return FILES_WANTED if soft == resource.RLIM_INFINITY else soft
