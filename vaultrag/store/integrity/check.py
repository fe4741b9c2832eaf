"""Every invariant inside the index, looked at; each that is broken comes with a remedy.

All that is written is a note that Chroma must be rebuilt, where it disagrees with the embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from vaultrag.domain import Finding, Severity, counted
from vaultrag.errors import IndexDamaged
from vaultrag.store import attention, embeddings
from vaultrag.store.database import Access, Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.keywords import KEYWORD_TABLES
from vaultrag.store.notes.long_notes import long_notes
from vaultrag.store.opening import states_its_schema
from vaultrag.store.records import JOURNAL_REWRITTEN, JOURNAL_SIZE
from vaultrag.store.vectors.chroma import ChromaUnavailable
from vaultrag.store.vectors.index import VectorIndex

REPAIR = "Run `vaultrag repair`."
INDEX = "Run `vaultrag index`."
SHOWN = 3  # examples in a finding; the rest is a number


def check_index(database: Database, vectors: VectorIndex | None = None) -> list[Finding]:
    """Return what is broken, gravest first; empty when all is well.

    Without `vectors` (no embedder, or another process owns the index) Chroma is left alone.
    """
    try:
        findings = [*check_file(database)]
        if findings:
            return findings  # what a damaged file says about the rest is worth nothing
        findings += check_keywords(database)
        for key in unreadable_states(database):
            detail = f"What the index keeps of its own state as “{key}” cannot be read."
            findings.append(Finding("state-readable", "error", detail, REPAIR))
        with database.snapshot():
            findings += [*_catalogue(database), *_embeddings(database)]
        if vectors is not None:
            findings += _chroma(database, vectors)
        return [*findings, *_long_notes(database), *_problems(database)]
    except IndexDamaged as error:
        return [Finding("sqlite-integrity", "error", error.message, error.remedy)]


def check_file(database: Database) -> Iterator[Finding]:
    """Look at the pages of the SQLite file, its schema, and the rows that belong to others."""
    for message in database.column("PRAGMA integrity_check(10)"):
        if message != "ok":
            yield Finding("sqlite-integrity", "error", f"The index file is damaged: {message}.", REPAIR)
    for table in sorted({row[0] for row in database.rows("PRAGMA foreign_key_check")}):
        yield Finding("foreign-keys", "error", f"Rows of {table} belong to nothing.", REPAIR)
    if not states_its_schema(database):
        yield Finding("schema", "error", "The tables of the index are not those that were created.", REPAIR)


def unreadable_states(database: Database) -> list[str]:
    """Return the keys under which the index keeps something of its own state that cannot be read."""
    wrong = [attention.KEY] if _fails(lambda: attention.read_attention(database)) else []
    numbers = (JOURNAL_SIZE, JOURNAL_REWRITTEN, embeddings.VERSION)
    return [*wrong, *(key for key in numbers if _fails(partial(database.meta_number, key)))]


def _fails(read: Callable[[], object]) -> bool:
    try:
        read()
    except IndexDamaged:
        return True
    return False


def check_keywords(database: Database) -> Iterator[Finding]:
    """FTS5 compares its index with the rows; that counts as writing, so a reader cannot ask for it."""
    if database.access is not Access.WRITE:
        return
    for table in KEYWORD_TABLES:
        try:
            database.run(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
        except IndexDamaged:
            yield Finding("keyword-index", "error", f"The keyword index {table} does not agree with the notes.", REPAIR)


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
    )
    yield from _listed(
        database,
        "notes-named",
        "notes without a title in the name index: {}",
        "SELECT path FROM notes WHERE NOT EXISTS (SELECT 1 FROM names WHERE note_id = notes.id AND kind = 'title')",
    )


def _embeddings(database: Database) -> Iterator[Finding]:
    if lacking := texts_without_embedding(database):
        detail = f"{len(lacking)} texts have no embedding and none is queued: {examples(lacking)}."
        yield Finding("chunks-embedded", "error", detail, REPAIR)
    yield from _listed(
        database,
        "embeddings-needed",
        "embeddings belong to no chunk: {}",
        "SELECT DISTINCT text_hash FROM embeddings WHERE text_hash NOT IN (SELECT text_hash FROM chunks)"
        " AND text_hash NOT IN (SELECT key FROM outbox)",
        severity="warning",
    )
    yield from _listed(
        database,
        "embeddings-sound",
        "embedders stored vectors of several lengths: {}",
        "SELECT fingerprint FROM embeddings GROUP BY fingerprint HAVING count(DISTINCT length(vector)) > 1",
    )
    if paths := embeddings.notes_set_aside(database):
        yield Finding(
            "texts-embeddable",
            "warning",
            f"The embedder failed at a passage of: {', '.join(paths[:SHOWN])}{' …' * (len(paths) > SHOWN)}."
            " It is found by words and links alone.",
            "Run `vaultrag repair` to try again, edit the passage, or name another embedder (`roles.embed`).",
        )
    if owed := embeddings.owed_count(database):
        yield Finding("outbox-empty", "info", f"Waiting for the embedder: {counted(owed, 'text')}.", INDEX)


def texts_without_embedding(database: Database) -> list[str]:
    """Return the keys of texts that the index's embedder has not embedded, and is not asked to."""
    return database.column(
        "SELECT DISTINCT text_hash FROM chunks WHERE text_hash <> '' AND text_hash NOT IN (SELECT key FROM outbox)"
        " AND text_hash NOT IN (SELECT text_hash FROM embeddings WHERE fingerprint = ?1)"
        " AND text_hash NOT IN (SELECT text_hash FROM set_aside WHERE fingerprint = ?1)",
        (database.meta(embeddings.FINGERPRINT) or "",),
    )


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


def _long_notes(database: Database) -> Iterator[Finding]:
    for note in long_notes(database):
        remedy = "Leave it out by `vault.ignore` in the settings, or split it, if it crowds out your other notes."
        yield Finding("note-of-many-passages", "info", f"{note}.", remedy)


def _problems(database: Database) -> Iterator[Finding]:
    for path, sentence in Catalog(database).problems():
        yield Finding("note-understood", "info", f"{path}: {sentence}", "Correct the note, if it matters to you.")


def _listed(
    database: Database,
    invariant: str,
    detail: str,
    sql: str,
    *,
    severity: Severity = "error",
) -> Iterator[Finding]:
    found = database.column(sql)
    if found:
        yield Finding(invariant, severity, f"{len(found)} {detail.format(examples(found))}.", REPAIR)


def examples(found: Sequence[object]) -> str:
    """Return the first few of what was found, for a sentence."""
    return ", ".join(map(str, found[:SHOWN])) + (" …" if len(found) > SHOWN else "")
