"""How an index is opened: created or migrated where that is needed, refused where it is damaged or of another age."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path

from vaultrag.errors import IndexMissing, IndexTooNew, StoreError
from vaultrag.store.database import Access, Database
from vaultrag.store.errors import damaged, translated
from vaultrag.store.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION, Migration, Reparse

SCHEMA_KEY = "schema"


def open_database(path: Path, access: Access = Access.WRITE, oldest: int = SCHEMA_VERSION) -> Database:
    """Open the index; for writing it is created or migrated when need be, for reading it is of the schema `oldest` on.

    Raises IndexMissing (only for reading), IndexTooNew, IndexDamaged, IndexLocked, DiskFull or StoreError.
    """
    if access is Access.READ:
        return _open_for_reading(path, oldest)
    with translated(path):
        _create_private_file(path)
    database = Database(path, access)
    _refuse_damaged(database)
    _refuse_newer(database)
    _create_or_migrate(database)
    return database


def states_its_schema(database: Database) -> bool:
    """Tell whether the tables, indexes and triggers are those that were created."""
    return database.meta(SCHEMA_KEY) == _statement_of_schema(database)


def split_statements(script: str) -> list[str]:
    """Split an SQL script: `executescript` would commit the transaction that we are in."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    return statements


def _open_for_reading(path: Path, oldest: int) -> Database:
    if not path.is_file() or not path.stat().st_size:
        raise _missing(path)
    database = Database(path, Access.READ)
    _refuse_damaged(database)
    _refuse_newer(database)
    version = _version(database)
    if version == 0:
        database.close()
        raise _missing(path)
    if version < oldest:
        database.close()
        raise StoreError(f"The index {path} was written by an older VaultRAG.", "Run `vaultrag index` once.")
    return database


def _missing(path: Path) -> IndexMissing:
    return IndexMissing(f"Nothing has been indexed yet: {path} is not there.", "Run `vaultrag index` first.")


def _statement_of_schema(database: Database) -> str:
    """Return the version and the digest of everything that was created; SQLite itself has no checksums."""
    rows = database.rows(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 2"
    )
    return f"{_version(database)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"


def _refuse_damaged(database: Database) -> None:
    """Refuse a file whose header names another version than its tables: a flipped bit, not an older program."""
    try:
        if not database.value("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            return
        stated = database.meta(SCHEMA_KEY)
        if stated is not None and stated.split(" ")[0] != str(_version(database)):
            raise damaged(database.path, "its header is not what was written")
    except StoreError:
        database.close()
        raise


def _refuse_newer(database: Database) -> None:
    version = _version(database)
    if version > SCHEMA_VERSION:
        database.close()
        raise IndexTooNew(
            f"The index {database.path} was written by a newer VaultRAG (schema {version}, known: {SCHEMA_VERSION}).",
            "Update VaultRAG, or name another home: --home DIR.",
        )


def _create_or_migrate(database: Database) -> None:
    if _version(database) == SCHEMA_VERSION:
        return
    with database.atomic():
        version = _version(database)  # another process may have been first
        steps = MIGRATIONS if version else (Migration(SCHEMA_VERSION, SCHEMA, Reparse.KEEP),)
        for step in steps:
            if step.to > version:
                _apply(database, step)
        database.set_meta(SCHEMA_KEY, _statement_of_schema(database))


def _apply(database: Database, step: Migration) -> None:
    for statement in split_statements(step.script):
        database.run(statement)
    if step.reparse is Reparse.ALL:
        database.run("UPDATE notes SET recipe = ''")
    database.run(f"PRAGMA user_version = {step.to:d}")


def _version(database: Database) -> int:
    return int(database.value("PRAGMA user_version"))


def _create_private_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its -wal and -shm the same mode
