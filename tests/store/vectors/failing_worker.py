"""A child process that fails each search with an error of Chroma: of the class that the folder is named by."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from vaultrag.child import Frame, serve


def search(request: Frame, _: threading.Event) -> Iterator[Frame]:
    import chromadb.errors

    kind = getattr(chromadb.errors, Path(request.body["folder"]).name)
    yield from ()
    raise kind.__new__(kind)  # a few take arguments, which are none of our business


if __name__ == "__main__":
    serve({"search": search})
