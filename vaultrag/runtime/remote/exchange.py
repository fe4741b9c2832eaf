"""One streamed HTTP exchange in a thread of its own, so that whoever waits for it can leave at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import ssl
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

TICK_SECONDS = 0.1  # how long a caller waits before it can leave
MAX_BYTES = 64_000_000  # of one answer; the longest has some megabytes with all its JSON
RETRY_AFTER = "Retry-After"
LEAVE_SECONDS = 5.0  # a cancelled exchange ends at once, but for a name that is still being looked up


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a response."""

    status: int
    retry_after: str = ""


Part: TypeAlias = Head | bytes | None
"""What an exchange yields: its head, pieces of its body, and None while it waits."""


class TooLong(Exception):
    """The response does not end."""


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None = None


class ServerExchange:
    """POST a JSON body and read the response as it comes."""

    def __init__(
        self,
        url: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
        timeout: httpx.Timeout,
        verify: ssl.SSLContext | bool,
    ) -> None:
        self._url = url
        self._body = body
        self._headers = headers
        self._timeout = timeout
        self._verify = verify
        self._parts: queue.SimpleQueue[Head | bytes | _End] = queue.SimpleQueue()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._ready = threading.Event()

    def parts(self) -> Generator[Part, None, None]:
        """Yield the response's parts. Closing the iterator ends the connection. Raises httpx.HTTPError or TooLong."""
        thread = threading.Thread(target=self._run, name="exchange", daemon=True)
        thread.start()
        try:
            yield from self._received()
        finally:
            self._cancel()
            thread.join(LEAVE_SECONDS)

    def _received(self) -> Generator[Part, None, None]:
        while True:
            try:
                part = self._parts.get(timeout=TICK_SECONDS)
            except queue.Empty:
                yield None
                continue
            if isinstance(part, _End):
                if part.error is not None:
                    raise part.error
                return
            yield part

    def _run(self) -> None:
        error: Exception | None = None
        try:
            asyncio.run(self._exchange())
        except asyncio.CancelledError:
            pass  # the caller has left
        except Exception as failed:  # noqa: BLE001  # the thread's outermost loop: raised again for whoever waits
            error = failed
        finally:
            self._ready.set()
            self._parts.put(_End(error))

    async def _exchange(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running = (asyncio.get_running_loop(), task)
        self._ready.set()
        async with (
            httpx.AsyncClient(
                headers=self._headers, timeout=self._timeout, verify=self._verify, trust_env=False
            ) as client,
            client.stream("POST", self._url, json=self._body) as response,
        ):
            self._parts.put(Head(response.status_code, response.headers.get(RETRY_AFTER, "")))
            received = 0
            async for piece in response.aiter_bytes():
                received += len(piece)
                if received > MAX_BYTES:
                    raise TooLong
                self._parts.put(piece)

    def _cancel(self) -> None:
        self._ready.wait(LEAVE_SECONDS)
        if self._running is None:
            return
        loop, task = self._running
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(task.cancel)
