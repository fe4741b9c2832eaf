"""Which embedder's vectors answer, and how another one takes over.

Its vectors grow beside those that answer; once none is missing one transaction makes them answer and drops the others.
Nothing is queued for that: what is missing is what the chunks need and the embeddings lack, whenever it is asked.
"""

from __future__ import annotations

from vaultrag.domain import Succession
from vaultrag.store.database import Database
from vaultrag.store.embeddings import FINGERPRINT, NOTE_SCORE, advance_version, queue

SUCCESSOR = "embedder_successor"

_MISSING = (
    "text_hash <> '' AND NOT EXISTS (SELECT 1 FROM embeddings WHERE text_hash = chunks.text_hash AND fingerprint = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM set_aside WHERE text_hash = chunks.text_hash AND fingerprint = ?1)"
)


def answering(database: Database) -> str:
    """Return the fingerprint of the embedder whose vectors are searched; empty before the first one."""
    return database.meta(FINGERPRINT) or ""


def chosen(database: Database, fingerprint: str, earlier: str) -> str:
    """Return whose vectors should answer: this embedder's, or those stored as long as `earlier` can embed questions.

    Of two that could, the one that is nearer to complete.
    """
    stored = answering(database)
    if stored == fingerprint or stored != earlier:
        return fingerprint
    nearer = missing_count(database, fingerprint) <= missing_count(database, stored)
    return fingerprint if nearer else stored


def switch_to(database: Database, fingerprint: str) -> None:
    """Let this embedder's vectors answer from now on; what they lack is queued. Others are kept until it is done."""
    with database.atomic():
        if answering(database) != fingerprint:
            queue(database, missing_keys(database, fingerprint))
            database.set_meta(FINGERPRINT, fingerprint)
        if database.meta(SUCCESSOR) is not None:
            database.clear_meta(SUCCESSOR)


def begin(database: Database, fingerprint: str) -> None:
    """Let this embedder's vectors grow beside those that answer; an earlier try of a third one is dropped."""
    if database.meta(SUCCESSOR) == fingerprint:
        return
    with database.atomic():
        database.set_meta(SUCCESSOR, fingerprint)
        database.run("DELETE FROM embeddings WHERE fingerprint NOT IN (?, ?)", (answering(database), fingerprint))


def missing_count(database: Database, fingerprint: str) -> int:
    """Count the texts that this embedder still has to embed."""
    return int(database.value(f"SELECT count(DISTINCT text_hash) FROM chunks WHERE {_MISSING}", (fingerprint,)))


def missing_keys(database: Database, fingerprint: str) -> list[str]:
    """Return the keys that this embedder still has to embed: first what was edited last, or is linked most."""
    return database.column(
        f"SELECT text_hash FROM chunks JOIN notes ON notes.id = chunks.note_id WHERE {_MISSING}"
        f" GROUP BY text_hash ORDER BY max({NOTE_SCORE}) DESC, text_hash",
        (fingerprint,),
    )


def take_over(database: Database, fingerprint: str) -> bool:
    """Make the successor answer and drop all other embeddings, in one transaction; refused while a text is missing."""
    with database.atomic():
        if database.meta(SUCCESSOR) != fingerprint or missing_count(database, fingerprint):
            return False
        for table in ("embeddings", "set_aside"):
            database.run(f"DELETE FROM {table} WHERE fingerprint <> ?", (fingerprint,))
        database.set_meta(FINGERPRINT, fingerprint)
        database.clear_meta(SUCCESSOR)
        advance_version(database)
        return True


def succession(database: Database) -> Succession | None:
    """Say how far a takeover under way is; None while there is none."""
    fingerprint = database.meta(SUCCESSOR)
    if fingerprint is None:
        return None
    with database.snapshot():
        total = int(database.value("SELECT count(DISTINCT text_hash) FROM chunks WHERE text_hash <> ''"))
        return Succession(total - missing_count(database, fingerprint), total)
