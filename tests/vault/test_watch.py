"""Settled change sets of a real folder, by the system's real events."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vaultrag.config import WatchSection
from vaultrag.vault.mounts import file_system
from vaultrag.vault.settling import ChangeSet
from vaultrag.vault.watch import POLLED, REPLACED, RETRIED, STARTED, Watch, WatchMode

DEADLINE = 20.0
QUICK = WatchSection(quiet_seconds=0.05, longest_wait_seconds=0.5)


class Seen:
    """The change sets of a watch that runs in a thread."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.sets: queue.SimpleQueue[ChangeSet] = queue.SimpleQueue()
        self.places: set[str] = set()
        self.looks: list[str] = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        for found in self.watch.sets():
            self.sets.put(found)

    def until(self, enough: Callable[[], bool]) -> None:
        """Gather change sets until there is enough."""
        deadline = time.monotonic() + DEADLINE
        while not enough():
            try:
                found = self.sets.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"only saw {self.places} and {self.looks}") from None
            self.places |= found.places
            self.looks += [found.reason] if found.reason else []

    def until_places(self, *places: str) -> set[str]:
        self.until(lambda: self.places >= set(places))
        return self.places


@contextlib.contextmanager
def watching(root: Path, section: WatchSection = QUICK) -> Iterator[Seen]:
    seen = Seen(Watch(root, section))
    seen.thread.start()
    try:
        seen.until(lambda: STARTED in seen.looks)
        yield seen
    finally:
        seen.watch.close()
        seen.thread.join(DEADLINE)
    assert not seen.thread.is_alive()


def test_what_is_written_renamed_and_deleted_is_told(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("old")
    (tmp_path / "gone.md").write_text("gone")
    with watching(tmp_path) as seen:
        (tmp_path / "Новая.md").write_text("new")
        (tmp_path / "old.md").rename(tmp_path / "New Name.md")
        (tmp_path / "gone.md").unlink()
        assert seen.until_places("Новая.md", "old.md", "New Name.md", "gone.md") == {
            "Новая.md",
            "old.md",
            "New Name.md",
            "gone.md",
        }


def test_reading_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "read.md").write_text("text")
    with watching(tmp_path) as seen:
        (tmp_path / "read.md").read_text()
        (tmp_path / "later.md").write_text("x")
        assert seen.until_places("later.md") == {"later.md"}


def test_hidden_temporary_and_conflict_files_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / "n.md").write_text("text")
    with watching(tmp_path) as seen:
        (tmp_path / ".obsidian" / "workspace.json").write_text("{}")
        (tmp_path / ".trash").mkdir()
        (tmp_path / ".syncthing.n.md.tmp").write_text("x")
        (tmp_path / "~syncthing~n.md").write_text("x")
        (tmp_path / "n.md.tmp").write_text("x")
        (tmp_path / "n.sync-conflict-20240101-000000-ABCDEFG.md").write_text("x")
        (tmp_path / "last.md").write_text("x")
        assert seen.until_places("last.md") == {"last.md"}


def test_atomic_save_is_told_of_the_note(tmp_path: Path) -> None:
    (tmp_path / "n.md").write_text("old")
    with watching(tmp_path) as seen:
        (tmp_path / "n.md.tmp").write_text("new")
        os.replace(tmp_path / "n.md.tmp", tmp_path / "n.md")
        assert seen.until_places("n.md") == {"n.md"}


def test_what_the_cloud_took_away_is_told_by_its_notes_name(tmp_path: Path) -> None:
    (tmp_path / "n.md").write_text("text")
    with watching(tmp_path) as seen:
        (tmp_path / ".n.md.icloud").write_text("stub")
        assert seen.until_places("n.md") == {"n.md"}


def test_folders_moved_in_out_and_about_are_told_whole(tmp_path: Path) -> None:
    vault, outside = tmp_path / "vault", tmp_path / "outside"
    for folder in (vault / "stays", vault / "leaves", outside / "arrives"):
        folder.mkdir(parents=True)
        (folder / "n.md").write_text("text")
    with watching(vault) as seen:
        (vault / "stays").rename(vault / "Переехала")
        (vault / "leaves").rename(outside / "left")
        (outside / "arrives").rename(vault / "arrives")
        found = seen.until_places("stays", "Переехала", "leaves", "arrives")
    assert not {place for place in found if place.startswith("stays/")}


def test_root_replaced_is_looked_at_whole_and_heard_again(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    with watching(vault) as seen:
        shutil.rmtree(vault)
        vault.mkdir()
        seen.until(lambda: len(seen.looks) > 1)
        (vault / "early.md").write_text("x")
        seen.until(lambda: "early.md" in seen.places or len(seen.looks) > 2)
        (vault / "again.md").write_text("x")
        seen.until_places("again.md")
        assert seen.watch.mode is WatchMode.EVENTS


def test_root_that_comes_back_later_is_heard_again(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    with watching(vault) as seen:
        vault.rename(tmp_path / "away")
        seen.until(lambda: len(seen.looks) > 1)
        (tmp_path / "away").rename(vault)
        seen.until(lambda: REPLACED in seen.looks)
        (vault / "again.md").write_text("x")
        seen.until_places("again.md")


def test_lost_events_ask_for_a_look_at_everything(tmp_path: Path) -> None:
    with watching(tmp_path) as seen:
        logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
        seen.until(lambda: "events were lost" in seen.looks)


def test_changed_exclusions_of_obsidian_ask_for_a_look_at_everything(tmp_path: Path) -> None:
    (tmp_path / ".obsidian").mkdir()
    with watching(tmp_path) as seen:
        (tmp_path / ".obsidian" / "app.json").write_text('{"userIgnoreFilters": ["a/"]}')
        seen.until(lambda: "Obsidian's settings changed" in seen.looks)


def test_without_events_the_vault_is_looked_at_again_and_again(tmp_path: Path) -> None:
    section = WatchSection(mode="polling", quiet_seconds=0.05, poll_seconds=1.0)
    with watching(tmp_path, section) as seen:
        assert seen.watch.mode is WatchMode.POLLING
        seen.until(lambda: POLLED in seen.looks)


@pytest.mark.skipif(not Path("/proc/sys/fs/inotify").exists(), reason="the limits of inotify are Linux's")
def test_where_the_system_has_no_more_watches_the_vault_is_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchdog.observers.inotify_c.InotifyFD._get_or_create_watch", refuse)
    with watching(tmp_path, WatchSection(quiet_seconds=0.05, poll_seconds=1.0)) as seen:
        assert seen.watch.mode is WatchMode.POLLING
        seen.until(lambda: POLLED in seen.looks)


def test_folders_beyond_the_limit_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchdog.observers.inotify_c import InotifyFD

    real = InotifyFD._get_or_create_watch  # noqa: SLF001  # watchdog's own

    def only_the_root(self: InotifyFD, path: bytes, mask: object) -> object:
        if path != os.fsencode(tmp_path):
            raise OSError(28, "inotify watch limit reached")
        return real(self, path, mask)  # type: ignore[arg-type]

    monkeypatch.setattr(InotifyFD, "_get_or_create_watch", only_the_root)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    with watching(tmp_path, WatchSection(quiet_seconds=0.05, poll_seconds=1.0)) as seen:
        assert seen.watch.mode is WatchMode.POLLING


def test_changes_that_nobody_told_of_end_the_trust_in_events(tmp_path: Path) -> None:
    with watching(tmp_path) as seen:
        modes = []
        for found in (3, 0, 1, 1):
            seen.watch.note_regular_look(found)
            modes.append(seen.watch.mode)
        assert modes == [WatchMode.EVENTS, WatchMode.EVENTS, WatchMode.EVENTS, WatchMode.POLLING]


def test_events_are_tried_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultrag.vault.watch.RETRY_SECONDS", 0.1)
    monkeypatch.setattr("vaultrag.vault.watch.CHECK_SECONDS", 0.05)
    with watching(tmp_path) as seen:
        for found in (1, 1):
            seen.watch.note_regular_look(found)
        seen.until(lambda: RETRIED in seen.looks)
        modes = [seen.watch.mode]
        (tmp_path / "заметка.md").write_text("heard again", encoding="utf-8")
        seen.until(lambda: "заметка.md" in seen.places)
        seen.watch.note_regular_look(1)  # in vain: the next trial comes later, and one unheard change is enough
        assert [*modes, seen.watch.mode] == [WatchMode.EVENTS, WatchMode.POLLING]
        seen.until(lambda: seen.looks.count(RETRIED) == 2)


def test_where_watches_ran_out_they_are_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchdog.observers.inotify_c import InotifyFD

    real, refused = InotifyFD._get_or_create_watch, threading.Event()  # noqa: SLF001  # watchdog's own

    def once_refused(self: InotifyFD, path: bytes, mask: object) -> object:
        if not refused.is_set():
            refused.set()
            raise OSError(28, "inotify watch limit reached")
        return real(self, path, mask)  # type: ignore[arg-type]

    monkeypatch.setattr(InotifyFD, "_get_or_create_watch", once_refused)
    monkeypatch.setattr("vaultrag.vault.watch.RETRY_SECONDS", 0.1)
    monkeypatch.setattr("vaultrag.vault.watch.CHECK_SECONDS", 0.05)
    with watching(tmp_path) as seen:
        seen.until(lambda: RETRIED in seen.looks)
        assert seen.watch.mode is WatchMode.EVENTS


def test_file_system_of_a_path_is_that_of_its_longest_mount_point() -> None:
    lines = [
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw",
        "30 22 0:50 / /mnt/my\\040nas rw shared:1 - nfs4 nas:/vault rw",
        "31 22 0:51 / /mnt/my rw - tmpfs tmpfs rw",
        "broken",
    ]
    assert file_system("/mnt/my nas/notes", lines) == "nfs4"
    assert file_system("/mnt/my", lines) == "tmpfs"
    assert file_system("/mnt/mynas", lines) == "ext4"
