"""How like claims are in meaning to what is asked for: the way across languages, and from a word to its synonym.

No cosine is near by itself: those of e5 lie between .74 and .97 for anything. So likeness is told from the middle of
the candidates up to the likest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from vaultrag.contradictions.claims.kept import read_claims_of
from vaultrag.contradictions.histories.candidates import NearClaim
from vaultrag.contradictions.histories.relevance import Likeness
from vaultrag.domain import Embedder, Vectors
from vaultrag.errors import VaultragError
from vaultrag.store.database import Database
from vaultrag.store.pairs.claim_vectors import read_claim_vectors
from vaultrag.text.language import language_of

SPREAD = 0.06  # of cosines, at least: where the likest is no nearer to the middle, meaning says little
LANGUAGE_GAP = 0.02  # e5's cosine across languages lies about this much below the one within a language
MOST_EMBEDDED = 48  # claims without a kept vector: about half a second on two cores
NEAREST = 40  # kept claims whose notes are looked at, too


class ClaimMeaning:
    """A question's vector beside those of the claims. Without an embedder, or where it fails, nothing is alike."""

    def __init__(self, question: str, database: Database, embedder: Embedder | None) -> None:
        self._language = language_of(question)
        self._database = database
        self._embedder = embedder
        self._asked: Vectors | None = None
        self._kept: Mapping[str, Vectors] = {}
        if embedder is None:
            return
        try:
            self._asked = embedder.embed_query(question)
        except VaultragError:
            return
        self._kept = read_claim_vectors(database, embedder.fingerprint)

    def paths(self) -> list[str]:
        """Return the notes of the claims that are nearest, of all that have a kept vector."""
        if self._asked is None or not self._kept:
            return []
        keys = list(self._kept)
        cosines = np.stack([self._kept[key] for key in keys]) @ self._asked
        nearest = [keys[place] for place in np.argsort(-cosines)[:NEAREST]]
        claims = read_claims_of(self._database, nearest)
        return list(dict.fromkeys(claims[key].path for key in nearest if key in claims))

    def likeness(self, candidates: Sequence[NearClaim]) -> Likeness:
        """Return the likeness by claim, of those that have a vector and of the first others."""
        claims = {one.claim.key: one.claim for one in candidates}
        vectors = self._vectors({key: claim.statement for key, claim in claims.items()})
        if not vectors or self._asked is None:
            return {}
        cosines = np.asarray(np.stack(list(vectors.values())) @ self._asked).tolist()
        told = {
            key: cosine + LANGUAGE_GAP * (claims[key].language != self._language)
            for key, cosine in zip(vectors, cosines, strict=True)
        }
        middle, most = median(told.values()), max(told.values())
        return {key: max(0.0, (cosine - middle) / max(SPREAD, most - middle)) for key, cosine in told.items()}

    def _vectors(self, statements: Mapping[str, str]) -> dict[str, Vectors]:
        if self._asked is None or self._embedder is None:
            return {}
        vectors = {key: self._kept[key] for key in statements if key in self._kept}
        wanted = [key for key in statements if key not in vectors][:MOST_EMBEDDED]
        if wanted:
            try:
                made = self._embedder.embed_passages([statements[key] for key in wanted])
            except VaultragError:
                return vectors
            vectors |= {key: made[place] for place, key in enumerate(wanted)}
        return vectors
