"""Every invariant of the index, looked at; each that is broken comes with a remedy.

All that is written is a note that Chroma must be rebuilt, where it disagrees with the embeddings.
"""

from __future__ import annotations

from collections.abc import Iterator

from vaultrag.domain import Finding, counted
from vaultrag.errors import IndexDamaged, StoreError
from vaultrag.store import embeddings
from vaultrag.store.catalog import Catalog
from vaultrag.store.chroma import ChromaUnavailable
from vaultrag.store.database import Access, Database
from vaultrag.store.vectors import VectorIndex

REINDEX = "Move the index file away and run `vaultrag index`: it is built again from the notes."
INDEX = "Run `vaultrag index`."
SHOWN = 3  # examples in a finding; the rest is a number


def check_index(database: Database, vectors: VectorIndex | None = None) -> list[Finding]:
    """Return what is broken, gravest first; empty when all is well.

    Without `vectors` (no embedder, or another process owns the index) Chroma is left alone.
    """
    findings = [*_sqlite(database)]
    if findings:
        return findings  # what a damaged file says about the rest is worth nothing
    with database.snapshot():
        findings += [*_catalogue(database), *_embeddings(database)]
    if vectors is not None:
        findings += _chroma(database, vectors)
    return [*findings, *_problems(database)]


def _sqlite(database: Database) -> Iterator[Finding]:
    try:
        for message in database.column("PRAGMA integrity_check(10)"):
            if message != "ok":
                yield Finding("sqlite-integrity", "error", f"The index file is damaged: {message}.", REINDEX)
        for table, *_ in database.rows("PRAGMA foreign_key_check"):
            yield Finding("foreign-keys", "error", f"A row of {table} belongs to nothing.", REINDEX)
    except IndexDamaged as error:
        yield Finding("sqlite-integrity", "error", error.message, error.remedy)
        return
    yield from _full_text(database)


def _full_text(database: Database) -> Iterator[Finding]:
    """FTS5 compares its index with the rows; that counts as writing, so a reader cannot ask for it."""
    if database.access is not Access.WRITE:
        return
    for table in ("keywords", "names_fts"):
        try:
            database.run(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
        except StoreError:
            yield Finding(
                "keyword-index", "error", f"The keyword index {table} does not agree with the notes.", REINDEX
            )


def _catalogue(database: Database) -> Iterator[Finding]:
    yield from _listed(
        database,
        "links-resolved",
        "links point to files that are gone: {}",
        "SELECT DISTINCT target_path FROM links WHERE target_path IS NOT NULL AND target_path NOT IN"
        " (SELECT path FROM files)",
        severity="warning",
    )
    yield from _listed(
        database,
        "chunks-in-order",
        "notes whose chunks are not numbered without gaps: {}",
        "SELECT notes.path FROM chunks JOIN notes ON notes.id = chunks.note_id"
        " GROUP BY note_id HAVING max(ordinal) + 1 <> count(*) OR count(DISTINCT ordinal) <> count(*)",
        remedy=REINDEX,
    )
    yield from _listed(
        database,
        "notes-named",
        "notes without a title in the name index: {}",
        "SELECT path FROM notes WHERE NOT EXISTS (SELECT 1 FROM names WHERE note_id = notes.id AND kind = 'title')",
        remedy=REINDEX,
    )


def _embeddings(database: Database) -> Iterator[Finding]:
    fingerprint = database.meta(embeddings.FINGERPRINT) or ""
    yield from _listed(
        database,
        "chunks-embedded",
        "texts have no embedding and none is queued: {}",
        "SELECT DISTINCT text_hash FROM chunks WHERE text_hash NOT IN (SELECT key FROM outbox)"
        " AND text_hash NOT IN (SELECT text_hash FROM embeddings WHERE fingerprint = ?)",
        (fingerprint,),
        remedy=REINDEX,
    )
    yield from _listed(
        database,
        "embeddings-needed",
        "embeddings belong to no chunk: {}",
        "SELECT DISTINCT text_hash FROM embeddings WHERE text_hash NOT IN (SELECT text_hash FROM chunks)"
        " AND text_hash NOT IN (SELECT key FROM outbox)",
        severity="warning",
        remedy=REINDEX,
    )
    yield from _listed(
        database,
        "embeddings-sound",
        "embedders stored vectors of several lengths: {}",
        "SELECT fingerprint FROM embeddings GROUP BY fingerprint HAVING count(DISTINCT length(vector)) > 1",
        remedy=REINDEX,
    )
    if owed := embeddings.owed_count(database):
        yield Finding("outbox-empty", "info", f"Waiting for the embedder: {counted(owed, 'text')}.", INDEX)


def _chroma(database: Database, vectors: VectorIndex) -> Iterator[Finding]:
    if vectors.chroma is None:
        return
    if not vectors.healthy:
        detail = vectors.warnings[0] if vectors.warnings else "The vector index has not been built yet."
        yield Finding("vector-index", "warning", detail, INDEX)
        return
    try:
        held = {key for page in vectors.chroma.pages() for key in page}
    except ChromaUnavailable as error:
        yield Finding("vector-index", "warning", f"The vector index cannot be read: {error}.", INDEX)
        return
    owed = set(database.column("SELECT key FROM outbox"))
    wanted = set(database.column("SELECT text_hash FROM embeddings WHERE fingerprint = ?", (vectors.fingerprint,)))
    for detail, keys in (("lacks {} embeddings", wanted - held - owed), ("holds {} too many", held - wanted - owed)):
        if keys:
            vectors.owe_rebuild(f"it {detail.format(len(keys))}")
            yield Finding("vector-index", "warning", f"The vector index {detail.format(len(keys))}.", INDEX)


def _problems(database: Database) -> Iterator[Finding]:
    for path, sentence in Catalog(database).problems():
        yield Finding("note-understood", "info", f"{path}: {sentence}", "Correct the note, if it matters to you.")


def _listed(
    database: Database,
    invariant: str,
    detail: str,
    sql: str,
    parameters: tuple[str, ...] = (),
    *,
    severity: str = "error",
    remedy: str = INDEX,
) -> Iterator[Finding]:
    found = database.column(sql, parameters)
    if found:
        examples = ", ".join(map(str, found[:SHOWN])) + (" …" if len(found) > SHOWN else "")
        yield Finding(invariant, severity, f"{len(found)} {detail.format(examples)}.", remedy)
