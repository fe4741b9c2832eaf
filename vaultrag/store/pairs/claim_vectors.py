"""Embeddings of claims, by the key of the claim and the embedder: derived, and gone with the claim, by a trigger."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from vaultrag.domain import Vectors
from vaultrag.store.database import Database

STORED = "<f4"


def read_claim_vectors(database: Database, fingerprint: str) -> dict[str, Vectors]:
    """Return the sound vectors by claim; what is damaged is left out, and so made again."""
    rows = database.rows("SELECT claim, vector, checksum FROM claim_vectors WHERE fingerprint = ?", (fingerprint,))
    return {claim: np.frombuffer(blob, STORED) for claim, blob, checksum in rows if zlib.crc32(blob) == checksum}


def write_claim_vectors(database: Database, fingerprint: str, vectors: Mapping[str, Vectors]) -> None:
    """Keep the vectors of claims that stand: their notes may be forgotten while they are embedded."""
    blobs = ((claim, np.asarray(vector, STORED).tobytes()) for claim, vector in vectors.items())
    with database.atomic():
        database.run_many(
            "INSERT OR REPLACE INTO claim_vectors (claim, fingerprint, vector, checksum) SELECT ?, ?, ?, ?"
            " WHERE EXISTS (SELECT 1 FROM claims WHERE key = ?)",
            ((claim, fingerprint, blob, zlib.crc32(blob), claim) for claim, blob in blobs),
        )
