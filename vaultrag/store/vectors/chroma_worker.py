"""The child process that holds Chroma: its native code can crash on a damaged file, and then only this process dies.

Run as a module by `chroma.py`. Every request names the folder, so that a restarted child needs no introduction.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from vaultrag.child import Frame, serve
from vaultrag.store.privacy import OTHERS

COLLECTION = "embeddings"
# Cosine must be named: the default is L2. The lists are twice Chroma's defaults: recall over a little speed.
HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400}


def scrub_environment() -> None:
    """Chroma reads settings from the environment; none of them may come from outside."""
    for name in list(os.environ):
        if name.upper().startswith("CHROMA_") or name.upper() in {"ALLOW_RESET", "IS_PERSISTENT", "PERSIST_DIRECTORY"}:
            del os.environ[name]


class Collections:
    """The collection in use; the previous one is let go when another folder is named."""

    def __init__(self) -> None:
        self._folder = ""
        self._collection: Any = None

    def open(self, request: Frame, _: threading.Event) -> Iterator[Frame]:
        """Open, count and query: what a damaged folder fails at."""
        collection = self._at(request)
        count = collection.count()
        if count:
            probe = np.zeros((1, request.body["dimension"]), np.float32)
            probe[0, 0] = 1.0
            collection.query(query_embeddings=probe, n_results=min(count, 10), include=["distances"])
        yield Frame({"count": count})

    def add(self, request: Frame, _: threading.Event) -> Iterator[Frame]:
        keys = request.body["keys"]
        vectors = np.frombuffer(request.payload, "<f4").reshape(len(keys), -1)
        self._at(request).add(ids=keys, embeddings=vectors)
        yield Frame({})

    def delete(self, request: Frame, _: threading.Event) -> Iterator[Frame]:
        self._at(request).delete(ids=request.body["keys"])
        yield Frame({})

    def keys(self, request: Frame, _: threading.Event) -> Iterator[Frame]:
        page = self._at(request).get(limit=request.body["limit"], offset=request.body["offset"], include=[])
        yield Frame({"keys": page["ids"]})

    def vectors(self, request: Frame, _: threading.Event) -> Iterator[Frame]:
        page = self._at(request).get(limit=request.body["limit"], offset=request.body["offset"], include=["embeddings"])
        yield Frame({"keys": page["ids"]}, np.ascontiguousarray(page["embeddings"], "<f4").tobytes())

    def search(self, request: Frame, _: threading.Event) -> Iterator[Frame]:
        query = np.frombuffer(request.payload, "<f4").reshape(1, -1)
        found = self._at(request).query(query_embeddings=query, n_results=request.body["k"], include=["distances"])
        yield Frame({"keys": found["ids"][0], "distances": [float(distance) for distance in found["distances"][0]]})

    def _at(self, request: Frame) -> Any:
        folder = request.body["folder"]
        if folder != self._folder:
            self._collection = open_collection(folder, create=request.body.get("create", False))
            self._folder = folder
        return self._collection


def open_collection(folder: str, *, create: bool) -> Any:
    """Open the one collection of a folder, without embedding function, telemetry, network or `.env`."""
    import chromadb
    from chromadb.config import Settings

    settings = Settings(
        _env_file=None,
        anonymized_telemetry=False,
        allow_reset=False,
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
        chroma_otel_granularity=None,
    )
    client = chromadb.PersistentClient(path=folder, settings=settings)
    if create:
        return client.create_collection(COLLECTION, embedding_function=None, configuration={"hnsw": HNSW})
    return client.get_collection(COLLECTION, embedding_function=None)


if __name__ == "__main__":
    os.umask(OTHERS)  # Chroma makes its files as the umask says
    scrub_environment()
    collections = Collections()
    serve(
        {
            "open": collections.open,
            "add": collections.add,
            "delete": collections.delete,
            "keys": collections.keys,
            "vectors": collections.vectors,
            "search": collections.search,
        }
    )
