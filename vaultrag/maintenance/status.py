"""The figures of an index, read straight from SQLite: no model and no vector library is needed for them."""

from __future__ import annotations

from datetime import UTC, datetime

from vaultrag.config import Config
from vaultrag.domain import IndexStatus
from vaultrag.store.attention import read_attention, read_left_out, unread_count, was_read_whole
from vaultrag.store.database import Database
from vaultrag.store.jobs.rows import job_counts
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.long_notes import long_notes
from vaultrag.store.vectors.succession import succession

SHOWN = 5  # of the longest notes; `check` names all


def read_status(config: Config, database: Database) -> IndexStatus:
    """Count what is indexed."""
    counts = Catalog(database).counts()
    return IndexStatus(
        vault=str(config.vault),
        home=str(config.home),
        notes=counts.notes,
        chunks=counts.chunks,
        links=counts.links,
        unresolved=counts.unresolved_links,
        embeddings=counts.embedded,
        pending=counts.owed,
        problems=counts.problems,
        last_indexed=_iso(counts.last_indexed_at),
        bytes=config.home_bytes(),
        attention=read_attention(database),
        succession=succession(database),
        whole=was_read_whole(database),
        unread=unread_count(database),
        left_out=read_left_out(database),
        jobs=job_counts(database),
        long_notes=tuple(long_notes(database)[:SHOWN]),
    )


def _iso(moment: float | None) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds") if moment else ""
