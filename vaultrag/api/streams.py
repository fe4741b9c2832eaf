"""Blocking event iterators as server-sent events: one thread for each, a heartbeat while nothing comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeAlias

from vaultrag.config import LOG_NAME
from vaultrag.errors import VaultragError
from vaultrag.wire import Event, Fault, TextPiece, sse

HEARTBEAT_SECONDS = 5.0  # proxies and clients give up on silence; a prefill can take a minute
HEARTBEAT = b": the model is reading\n\n"
SIGN_OF_LIFE = TextPiece(text="")  # comes while a prompt is read, so that a client's leaving is noticed
STOPPING = Fault(error="ServerError", message="The server is stopping.", remedy="Run the command again.")
UNEXPECTED = Fault(
    error="VaultragError",
    message="The server met an error that it does not know.",
    remedy=f"The log names its place: {LOG_NAME} in the vault's home.",
)

Queue: TypeAlias = "asyncio.Queue[Event | None]"

log = logging.getLogger("vaultrag.server")


class Streams:
    """The streams that clients are reading now."""

    def __init__(self) -> None:
        self._open: set[Queue] = set()

    async def relay(self, open_events: Callable[[], Iterator[Event]]) -> AsyncIterator[bytes]:
        """Yield the events, framed. When the client leaves, the iterator is closed, which aborts its work."""
        queue: Queue = asyncio.Queue()
        left = threading.Event()
        loop = asyncio.get_running_loop()
        threading.Thread(target=_pump, args=(open_events, queue, loop, left), daemon=True).start()
        self._open.add(queue)
        try:
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield HEARTBEAT
                    continue
                if event is None:
                    return
                yield sse(event)
        finally:
            left.set()
            self._open.discard(queue)

    def stop(self) -> None:
        """End every stream with a word to its client."""
        for queue in self._open:
            queue.put_nowait(STOPPING)
            queue.put_nowait(None)


def _pump(
    open_events: Callable[[], Iterator[Event]],
    queue: Queue,
    loop: asyncio.AbstractEventLoop,
    left: threading.Event,
) -> None:
    def put(event: Event | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            loop.call_soon_threadsafe(queue.put_nowait, event)

    try:
        for event in _until(left, open_events()):
            if event != SIGN_OF_LIFE:
                put(event)
    except VaultragError as error:
        log.warning("a stream ended with %s", error.kind)
        put(Fault.of(error))
    except Exception as error:  # noqa: BLE001  # the outermost loop of a stream; the message could hold note text
        log.error("a stream ended with %s", type(error).__name__)
        put(UNEXPECTED)
    finally:
        put(None)


def _until(left: threading.Event, events: Iterator[Event]) -> Iterator[Event]:
    try:
        for event in events:
            if left.is_set():
                return
            yield event
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
