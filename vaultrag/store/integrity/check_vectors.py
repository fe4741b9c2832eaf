"""The vectors themselves: each embedding against its checksum, each vector of Chroma against its embedding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vaultrag.domain import Finding, Progress, Vectors, counted
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.integrity.check import INDEX, REPAIR
from vaultrag.store.vectors.chroma import ChromaIndex, ChromaUnavailable
from vaultrag.store.vectors.index import VectorIndex

ROWS = 2000  # embeddings read at a time: 3 MB
UNIT_TOLERANCE = 1e-3  # of a vector's length; e5 keeps within 1e-6
SAME = 1e-5  # largest difference of a number: Chroma keeps float32 as it is given
SEARCHED = 1000  # keys whose own vector is searched for: the whole graph of a small vault, 2 s for a large one
FOUND = 0.999  # cosine of a vector with itself, and with the equal vector of another text


def check_vectors(database: Database, vectors: VectorIndex | None, progress: Progress) -> Iterator[Finding]:
    """Yield what is wrong with embeddings and Chroma; a rebuild of Chroma is owed from then on."""
    if unsound := unsound_embeddings(database, progress):
        yield Finding(
            "embeddings-sound",
            "error",
            f"{counted(len(unsound), 'embedding')} in the index are not what was written.",
            REPAIR,
        )
    if vectors is None or vectors.chroma is None or not vectors.healthy:
        return
    try:
        with vectors.exclusive():
            fault = _fault_of_chroma(database, vectors.fingerprint, vectors.chroma, progress)
    except ChromaUnavailable as error:
        fault = f"cannot be read: {error}"
    if fault:
        vectors.owe_rebuild(f"it {fault}")
        yield Finding("vector-index", "warning", f"The vector index {fault}.", INDEX)


def unsound_embeddings(database: Database, progress: Progress) -> list[int]:
    """Return the row ids of the embeddings that are no vectors of unit length, or differ from their checksum."""
    total = int(database.value("SELECT count(*) FROM embeddings"))
    found: list[int] = []
    last, done = 0, 0
    query = "SELECT id, vector, checksum = crc32(vector) FROM embeddings WHERE id > ? ORDER BY id LIMIT ?"
    while rows := database.rows(query, (last, ROWS)):
        found += [row_id for row_id, blob, as_written in rows if not as_written or not is_vector(blob)]
        last, done = rows[-1][0], done + len(rows)
        progress("embeddings checked", done, total)
    return found


def is_vector(blob: object) -> bool:
    """Tell whether a stored embedding is a vector of unit length."""
    if not isinstance(blob, bytes) or len(blob) % 4 or not blob:
        return False
    length = float(np.linalg.norm(np.frombuffer(blob, embeddings.STORED).astype(np.float64)))
    return abs(length - 1.0) < UNIT_TOLERANCE  # false for NaN, too


def _fault_of_chroma(database: Database, fingerprint: str, chroma: ChromaIndex, progress: Progress) -> str:
    """Compare what Chroma has on the disk, not in memory; return half a sentence, empty when all is well."""
    chroma.close()
    total = chroma.open()
    wrong = lost = done = 0
    step = max(1, total // SEARCHED)
    for keys, matrix in chroma.stored():
        stored = embeddings.vectors_for(database, fingerprint, keys)
        for row, key in enumerate(keys):
            if key not in stored:
                continue  # its removal may be owed; comparing the keys is another invariant
            wrong += not _same(matrix[row], stored[key])
            if (done + row) % step == 0:
                found = chroma.search(stored[key], 1)
                lost += not found or found[0][1] < FOUND
        done += len(keys)
        progress("vector index checked", done, total)
    faults = (f"holds {wrong} wrong vectors" * bool(wrong), f"does not find {lost} of its vectors" * bool(lost))
    return " and ".join(fault for fault in faults if fault)


def _same(one: Vectors, other: Vectors) -> bool:
    return len(one) == len(other) and bool(np.abs(one - other).max() < SAME)
