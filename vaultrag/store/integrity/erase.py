"""Making deleted text vanish from the index file: SQLite and its full-text index keep it until something overwrites it.

Chroma's files keep it, too, so they go whole, and are built again from the embeddings.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from vaultrag.errors import IndexLocked
from vaultrag.store.database import Database
from vaultrag.store.embeddings import advance_version
from vaultrag.store.errors import translated
from vaultrag.store.vectors.index import REBUILD_OWED

KEYED_BY_TEXT = (("embeddings", "text_hash"), ("set_aside", "text_hash"), ("outbox", "key"))


def drop_orphans(database: Database) -> None:
    """Delete everything that is kept for texts and claims that no note holds, without asking an embedder."""
    with database.atomic():
        for table, column in KEYED_BY_TEXT:
            database.run(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT text_hash FROM chunks)")
        for side in ("one", "other"):
            database.run(f"DELETE FROM judgements WHERE {side} NOT IN (SELECT key FROM claims)")
        advance_version(database)


def compact(database: Database) -> None:
    """Write the index file anew and empty its log: free pages hold deleted text. Raises IndexLocked and DiskFull.

    What is copied in between stays in memory.
    """
    database.run("VACUUM")
    if not database.checkpoint():
        raise IndexLocked(
            f"Another process reads the index {database.path}, so that deleted text cannot be wiped yet.",
            "Run the command again when it is done.",
        )


def drop_chroma(database: Database, root: Path) -> None:
    """Remove every generation of Chroma; the next one is owed. Nobody may have it open."""
    with database.atomic():
        database.set_meta(REBUILD_OWED, "")
    with translated(root):
        if root.is_dir() and not root.is_symlink():
            shutil.rmtree(root)
