"""The process that renders chat templates (`python -m vaultrag.runtime.chat_format.template_worker`), for `template`.

It holds nothing that would be missed: a template that loops, recurses or swells costs it seconds and some memory, and
neither the model nor its worker anything.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

from vaultrag.child import Frame, Handler, serve
from vaultrag.runtime.chat_format.sandbox import render

if sys.platform != "win32":
    import resource

CPU_SECONDS = 2  # real templates take milliseconds; the one that has begun counts as a whole one
MEMORY_BYTES = 1 << 30  # of address space: the interpreter alone reserves a quarter of it
SHOWN = 200  # characters of a reason


def ready(_request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    """Say that the process runs: what it needed until here is not the template's time."""
    yield Frame({})


def render_one(request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
    """Render `source` with `values`: one frame with `text`, or with the reason why there is none in `failed`."""
    _limit_time()
    try:
        yield Frame({"text": render(request.body["source"], request.body["values"])})
    except Exception as error:  # noqa: BLE001  # an untrusted file: anything may come out of it
        yield Frame({"failed": _reason(error)})


def _reason(error: Exception) -> str:
    lines = f"{type(error).__name__}: {error}".encode("utf-8", "replace").decode("utf-8").splitlines()
    return lines[0][:SHOWN]


def _limit_memory() -> None:
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _limit_time() -> None:
    """Let this process be ended after so many more seconds of computing, also when nobody waits for it any more."""
    if sys.platform != "win32":
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_SECONDS, hard))


HANDLERS: dict[str, Handler] = {"ready": ready, "render": render_one}

if __name__ == "__main__":
    _limit_memory()
    serve(HANDLERS)
