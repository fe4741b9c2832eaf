"""Watching a vault: a generator of settled change sets. The one place that knows watchdog.

Events are hints: they come late, doubled, for files that are gone, or, on network drives and after an overflow, not at
all. So the vault's own folder is looked after, what was lost asks for a look at everything, and where no events come
the whole vault is looked at again and again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from vaultrag.config import WatchSection
from vaultrag.vault.files import TEMPORARY_STARTS, is_conflict_copy, is_speakable
from vaultrag.vault.mounts import is_remote
from vaultrag.vault.settling import ChangeSet, Settling

log = logging.getLogger("vaultrag.watch")

CHECK_SECONDS = 2.0  # between looks at the vault's own folder: one stat
WALK_SHARE = 20  # without events a walk is followed by this many times its length of rest: 5 % of one core
CLOCK_JUMP = 60.0  # seconds between the two clocks: the machine slept, or its clock was set
UNHEARD = 2  # walks in a row that found what no event had told of
RETRY_SECONDS = 600.0  # before events are tried again, twice as long after each time in vain
RETRY_MOST = 86_400.0
OBSIDIAN_SETTINGS = ".obsidian/app.json"

REPLACED, RETRIED = "the vault's folder is another one", "events are tried again"
STARTED, INTERVAL, POLLED = "watching begins", "a regular look", "no events come from there"

_HEARD = [
    FileCreatedEvent, FileModifiedEvent, FileClosedEvent, FileMovedEvent, FileDeletedEvent,
    DirCreatedEvent, DirMovedEvent, DirDeletedEvent,
]  # fmt: skip  # not opening and reading: our own would wake us
_TEMPORARY = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".swp", ".swx", "~")


class WatchMode(StrEnum):
    """EVENTS: the system tells what happens. POLLING: it does not, and the vault is walked over and over."""

    EVENTS = "events"
    POLLING = "polling"


class Watch:
    """Watches one vault from `sets()` until `close()`. Never reads a note, never writes anything."""

    def __init__(self, root: Path, section: WatchSection) -> None:
        self.root = root
        self._section = section
        self._settling = Settling(section.quiet_seconds, section.longest_wait_seconds)
        self._changed = threading.Condition()
        self._closed = False
        self._unheard = 0
        self._never_heard = section.mode == "polling" or is_remote(root)
        self._distrusted = self._never_heard
        self._retry_seconds = RETRY_SECONDS
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._listener: _Listener | None = None
        self._identity: tuple[int, int] | None = None
        self._drift = _clock_drift()

    @property
    def mode(self) -> WatchMode:
        return WatchMode.EVENTS if self._listener is not None and not self._distrusted else WatchMode.POLLING

    def sets(self) -> Iterator[ChangeSet]:
        """Yield settled change sets, the whole vault first, until `close()`. What happens meanwhile is in the next."""
        self._listen()
        found: ChangeSet | None = ChangeSet(reason=STARTED)
        walk_at = 0.0
        try:
            while found is not None:
                began = time.monotonic()
                yield found
                if found.reason:
                    now = time.monotonic()
                    walk_at = now + max(self._pause(), WALK_SHARE * (now - began))
                found = self._wait(walk_at)
        finally:
            self._deafen()

    def look_again(self, places: Iterable[str], seconds: float) -> None:
        """Have these places in a change set once more, so many seconds from now."""
        with self._changed:
            self._settling.postpone(places, time.monotonic() + seconds)
            self._changed.notify_all()

    def look_everywhere(self, reason: str) -> None:
        """Have the whole vault looked at soon."""
        with self._changed:
            self._settling.add_everything(reason, time.monotonic())
            self._changed.notify_all()

    def note_regular_look(self, found: int) -> None:
        """Hear how many notes had changed with no event; when that goes on, events are not relied on any more."""
        is_deaf = found > 0 or (self._listener is not None and self._listener.misses_folders())
        self._unheard = self._unheard + 1 if is_deaf else 0
        if self._unheard >= UNHEARD and not self._distrusted:
            log.warning("changes come without events: the vault is looked at every few seconds instead")
            self._distrust()
        elif self.mode is WatchMode.EVENTS and not is_deaf:
            self._retry_seconds = RETRY_SECONDS

    def close(self) -> None:
        """End `sets()`, from any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, walk_at: float) -> ChangeSet | None:
        """Wait for the next change set; None after `close()`."""
        check_at = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= check_at:
                check_at = now + CHECK_SECONDS
                self._check_root()
                self._check_clocks()
                self._try_events_again(now)
            with self._changed:
                if self._closed:
                    return None
                found = self._settling.take(now)
                if found is not None:
                    return found
                if now >= walk_at:
                    return ChangeSet(reason=INTERVAL if self.mode is WatchMode.EVENTS else POLLED)
                due = self._settling.due()
                until = min(check_at, walk_at, due if due is not None else check_at)
                self._changed.wait(max(0.0, until - now))

    def _pause(self) -> float:
        section = self._section
        return section.reconcile_seconds if self.mode is WatchMode.EVENTS else section.poll_seconds

    def _check_root(self) -> None:
        """Listen to the folder that is there now: one put in another's place says nothing by itself."""
        found = _identity(self.root)
        if found == self._identity and (self._listener is None or self._listener.is_alive()):
            return
        self._deafen()
        self._listen()
        self.look_everywhere(REPLACED if found else "the vault's folder is gone")

    def _check_clocks(self) -> None:
        """While a machine sleeps, another one may change what both have: its monotonic clock stands still then."""
        if abs(_clock_drift() - self._drift) > CLOCK_JUMP:
            self._drift = _clock_drift()
            self.look_everywhere("the clock was set, or the machine slept")

    def _try_events_again(self, now: float) -> None:
        """Listen anew after a while: a limit may be higher now, folders fewer, a mount another one."""
        if self.mode is WatchMode.EVENTS or self._never_heard or now < self._retry_at:
            return
        self._retry_seconds = min(2 * self._retry_seconds, RETRY_MOST)
        self._retry_at = now + self._retry_seconds
        self._deafen()
        self._distrusted, self._unheard = False, UNHEARD - 1
        self._listen()
        self.look_everywhere(RETRIED)

    def _distrust(self) -> None:
        self._distrusted = True
        self._retry_at = time.monotonic() + self._retry_seconds

    def _listen(self) -> None:
        self._identity = _identity(self.root)
        if self._identity is None or self._distrusted:
            return
        try:
            listener = _Listener(self)
            listener.start()
        except (OSError, RuntimeError) as error:
            log.warning("no events can be had (%s): the vault is looked at every few seconds", _reason(error))
            return
        if listener.misses_folders():
            log.warning("the system's limit of watched folders is reached: the vault is looked at every few seconds")
            self._distrust()  # what events come are heard all the same
        self._listener = listener

    def _deafen(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def hear(self, event: FileSystemEvent) -> None:
        """Take in one event, in the thread of the observer."""
        paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
        with self._changed:
            now = time.monotonic()
            for path in paths:
                self._add(os.path.relpath(path, self.root).replace(os.sep, "/"), event.is_directory, now)
            self._changed.notify_all()

    def _add(self, place: str, is_folder: bool, now: float) -> None:
        if place == ".":
            self._settling.add_everything("the vault's folder was moved or removed", now)
        elif place == OBSIDIAN_SETTINGS:
            self._settling.add_everything("Obsidian's settings changed", now)
        elif (noted := _place_meant(place, is_folder)) is None:
            return
        elif is_folder:
            self._settling.add_folder(noted, now)
        else:
            self._settling.add_file(noted, now)


class _Listener:
    """One observer of the system's events, and an ear for what it loses."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._observer = Observer()
        self._losses = _Losses(watch)

    def start(self) -> None:
        """Begin to listen. Raises OSError where the system has no more watches."""
        _OBSERVER_LOG.addHandler(self._losses)
        # A folder that left and came back is watched twice, which is harmless, and said aloud.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        try:
            self._observer.schedule(_Heard(self._watch), str(self._watch.root), recursive=True, event_filter=_HEARD)
            self._observer.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join()
        _OBSERVER_LOG.removeHandler(self._losses)

    def is_alive(self) -> bool:
        reader = getattr(self._observer, "_inotify_fd", None)  # on Linux a thread of its own
        threads = [self._observer, *self._observer.emitters, *([reader] if reader is not None else [])]
        return all(thread.is_alive() for thread in threads)

    def misses_folders(self) -> bool:
        """Tell whether folders are not watched: beyond the system's limit watchdog leaves them out in silence."""
        watched = _watched_folders()
        return watched is not None and watched < sum(1 for _ in _folders(self._watch.root))


class _Heard(FileSystemEventHandler):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._watch.hear(event)


class _Losses(logging.Handler):
    """Watchdog only logs that it lost events; that is when everything has to be looked at."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, _record: logging.LogRecord) -> None:
        self._watch.look_everywhere("events were lost")


_OBSERVER_LOG = logging.getLogger("watchdog.observers")


def _place_meant(place: str, is_folder: bool) -> str | None:
    """Return the place that an event at another one is about; None for one that is no part of the vault."""
    folder, _, name = place.rpartition("/")
    if "/." in f"/{folder}" or not is_speakable(place):
        return None
    if name.startswith("."):
        is_stub = name.endswith(".icloud") and not is_folder  # iCloud leaves `.Note.md.icloud` for a `Note.md`
        return "/".join(filter(None, (folder, name[1:].removesuffix(".icloud")))) if is_stub else None
    if not is_folder and (name.lower().endswith(_TEMPORARY) or name.startswith(TEMPORARY_STARTS)):
        return None
    return None if not is_folder and is_conflict_copy(place) else place


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(root)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _clock_drift() -> float:
    return time.time() - time.monotonic()


def _reason(error: OSError | RuntimeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else type(error).__name__


def _folders(root: Path) -> Iterator[str]:
    for folder, names, _ in os.walk(root):
        names[:] = [name for name in names if not os.path.islink(os.path.join(folder, name))]
        yield folder


def _watched_folders() -> int | None:
    """Return how many folders this process watches, by what Linux tells of its inotify files; None elsewhere."""
    try:
        described = list(Path("/proc/self/fdinfo").iterdir())
    except OSError:
        return None
    count = 0
    for path in described:
        try:
            count += path.read_text().count("\ninotify wd:")
        except OSError:
            continue  # closed since
    return count
