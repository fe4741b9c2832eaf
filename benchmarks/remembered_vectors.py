"""An embedder whose vectors are kept on disk: a run that was ended goes on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.datasets import work_folder
from vaultrag.domain import Embedder, Vectors


class RememberedEmbedder:
    """An embedder that embeds no text twice."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._folder = work_folder() / "vectors" / hashlib.sha256(embedder.fingerprint.encode()).hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        places = [self._place("passage", text) for text in texts]
        missing = [index for index, place in enumerate(places) if not place.exists()]
        if missing:
            for index, row in zip(missing, self._embedder.embed_passages([texts[i] for i in missing]), strict=True):
                np.save(places[index], row)
        return np.stack([np.load(place) for place in places])

    def embed_query(self, text: str) -> Vectors:
        place = self._place("query", text)
        if not place.exists():
            np.save(place, self._embedder.embed_query(text))
        vector: Vectors = np.load(place)
        return vector

    def _place(self, kind: str, text: str) -> Path:
        return self._folder / f"{hashlib.sha256(f'{kind}: {text}'.encode()).hexdigest()}.npy"
