"""Claims between the index and whoever compares them: what is owed is extracted, what is kept is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vaultrag.answering.citations import locate
from vaultrag.contradictions.claims.extract import EXTRACTOR, Extraction, claims_of_chunk
from vaultrag.domain import (
    AsOf,
    AsOfSource,
    Bound,
    Claim,
    ClaimContext,
    Holder,
    Progress,
    Stance,
    StatedKind,
    StatedValue,
    SubjectSource,
    unwatched,
)
from vaultrag.store.claims import (
    StoredClaim,
    claims_of_keys,
    extracted_chunks,
    owed_extractions,
    stored_claims,
    write_extraction,
)
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog, StoredChunk

BATCH = 200  # chunks read at a time
_OWN = (
    *("heading_path", "lead", "statement", "subject", "attribute", "values", "holder", "speaker", "stance", "as_of"),
    *("language", "context", "subject_from", "targets"),
)
"""What a claim holds beside its place, which its chunk tells."""


def extract_owed(
    database: Database,
    progress: Progress = unwatched,
    most: int | None = None,
    must_stop: Callable[[], bool] = lambda: False,
) -> int:
    """Extract the claims of the chunks that are owed it, at most so many; return of how many it was done.

    Each chunk is committed alone: killed anywhere, what is left is still owed. Without changes nothing is done.
    """
    owed = owed_extractions(database, EXTRACTOR)[:most]
    catalog = Catalog(database)
    done = 0
    for first in range(0, len(owed), BATCH):
        batch = catalog.chunks_by_row_ids(owed[first : first + BATCH])
        for row_id in owed[first : first + BATCH]:
            if must_stop():
                return done
            if stored := batch.get(row_id):
                done += keep(database, stored, claims_of_chunk(stored.chunk, stored.title))
        progress("claims", min(first + BATCH, len(owed)), len(owed))
    return done


def keep(database: Database, stored: StoredChunk, extraction: Extraction) -> bool:
    """Keep the claims of a chunk as it was read; False where it says otherwise by now."""
    rows = [_stored(stored, claim) for claim in extraction.claims]
    dropped = {reason.value: count for reason, count in extraction.dropped.items()}
    return write_extraction(database, stored.row_id, stored.chunk.text, EXTRACTOR, rows, dropped)


def read_claims(database: Database, path: str | None = None) -> list[Claim]:
    """Return the claims that are kept, of one note or of all, each where it stands now. Raises IndexDamaged."""
    return _placed(database, stored_claims(database, None if path is None else extracted_chunks(database, path)))


def read_claims_of(database: Database, keys: Collection[str]) -> dict[str, Claim]:
    """Return the claims with these keys, as far as they stand, each where it stands first. Raises IndexDamaged."""
    return {claim.key: claim for claim in _placed(database, claims_of_keys(database, keys))}


def claims_of_chunks(database: Database, chunks: Sequence[int]) -> list[Claim]:
    """Return the claims that are kept of these chunks, in the order of their notes' text. Raises IndexDamaged."""
    return _placed(database, stored_claims(database, chunks))


def _placed(database: Database, rows: Sequence[StoredClaim]) -> list[Claim]:
    chunks = Catalog(database).chunks_by_row_ids(sorted({row.chunk for row in rows}))
    known = ((row, chunks[row.chunk]) for row in rows if row.chunk in chunks)
    return database.decoded(known, lambda pair: _claim(*pair))


def _stored(stored: StoredChunk, claim: Claim) -> StoredClaim:
    told = {name: value for name, value in asdict(claim).items() if name in _OWN}
    return StoredClaim(
        stored.row_id, claim.key, _place(stored, claim), len(claim.quote), json.dumps(told, ensure_ascii=False)
    )


def _place(stored: StoredChunk, claim: Claim) -> int:
    """Return where a claim's quote stands in its chunk's text; the same words may stand there more than once."""
    text, at = stored.chunk.text, -1
    while (at := text.find(claim.quote, at + 1)) >= 0:
        if locate(stored.chunk, at, at + len(claim.quote)) == claim.span:
            return at
    raise ValueError("a claim's quote does not stand in its passage")


def _claim(row: StoredClaim, stored: StoredChunk) -> Claim:
    chunk, told = stored.chunk, json.loads(row.body)
    return Claim(
        key=row.key,
        chunk_id=chunk.id,
        path=chunk.path,
        title=stored.title,
        heading_path=tuple(told["heading_path"]),
        lead=told["lead"],
        span=locate(chunk, row.place, row.place + row.length),
        quote=chunk.text[row.place : row.place + row.length],
        statement=told["statement"],
        subject=told["subject"],
        attribute=told["attribute"],
        values=_values(told["values"]),
        holder=Holder(told["holder"]),
        speaker=told["speaker"],
        stance=Stance(told["stance"]),
        as_of=_as_of(told["as_of"]),
        language=told["language"],
        context=ClaimContext(told["context"]),
        subject_from=SubjectSource(told["subject_from"]),
        targets=tuple(told["targets"]),
    )


def _values(told: Sequence[Mapping[str, Any]]) -> tuple[StatedValue, ...]:
    return tuple(
        StatedValue(**{**value, "kind": StatedKind(value["kind"]), "bound": Bound(value["bound"])}) for value in told
    )


def _as_of(told: Mapping[str, Any] | None) -> AsOf | None:
    return AsOf(**{**told, "source": AsOfSource(told["source"])}) if told else None
