"""The process that reads PDFs (`python -m vaultrag.vault.pages_worker`), for `parsing.pages`.

It holds nothing that would be missed: a page that takes minutes or all memory ends it, and the next process goes on
behind that page. It leaves by itself when nobody needs it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from vaultrag.child import Frame, Handler, serve
from vaultrag.vault.parsing.pages import one_line

if sys.platform != "win32":
    import resource

MEMORY_BYTES = 2 << 30  # of address space: a file of 50 MB, and what its largest page unpacks to
IDLE_SECONDS = 60.0
_last_use = time.monotonic()


def ready(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    """Say that the process runs, before anything is asked of it that takes time."""
    _note_use(time.monotonic())
    yield Frame({})


def read_pages(request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
    """Read the PDF in the payload from page `first` on: a frame with the number of `pages`, then one with each text.

    `text` is null where a page cannot be read; `locked` instead of all that, where a password is needed. `open_seconds`
    and `page_seconds` of computing end the process.
    """
    _note_use(math.inf)
    try:
        yield from _read(request, cancelled)
    finally:
        _note_use(time.monotonic())


def _read(request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every oddity, and quotes the text
    _limit_time(request.body["open_seconds"])
    document = pypdf.PdfReader(io.BytesIO(request.payload))
    if document.is_encrypted and not document.decrypt(""):
        yield Frame({"locked": True})
        return
    count = len(document.pages)
    yield Frame({"pages": count})
    for number in range(request.body["first"], min(count, request.body["most"])):
        if cancelled.is_set():
            return
        _limit_time(request.body["page_seconds"])
        yield Frame({"text": _text_of(document, number)})


def _text_of(document: Any, number: int) -> str | None:
    try:
        return one_line(document.pages[number].extract_text())
    except Exception:  # noqa: BLE001  # an untrusted file: the library has many ways to fail at one
        return None


def _limit_memory() -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ValueError, OSError):  # a lower limit stands already, or the system has none
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _limit_time(seconds: int) -> None:
    """Let this process be ended after so many more seconds of computing."""
    if sys.platform != "win32":
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def _note_use(moment: float) -> None:
    global _last_use  # noqa: PLW0603  # of this process
    _last_use = moment


def _leave_when_idle() -> None:
    while time.monotonic() - _last_use < IDLE_SECONDS:
        time.sleep(IDLE_SECONDS / 4)
    os._exit(0)


HANDLERS: dict[str, Handler] = {"ready": ready, "pages": read_pages}

if __name__ == "__main__":
    _limit_memory()
    threading.Thread(target=_leave_when_idle, daemon=True).start()
    serve(HANDLERS)
