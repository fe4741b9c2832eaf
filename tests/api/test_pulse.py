"""Whether the server lives is answered at once, whatever keeps its look at the index."""

from __future__ import annotations

import asyncio
import threading

from vaultrag.api.pulse import Pulse
from vaultrag.workspace.readiness import ModelState, Readiness


def readiness(pending: int) -> Readiness:
    return Readiness(ModelState.READY, ModelState.READY, (), "", pending, "events", None)


def test_a_look_that_takes_its_time_is_not_waited_for() -> None:
    gate, looks = threading.Event(), iter(range(9))

    def look() -> Readiness:
        number = next(looks)
        if number == 1:
            gate.wait(20)
        return readiness(number)

    async def ask() -> list[int]:
        pulse = Pulse(look)
        seen = [(await pulse.now()).pending for _ in range(3)]  # the second look hangs
        gate.set()
        while (await pulse.now()).pending == 0:
            pass
        return [*seen, (await pulse.now()).pending]

    assert asyncio.run(ask()) == [0, 0, 0, 2]
