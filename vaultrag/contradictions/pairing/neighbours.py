"""Claims that are near in meaning, by an embedder: the way from one language to the other.

No cosine is near by itself: those of e5 lie between .74 and .97 for anything. So the floor is a percentile of this
index, for each pair of languages apart, over pairs drawn without looking at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vaultrag.domain import Vectors

PERCENTILE = 99.0  # of pairs drawn at random: one in a hundred is that near without a reason
DRAWN = 20_000  # pairs; the percentile then is sure to a tenth of its distance from the next
NEAREST = 8  # claims of each language
FEWEST = 30  # claims of a language, before a mean says anything of it
BATCH = 64  # rows multiplied at once: with 200,000 claims that is 50 MB


@dataclass(frozen=True, slots=True)
class Near:
    """A claim near to another, by its place, and the share of random pairs that are farther apart."""

    place: int
    percentile: float


class Neighbourhood:
    """Vectors of claims, centred by language: what is left of a vector is what it says."""

    def __init__(self, vectors: Vectors, languages: Sequence[str], seed: int = 0) -> None:
        self._languages = list(languages)
        self._of_language = {name: _places_of(name, languages) for name in sorted(set(languages))}
        self._vectors = _centred(vectors, self._of_language.values())
        self._drawn = self._draw(np.random.default_rng(seed))

    def near(self, places: Sequence[int]) -> dict[int, list[Near]]:
        """Return by place the nearest claims of each language that are above the floor, the nearest first."""
        found: dict[int, list[Near]] = {place: [] for place in places}
        for start in range(0, len(places), BATCH):
            batch = list(places[start : start + BATCH])
            cosines = self._vectors[batch] @ self._vectors.T
            cosines[np.arange(len(batch)), batch] = -1.0
            for own in self._of_language.values():
                nearest = _greatest(cosines[:, own])
                for place, others in zip(batch, own[nearest], strict=True):
                    found[place] += self._above(place, others)
        return {place: sorted(near, key=lambda one: -one.percentile) for place, near in found.items()}

    def _above(self, place: int, others: np.ndarray) -> list[Near]:
        near = (Near(int(other), self.percentile(place, int(other))) for other in others if other != place)
        return [one for one in near if one.percentile >= PERCENTILE]

    def percentile(self, one: int, other: int) -> float:
        """Return the share of random pairs of these two languages that are farther apart, in percent."""
        drawn = self._drawn[_languages(self._languages[one], self._languages[other])]
        cosine = float(self._vectors[one] @ self._vectors[other])
        return 100.0 * float(np.searchsorted(drawn, cosine)) / max(1, len(drawn))

    def _draw(self, random: np.random.Generator) -> dict[tuple[str, str], Vectors]:
        names = list(self._of_language)
        found: dict[tuple[str, str], Vectors] = {}
        for index, one in enumerate(names):
            for other in names[index:]:
                first = random.choice(self._of_language[one], DRAWN)
                second = random.choice(self._of_language[other], DRAWN)
                apart = first != second
                cosines = np.einsum("ij,ij->i", self._vectors[first[apart]], self._vectors[second[apart]])
                found[one, other] = np.sort(cosines)
        return found


def _languages(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _places_of(name: str, languages: Sequence[str]) -> np.ndarray:
    return np.flatnonzero([language == name for language in languages])


def _greatest(cosines: np.ndarray) -> np.ndarray:
    """Return the columns of the greatest cosines of each row."""
    count = min(NEAREST, cosines.shape[1])
    found: np.ndarray = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    return found


def _centred(vectors: Vectors, of_language: Iterable[np.ndarray]) -> Vectors:
    centred = np.array(vectors, np.float32)
    for rows in of_language:
        if len(rows) >= FEWEST:
            centred[rows] -= centred[rows].mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return centred
