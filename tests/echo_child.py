"""A child process for tests/test_child.py: it echoes, counts, prints, fails, crashes and hangs when told to."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from vaultrag.child import Frame, serve


def echo(request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    yield Frame({"said": request.body.get("say"), "pid": os.getpid()}, request.payload)


def count(request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
    """Count on until cancelled, and note in a file how it ended."""
    number = 0
    while not cancelled.is_set():
        number += 1
        yield Frame({"number": number})
    Path(request.body["note"]).write_text("cancelled", encoding="utf-8")


def print_aside(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    print("мусор из чужой библиотеки")  # noqa: T201 - that is the point
    os.write(1, b"\x00\x00\x00\x05raw bytes of native code")
    sys.stderr.write("a warning\n")
    yield Frame({"done": True})


def fail(request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    yield Frame({"before": True})
    raise ValueError(request.body["why"])


def crash(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    sys.stderr.write("GGML_ASSERT failed\n")
    sys.stderr.flush()
    yield Frame({"before": True})
    os.abort()


def hang(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    yield Frame({"before": True})
    threading.Event().wait()


def leave(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    yield Frame({})
    os._exit(7)


def modules(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    import colorsys  # some module that nothing has imported yet

    yield Frame({"from": colorsys.__file__, "spin": os.environ.get("GOMP_SPINCOUNT", "")})


if __name__ == "__main__":
    handlers = (echo, count, print_aside, fail, crash, hang, leave, modules)
    serve({handler.__name__: handler for handler in handlers})
