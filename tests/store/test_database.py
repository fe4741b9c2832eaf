from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from vaultrag.errors import DiskFull, IndexDamaged, IndexLocked, IndexMissing, IndexTooNew, StoreError
from vaultrag.store.database import Access, Database
from vaultrag.store.errors import translate, translated
from vaultrag.store.integrity.check_vectors import unsound_embeddings
from vaultrag.store.opening import SCHEMA_KEY, open_database, split_statements
from vaultrag.store.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION


def write_and_fail(database: Database, key: str) -> None:
    with database.atomic():
        database.set_meta(key, "1")
        raise ZeroDivisionError


def test_failed_block_writes_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and_fail(database, "a")
    assert database.meta("a") is None


def test_inner_block_can_fail_alone(database: Database) -> None:
    with database.atomic():
        database.set_meta("outer", "1")
        with pytest.raises(ZeroDivisionError):
            write_and_fail(database, "inner")
        with database.atomic():
            database.set_meta("second", "1")
    assert [database.meta(key) for key in ("outer", "inner", "second")] == ["1", None, "1"]


def test_snapshot_sees_one_state(database: Database) -> None:
    with database.snapshot():
        assert database.meta("a") is None
        writer = threading.Thread(target=database.set_meta, args=("a", "1"))
        writer.start()
        writer.join()
        assert database.meta("a") is None
    assert database.meta("a") == "1"


def test_each_thread_reads_and_writes(database: Database) -> None:
    def write(number: int) -> None:
        for count in range(20):
            with database.atomic():
                database.set_meta(f"{number}-{count}", "x")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.value("SELECT count(*) FROM meta WHERE value = 'x'") == 80


def test_missing_and_empty_index_is_named_missing(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    with pytest.raises(IndexMissing):
        open_database(path, Access.READ)
    path.touch()
    with pytest.raises(IndexMissing):
        open_database(path, Access.READ)
    assert path.stat().st_size == 0


@pytest.mark.parametrize("access", list(Access))
def test_newer_index_is_refused_and_kept(tmp_path: Path, access: Access) -> None:
    path = tmp_path / "index.sqlite3"
    with open_database(path) as database:
        database.run(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        database.set_meta(SCHEMA_KEY, f"{SCHEMA_VERSION + 1} what a newer version states")
    before = path.read_bytes()
    with pytest.raises(IndexTooNew):
        open_database(path, access)
    assert path.read_bytes() == before


@pytest.mark.parametrize("access", list(Access))
def test_file_that_is_no_index_is_named_damaged(tmp_path: Path, access: Access) -> None:
    path = tmp_path / "index.sqlite3"
    path.write_bytes(b"not a database " * 500)
    with pytest.raises(IndexDamaged):
        open_database(path, access)


def test_reader_cannot_write(tmp_path: Path) -> None:
    open_database(tmp_path / "index.sqlite3").close()
    with open_database(tmp_path / "index.sqlite3", Access.READ) as reader, pytest.raises(StoreError):
        reader.set_meta("a", "1")


def test_reader_sees_what_a_living_writer_committed(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    with open_database(path) as writer, open_database(path, Access.READ) as reader:
        writer.set_meta("a", "1")
        assert reader.meta("a") == "1"


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_index_is_private(tmp_path: Path) -> None:
    with open_database(tmp_path / "home" / "index.sqlite3") as database:
        database.set_meta("a", "1")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home").iterdir()}
        assert set(modes.values()) == {0o600}
        assert len(modes) == 3
        assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        (sqlite3.SQLITE_FULL, DiskFull),
        (sqlite3.SQLITE_BUSY, IndexLocked),
        (sqlite3.SQLITE_LOCKED, IndexLocked),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, IndexLocked),
        (sqlite3.SQLITE_CORRUPT, IndexDamaged),
        (sqlite3.SQLITE_CORRUPT_VTAB, IndexDamaged),
        (sqlite3.SQLITE_NOTADB, IndexDamaged),
        (sqlite3.SQLITE_IOERR_READ, StoreError),
        (sqlite3.SQLITE_READONLY, StoreError),
        (sqlite3.SQLITE_CANTOPEN, StoreError),
    ],
)
def test_errors_of_sqlite_have_a_name_of_ours(code: int, ours: type[StoreError]) -> None:
    error = sqlite3.OperationalError("text")
    error.sqlite_errorcode = code
    found = translate(error, Path("index.sqlite3"))
    assert type(found) is ours
    assert found.message.endswith(".")
    assert found.remedy


SQLITE_ERRORS = sorted(
    (kind for kind in vars(sqlite3).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    key=lambda kind: kind.__name__,
)


def test_sqlite_has_the_errors_of_the_database_api() -> None:
    """By PEP 249: were the enumeration empty, the test below would prove nothing."""
    assert {"DatabaseError", "IntegrityError", "OperationalError", "Warning"} <= {k.__name__ for k in SQLITE_ERRORS}


@pytest.mark.parametrize("kind", SQLITE_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_class_of_sqlite_is_translated(kind: type[Exception]) -> None:
    with pytest.raises(StoreError) as caught, translated(Path("index.sqlite3")):
        raise kind("text")
    assert caught.value.remedy
    assert isinstance(caught.value.__cause__, kind)


def test_every_code_of_sqlite_is_translated() -> None:
    codes = {value for name, value in vars(sqlite3).items() if name.startswith("SQLITE_") and isinstance(value, int)}
    for code in codes:
        error = sqlite3.DatabaseError("text")
        error.sqlite_errorcode = code
        assert isinstance(translate(error, Path("index.sqlite3")), StoreError)
    assert isinstance(translate(sqlite3.ProgrammingError("without a code"), Path("index.sqlite3")), StoreError)


def test_migrations_are_ordered_up_to_the_schema() -> None:
    versions = [step.to for step in MIGRATIONS]
    assert versions == sorted(set(versions))
    assert not versions or versions[-1] == SCHEMA_VERSION


def test_schema_splits_into_whole_statements() -> None:
    statements = split_statements(SCHEMA)
    assert all(sqlite3.complete_statement(statement) for statement in statements)
    assert sum("CREATE TRIGGER" in statement for statement in statements) == 15


def test_older_index_gains_checksums_and_keeps_its_embeddings(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    with open_database(path) as database:
        for statement in (
            "DROP TRIGGER notes_of_nights_moved",
            "DROP TABLE fates",
            "DROP TABLE night_findings",
            "DROP TABLE night_done",
            "DROP TABLE night_notes",
            "DROP TABLE nights",
            "DROP TRIGGER claims_gone",
            "DROP TABLE claim_vectors",
            "DROP TABLE compared_claims",
            "DROP TABLE found_pairs",
            "DROP TABLE judgements",
            "DROP TABLE analyses",
            "DROP TRIGGER claims_of_chunks_changed",
            "DROP TRIGGER claims_of_notes_changed",
            "DROP TABLE claims",
            "DROP TABLE extractions",
            "DROP TRIGGER notes_of_jobs_moved",
            "DROP TABLE job_notes",
            "DROP TABLE job_units",
            "DROP TABLE jobs",
            "DROP TRIGGER notes_of_traces_moved",
            "DROP TABLE trace_notes",
            "DROP TABLE trace_steps",
            "DROP TABLE traces",
            "DROP TABLE tasks",
            "DROP TRIGGER notes_moved",
            "DROP TABLE moves",
            "DROP TABLE records",
            "DROP TABLE set_aside",
            "DROP TABLE mentions_owed",
            "DROP TRIGGER names_gained",
            "DROP TRIGGER names_lost",
            "DROP TRIGGER links_turned",
            "DROP TABLE names_owed",
            "DROP INDEX notes_owed",
            "DROP INDEX notes_content",
            "DROP INDEX chunks_language",
            "DROP INDEX embeddings_fingerprint",
            "DROP INDEX outbox_rank",
            "ALTER TABLE outbox DROP COLUMN rank",
            "ALTER TABLE embeddings DROP COLUMN checksum",
            "ALTER TABLE notes DROP COLUMN about",
            "ALTER TABLE chunks DROP COLUMN lead",
            "ALTER TABLE chunks DROP COLUMN said",
            "ALTER TABLE chunks DROP COLUMN model",
            "INSERT INTO embeddings (text_hash, fingerprint, vector) VALUES ('a', 'f', x'0000803f')",
            "PRAGMA user_version = 2",
            "DELETE FROM meta WHERE key = 'schema'",
        ):
            database.run(statement)
    with open_database(path) as database:
        assert unsound_embeddings(database, lambda *_: None) == []
        database.run("UPDATE embeddings SET vector = x'000080bf'")  # as long as before: only the checksum tells
        assert unsound_embeddings(database, lambda *_: None) == [1]
        database.run("UPDATE embeddings SET vector = 'text'")
        assert unsound_embeddings(database, lambda *_: None) == [1]
