"""Which claims may tell a history: those of the passages near to what is asked for, with what stands round them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from vaultrag.contradictions.claims.extract import EXTRACTOR, claims_of_chunk
from vaultrag.contradictions.claims.kept import claims_of_chunks
from vaultrag.contradictions.histories.asked import AskedHistory
from vaultrag.domain import Claim, Feature
from vaultrag.store.claims import owed_extractions
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog, StoredChunk
from vaultrag.store.notes.lookups import rows_of_notes

LONG_NOTE = 16  # passages: of a longer note, as a diary of years, only those that say a word of the question are read


@dataclass(frozen=True, slots=True)
class NearClaim:
    """A claim, the day that its passage was written, and the words around it.

    `names` is what its note is called and tagged beside its title; it stands at `start` of its `passage`.
    """

    claim: Claim
    day: str
    names: str
    passage: str
    start: int


def candidates_of(
    database: Database, asked: AskedHistory, paths: Sequence[str], allowed: Set[int] | None = None
) -> list[NearClaim]:
    """Return what these notes state, as they stand there; of long ones what may be meant.

    Kept claims are read, and what is owed an extraction is extracted in passing: nothing is written.
    """
    rows = rows_of_notes(database, paths)
    known = Catalog(database).chunks_by_row_ids(rows)
    stored: dict[str, list[StoredChunk]] = defaultdict(list)
    for row in rows:
        if row in known:
            stored[known[row].chunk.path].append(known[row])
    near = {path: _near(asked, [one for one in stored[path] if _is_in(one, allowed)]) for path in paths}
    claims = _claims_of(database, [one for path in paths for one in near[path]])
    return [found for path in paths for found in _found(stored[path], near[path], claims)]


def _is_in(one: StoredChunk, allowed: Set[int] | None) -> bool:
    return allowed is None or one.row_id in allowed


def _near(asked: AskedHistory, chunks: Sequence[StoredChunk]) -> list[StoredChunk]:
    """Return the passages of a note that may be meant; those beside one that says a word go on from there."""
    if len(chunks) <= LONG_NOTE:
        return list(chunks)
    says = [may_say(asked, f"{' '.join(one.chunk.heading_path)} {one.chunk.text}") for one in chunks]
    return [one for place, one in enumerate(chunks) if any(says[max(0, place - 1) : place + 1])]


def may_say(asked: AskedHistory, text: str) -> bool:
    """Tell whether a text may hold a word that is asked for: soon told, and never wrongly denied."""
    folded = text.lower().replace("ё", "е")
    return any(prefix in folded for prefix in asked.prefixes)


def _claims_of(database: Database, chunks: Sequence[StoredChunk]) -> dict[str, list[Claim]]:
    """Return the claims by passage."""
    owed = set(owed_extractions(database, EXTRACTOR))
    kept = [one.row_id for one in chunks if one.row_id not in owed]
    found: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims_of_chunks(database, kept):
        found[claim.chunk_id].append(claim)
    for one in chunks:
        if one.row_id in owed:
            found[one.chunk.id] = list(claims_of_chunk(one.chunk, one.title).claims)
    return found


def _found(
    whole: Sequence[StoredChunk], near: Sequence[StoredChunk], claims: dict[str, list[Claim]]
) -> Iterator[NearClaim]:
    names = " ".join(
        [
            *(one.chunk.path.rpartition("/")[0] for one in whole[:1]),
            *(one.chunk.text for one in whole if Feature.PROPERTY in one.chunk.features),
        ]
    )
    for one in near:
        for claim in claims.get(one.chunk.id, ()):
            start = max(0, one.chunk.text.find(claim.quote))
            yield NearClaim(claim, one.chunk.said or one.chunk.date, names, one.chunk.text, start)
