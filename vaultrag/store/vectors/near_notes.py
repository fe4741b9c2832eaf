"""Notes that are as near in meaning as those that the user linked, though no link leads from one to the other.

No cosine is a floor by itself: those of one embedder lie between .74 and .97 whatever is compared. So each passage is
taken relative to its language's mean, and the floor is what this index says of its own links and of chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vaultrag.domain import Vectors
from vaultrag.store.database import Database
from vaultrag.store.embeddings import matrix
from vaultrag.store.lists import AMONG, as_list
from vaultrag.store.vectors.language_centroids import LanguageCentroids

FEWEST_NOTES = 20  # of fewer, the nearest are near by chance
FEWEST_LINKS = 10  # of fewer, their median says little
NEIGHBOURS = 3  # each must be among so many nearest of the other: else a hub is near to everything
CHANCE = 99.5  # percentile of pairs by chance that a pair has to pass
PAIRS_BY_CHANCE = 4000
AT_ONCE = 500  # notes whose vectors are read in one query


@dataclass(frozen=True, slots=True)
class NearNotes:
    """The means of all notes' passages, in rows of unit length, and how alike two must be to be told."""

    rows: dict[int, int]
    ids: tuple[int, ...]
    means: Vectors
    floor: float

    def of(self, note_id: int) -> list[tuple[int, float]]:
        """Return the notes that are near to this one, and it to them, the nearest first."""
        if note_id not in self.rows or len(self.ids) < FEWEST_NOTES:
            return []
        row = self.rows[note_id]
        near = [(other, alike) for other, alike in self._nearest(row) if alike >= self.floor]
        return [
            (self.ids[other], alike) for other, alike in near if any(back == row for back, _ in self._nearest(other))
        ]

    def _nearest(self, row: int) -> list[tuple[int, float]]:
        alike = self.means @ self.means[row]
        alike[row] = -2.0
        best = np.argpartition(-alike, NEIGHBOURS)[:NEIGHBOURS]
        return sorted(((int(one), float(alike[one])) for one in best), key=lambda one: (-one[1], one[0]))


def near_notes(database: Database, fingerprint: str) -> NearNotes | None:
    """Read what is needed to tell which notes are near; None where nothing is embedded."""
    centroids = LanguageCentroids(database, fingerprint)
    found = list(_means(database, fingerprint, centroids))
    if not found:
        return None
    ids = tuple(note_id for note_id, _ in found)
    means = np.stack([mean for _, mean in found])
    rows = {note_id: row for row, note_id in enumerate(ids)}
    return NearNotes(rows, ids, means, _floor(database, rows, means))


def linked_pairs(database: Database) -> set[tuple[int, int]]:
    """Return the ids of the notes that a link joins, the lesser first."""
    rows = database.rows(
        "SELECT DISTINCT source_id, target.id FROM links JOIN notes AS target ON target.path = links.target_path"
    )
    return {(min(pair), max(pair)) for pair in rows if pair[0] != pair[1]}


def _means(database: Database, fingerprint: str, centroids: LanguageCentroids) -> Iterator[tuple[int, Vectors]]:
    notes = database.column("SELECT id FROM notes ORDER BY id")
    for start in range(0, len(notes), AT_ONCE):
        rows = database.rows(
            "SELECT note_id, language, vector FROM chunks JOIN embeddings"
            " ON embeddings.text_hash = chunks.text_hash AND fingerprint = ?"
            f" WHERE note_id {AMONG} ORDER BY note_id, ordinal",
            (fingerprint, as_list(notes[start : start + AT_ONCE])),
        )
        of_note: dict[int, list[Vectors]] = {}
        for (note_id, language, _), vector in zip(rows, matrix([row[2] for row in rows]) if rows else (), strict=True):
            mean = centroids.of(language)
            of_note.setdefault(note_id, []).append(vector if mean is None else vector - mean)
        for note_id, vectors in of_note.items():
            total = np.sum(vectors, axis=0)
            length = float(np.linalg.norm(total))
            if length:
                yield note_id, (total / length).astype(np.float32)


def _floor(database: Database, rows: dict[int, int], means: Vectors) -> float:
    chance = np.random.default_rng(0).integers(0, len(means), (PAIRS_BY_CHANCE, 2))
    apart = chance[chance[:, 0] != chance[:, 1]]
    if not len(apart):
        return 1.0
    floor = float(np.percentile(_alike(means, apart), CHANCE))
    linked = [(rows[one], rows[other]) for one, other in linked_pairs(database) if one in rows and other in rows]
    if len(linked) >= FEWEST_LINKS:
        floor = max(floor, float(np.median(_alike(means, np.array(linked)))))
    return floor


def _alike(means: Vectors, pairs: Vectors) -> Vectors:
    alike: Vectors = np.einsum("ij,ij->i", means[pairs[:, 0]], means[pairs[:, 1]])
    return alike
