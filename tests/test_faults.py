"""Disks that fill, files that cannot be read, other programs in between: one clear error each, and nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import flips
from tests.disks import Disk, mounted
from tests.flips import config_of
from tests.following import following
from vaultrag.config import Config, Settings, WatchSection
from vaultrag.errors import DiskFull, IndexLocked, VaultragError
from vaultrag.maintenance.repair import mend_file
from vaultrag.store import database as db
from vaultrag.store.journal import Journal
from vaultrag.store.opening import open_database
from vaultrag.store.records import Kind, RecordBook

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes and mounts")

NOBODY = 65534
SMALL, LARGE = "400k", "64m"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    flips.build(folder)
    return folder


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "copy"))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as made:
        yield made


def on(disk: Disk, folder: Path) -> Config:
    return config_of(folder).model_copy(update={"home": disk.place / "home"})


def indexed(config: Config) -> None:
    with open_database(config.database_path) as database:
        flips.index(config, database)


@pytest.mark.slow
def test_index_goes_on_after_the_disk_was_full(folder: Path, disk: Disk) -> None:
    disk.resize(SMALL)
    config = on(disk, folder)
    with pytest.raises(DiskFull):
        indexed(config)
    disk.resize(LARGE)
    indexed(config)
    assert flips.told(config) == []
    assert flips.results(config) == flips.results(config_of(folder))


def test_record_that_finds_no_room_is_refused_whole(folder: Path, disk: Disk) -> None:
    disk.resize(LARGE)
    config = on(disk, folder)
    shutil.copytree(folder / "home", config.home)
    disk.fill()
    with pytest.raises(DiskFull), open_database(config.database_path) as database:
        RecordBook(database, Journal(config.journal_path)).put(Kind.ANSWER, "новый", {"text": "x" * 9000, "paths": []})
    disk.free()
    with open_database(config.database_path) as database:
        disk.fill()
        with pytest.raises(DiskFull):
            RecordBook(database, Journal(config.journal_path)).put(Kind.ANSWER, "новый", {"text": "x" * 9000})
    disk.free()
    assert flips.told(config) == []
    assert flips.records(config) == flips.RECORDS


@pytest.mark.slow
def test_repair_without_room_leaves_the_damaged_file_as_it_is(folder: Path, disk: Disk) -> None:
    disk.resize(LARGE)
    config = on(disk, folder)
    shutil.copytree(folder / "home", config.home)
    with config.database_path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(os.urandom(4096))
    damaged = config.database_path.read_bytes()
    disk.fill()
    with pytest.raises(DiskFull):
        mend_file(config, lambda *_: None)
    assert config.database_path.read_bytes() == damaged
    disk.free()
    flips.repair(config)
    assert flips.told(config) == []
    assert flips.records(config) == flips.RECORDS
    assert flips.results(config) == flips.results(config_of(folder))


def as_nobody(config: Config, action: Callable[[], object]) -> str:
    """Do something as a user whom modes stop, who owns vault and home; return what came of it."""
    if os.geteuid():
        return _told(action)
    for folder, folders, names in os.walk(config.home.parent):
        for name in (*folders, *names):
            os.chown(Path(folder, name), NOBODY, NOBODY)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # nothing but what is imported already: the interpreter itself may be out of this user's reach
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with os.fdopen(writing, "w", encoding="utf-8") as answer:
                answer.write(_told(action))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        found = told.read()
    os.waitpid(child, 0)
    return found


def _told(action: Callable[[], object]) -> str:
    try:
        return repr(action())
    except VaultragError as error:
        return f"{error.kind}: {error.message} {error.remedy}"
    except Exception as error:  # noqa: BLE001  # the outermost loop of a child process
        return f"unexpected {error!r}"


@pytest.fixture
def reachable(folder: Path) -> Iterator[Path]:
    """The folder where another user may reach it."""
    modes = {place: place.stat().st_mode for place in (folder, *folder.parents) if not place.stat().st_mode & 0o001}
    for place in modes:
        place.chmod(0o755)
    yield folder
    for place, mode in modes.items():
        place.chmod(mode)


def test_home_that_is_read_only_still_answers_and_refuses_to_be_written(reachable: Path) -> None:
    config = config_of(reachable)
    expected = flips.results(config)
    for suffix in ("-wal", "-shm"):
        config.database_path.with_name(config.database_path.name + suffix).unlink(missing_ok=True)
    config.home.chmod(0o500)
    assert as_nobody(config, lambda: flips.results(config)) == repr(expected)
    (config.vault / "новая.md").write_text("Новая заметка.\n", encoding="utf-8")
    assert as_nobody(config, lambda: indexed(config)).startswith("StoreError: ")
    config.home.chmod(0o700)
    assert as_nobody(config, lambda: indexed(config)) == "None"
    assert flips.told(config) == []


def test_note_that_may_not_be_read_is_named_and_kept(reachable: Path) -> None:
    config = config_of(reachable)
    note = config.vault / "Проекты" / "Пчела" / "Пчела.md"
    note.write_text("Новый текст.\n", encoding="utf-8")
    note.chmod(0)
    (config.vault / "English notes").chmod(0)
    expected = flips.results(config)
    assert as_nobody(config, lambda: indexed(config)) == "None"
    assert flips.results(config) == expected
    assert "note-readable" in as_nobody(config, lambda: flips.told(config))
    note.chmod(0o600)
    (config.vault / "English notes").chmod(0o700)
    indexed(config)
    assert flips.told(config) == []


def test_error_of_the_disk_at_one_note_is_a_finding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(folder)
    note = config.vault / "Проекты" / "Пчела" / "Пчела.md"
    note.write_text("Новый текст.\n", encoding="utf-8")
    opening = os.open

    def failing(path: Any, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("Пчела.md"):
            raise OSError(errno.EIO, "Input/output error")
        return opening(path, flags, mode)

    monkeypatch.setattr(os, "open", failing)
    indexed(config)
    assert flips.told(config) == ["note-readable"]
    before = flips.results(config)
    monkeypatch.undo()
    indexed(config)
    assert flips.told(config) == []
    assert flips.results(config) != before


def test_note_that_changes_while_it_is_read_ends_up_as_it_is(folder: Path) -> None:
    config = config_of(folder)
    note = config.vault / "меняется.md"
    stop = threading.Event()

    def keep_writing() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            note.write_text(f"# Версия {number}\n\n" + f"строка {number}\n" * 2000, encoding="utf-8")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for _ in range(5):
            indexed(config)
            with open_database(config.database_path) as database:
                texts = database.column(
                    "SELECT text FROM chunks JOIN notes ON notes.id = note_id WHERE path = 'меняется.md'"
                )
            versions = {line for text in texts for line in text.splitlines() if line.startswith("строка")}
            longest = max(
                versions, key=len, default=""
            )  # a busy machine may leave the file cut in mid-line for a while
            assert all(longest.startswith(line) for line in versions), "half of one version and half of another"
    finally:
        stop.set()
        writer.join()
    indexed(config)
    assert flips.told(config) == []


def test_index_that_another_program_writes_to_is_named_and_still_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(folder)
    before = flips.results(config)
    (config.vault / "новая.md").write_text("Новая заметка.\n", encoding="utf-8")
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(config.database_path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexLocked):
            indexed(config)
        assert flips.results(config) == before
    finally:
        other.close()
    indexed(config)
    assert flips.told(config) == []


def test_follower_of_an_index_that_another_program_writes_to_says_so_and_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr("vaultrag.jobs.follow.TRY_SECONDS", 0.2)
    quick = Settings(watch=WatchSection(quiet_seconds=0.05, longest_wait_seconds=1.0))
    config = config_of(folder).model_copy(update={"settings": quick})
    with following(config) as followed, contextlib.closing(sqlite3.connect(config.database_path)) as other:
        other.execute("BEGIN IMMEDIATE")
        followed.put("новая.md", "Гречишный мёд.\n")
        followed.until(lambda: followed.attention() == "IndexLocked")
        assert followed.finds("прошивка")
        other.rollback()
        followed.until(lambda: followed.finds("гречишный") == ["новая.md"])
        followed.until(lambda: followed.attention() == "")
