"""Claims that are near in meaning, by an embedder: the way from one language to the other.

No cosine is near by itself: those of e5 lie between .74 and .97 for anything. So the floor is a percentile of this
index, for each pair of languages apart, over pairs drawn without looking at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaultrag.domain import Vectors

PERCENTILE = 99.0  # of pairs drawn at random: one in a hundred is that near without a reason
DRAWN = 20_000  # pairs; the percentile then is sure to a tenth of its distance from the next
NEAREST = 8  # claims of each language
FEWEST = 30  # claims of a language, before a mean says anything of it
BATCH = 256  # rows multiplied at once


@dataclass(frozen=True, slots=True)
class Near:
    """A claim near to another, by its place, and the share of random pairs that are farther apart."""

    place: int
    percentile: float


class Neighbourhood:
    """Vectors of claims, centred by language: what is left of a vector is what it says."""

    def __init__(self, vectors: Vectors, languages: Sequence[str], seed: int = 0) -> None:
        self._languages = np.array(languages)
        self._vectors = _centred(vectors, self._languages)
        self._drawn = self._draw(np.random.default_rng(seed))

    def near(self, place: int, among: Sequence[int] | None = None) -> list[Near]:
        """Return the nearest claims of each language that are above the floor, the nearest first."""
        cosines = self._vectors @ self._vectors[place]
        cosines[place] = -1.0
        found: list[Near] = []
        for language in sorted(set(self._languages)):
            own = np.flatnonzero(self._languages == language) if among is None else np.array(among)
            nearest = own[np.argsort(-cosines[own])[:NEAREST]]
            found += (Near(int(other), self.percentile(place, int(other))) for other in nearest)
        return sorted((near for near in found if near.percentile >= PERCENTILE), key=lambda near: -near.percentile)

    def percentile(self, one: int, other: int) -> float:
        """Return the share of random pairs of these two languages that are farther apart, in percent."""
        drawn = self._drawn[_languages(self._languages[one], self._languages[other])]
        cosine = float(self._vectors[one] @ self._vectors[other])
        return 100.0 * float(np.searchsorted(drawn, cosine)) / max(1, len(drawn))

    def _draw(self, random: np.random.Generator) -> dict[tuple[str, str], Vectors]:
        names = sorted(set(self._languages))
        found: dict[tuple[str, str], Vectors] = {}
        for index, one in enumerate(names):
            for other in names[index:]:
                first = random.choice(np.flatnonzero(self._languages == one), DRAWN)
                second = random.choice(np.flatnonzero(self._languages == other), DRAWN)
                apart = first != second
                cosines = np.einsum("ij,ij->i", self._vectors[first[apart]], self._vectors[second[apart]])
                found[one, other] = np.sort(cosines)
        return found


def _languages(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _centred(vectors: Vectors, languages: np.ndarray) -> Vectors:
    centred = vectors.astype(np.float32).copy()
    for language in set(languages):
        rows = languages == language
        if rows.sum() >= FEWEST:
            centred[rows] -= centred[rows].mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    scaled: Vectors = centred / np.maximum(norms, 1e-9)
    return scaled
