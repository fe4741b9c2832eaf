"""How the workspace stands, for whoever asks whether the server lives: it never waits behind anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from vaultrag.workspace.readiness import Readiness

PATIENCE_SECONDS = 0.3  # one small query; what takes longer waits for a disk or for other threads


class Pulse:
    """Looks in a thread of its own, never behind a search that waits for a model; used by one event loop."""

    def __init__(self, look: Callable[[], Readiness]) -> None:
        self._look = look
        self._thread = ThreadPoolExecutor(1, "health")
        self._looking: asyncio.Future[Readiness] | None = None
        self._last: Readiness | None = None

    async def now(self) -> Readiness:
        """Return how the workspace stands; what the last look saw where this one takes its time."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().run_in_executor(self._thread, self._look)
        looking = self._looking
        await asyncio.wait([looking], timeout=PATIENCE_SECONDS if self._last else None)
        if not looking.done() and self._last:
            return self._last
        self._looking = None
        self._last = looking.result()
        return self._last
