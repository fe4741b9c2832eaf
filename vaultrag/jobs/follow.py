"""The index follows its vault: what settles is searchable at once, mentions and vectors come after it.

Two threads: one applies change sets, the other embeds and looks for mentions, and gives way to nothing but the end.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from vaultrag.domain import Progress
from vaultrag.errors import VaultragError
from vaultrag.indexing.update import EMPTY_SECONDS, UpdateResult
from vaultrag.store.attention import DELETIONS_HELD
from vaultrag.store.notes.within import EVERYWHERE
from vaultrag.vault.settling import ChangeSet
from vaultrag.vault.watch import INTERVAL, Watch
from vaultrag.workspace import Workspace

MENTION_QUIET = 5.0  # seconds after the last change: looking for mentions weighs all names of the vault
RETRY_SECONDS = 60.0  # after an error of the embedder: until then a restart of it may have helped
TRY_SECONDS = 10.0  # after the vault was missing, the disk full or the index locked
LONGEST_RETRY = 300.0  # between looks at a note that cannot be read
HEARD_SECONDS = 5.0  # an event may be that late; what changed before and was not told of was not heard
LEAVE_SECONDS = 5.0  # a batch takes two seconds; what takes longer ends with the process

log = logging.getLogger("vaultrag.following")


@dataclass(frozen=True, slots=True)
class Step:
    """One change set that was followed, or the error that kept it from being."""

    changes: ChangeSet
    seconds: float
    followed: UpdateResult | None
    error: VaultragError | None = None

    @property
    def is_news(self) -> bool:
        """Whether anything came of it."""
        done = self.followed.applied if self.followed else None
        return done is None or bool(done.added or done.modified or done.moved or done.removed or done.relinked)


def ignore(_: Step) -> None:
    """Tell nobody."""


class Follower:
    """Keeps the index of an open workspace up to its vault, from `run` until `close`."""

    def __init__(self, workspace: Workspace, progress: Progress, tell: Callable[[Step], None] = ignore) -> None:
        self._workspace = workspace
        self._progress = progress
        self._tell = tell
        self._watch = Watch(workspace.config.vault, workspace.config.settings.watch)
        self._closed = threading.Event()
        self._owed = threading.Event()
        self._last_change = 0.0
        self._last_error = ""
        self._tries: dict[str, int] = {}
        self._after = threading.Thread(target=self._finish, name="embed and mention", daemon=True)

    def run(self) -> None:
        """Follow the vault in this thread until `close`."""
        self._after.start()
        for changes in self._watch.sets():
            self._workspace.health.watching = self._watch.mode
            step = self._follow(changes)
            self._tell(step)
        self._workspace.health.watching = ""

    def close(self) -> None:
        """End following, from any thread; an embedding batch under way is waited for a little."""
        self._closed.set()
        self._owed.set()
        self._watch.close()
        if self._after.is_alive():
            self._after.join(LEAVE_SECONDS)

    def _follow(self, changes: ChangeSet) -> Step:
        began = time.monotonic()
        try:
            followed = self._workspace.follow(_places(changes), self._progress)
        except Exception as unknown:  # noqa: BLE001  # the outermost loop of following: the next set is another chance
            self._note_error(type(unknown).__name__)
            self._workspace.health.note_trouble("follow", error := _told(unknown))
            self._watch.look_again(changes.places or EVERYWHERE, TRY_SECONDS)
            return Step(changes, time.monotonic() - began, None, error)
        self._note_error("")
        self._workspace.health.end_trouble("follow")
        step = Step(changes, time.monotonic() - began, followed)
        self._note(step, followed)
        return step

    def _note_error(self, kind: str) -> None:
        """Log an error once, however often it comes: a disk may be away for days."""
        if kind and kind != self._last_error:
            log.warning("following met %s", kind)
        self._last_error = kind

    def _note(self, step: Step, followed: UpdateResult) -> None:
        applied = followed.applied
        if step.is_news:
            self._last_change = time.monotonic()
            counts = (applied.added, applied.modified, applied.moved, applied.removed)
            log.info("followed: %d added, %d modified, %d moved, %d removed, %.3f s", *counts, step.seconds)
        self._owed.set()
        self._look_again(step.changes, followed)
        if step.changes.reason == INTERVAL:
            self._watch.note_regular_look(sum(map(self._is_old, followed.changed)))
        elif not step.changes.reason and followed.attention and followed.attention.kind == DELETIONS_HELD:
            self._watch.look_everywhere("deletions are held back")  # are they still gone?

    def _look_again(self, changes: ChangeSet, followed: UpdateResult) -> None:
        """Unreadable notes are looked at less and less often, emptied ones once."""
        unread = followed.applied.unread
        looked_at = self._tries if _places(changes) is None else changes.places
        for place in set(self._tries).intersection(looked_at).difference(unread):
            del self._tries[place]
        for place in unread:
            self._tries[place] = self._tries.get(place, 0) + 1
        for place in followed.again:
            tries = self._tries.get(place)
            self._watch.look_again([place], min(2.0**tries, LONGEST_RETRY) if tries else EMPTY_SECONDS)

    def _is_old(self, place: str) -> bool:
        try:
            return time.time() - os.stat(self._workspace.config.vault / place).st_ctime > HEARD_SECONDS
        except OSError:
            return False

    def _finish(self) -> None:
        """Embed and look for mentions whenever something is owed."""
        wait: float | None = None
        while not self._closed.is_set():
            self._owed.wait(wait)
            self._owed.clear()
            try:
                self._catch_up()
                self._workspace.health.end_trouble("embed")
                wait = RETRY_SECONDS if not self._closed.is_set() and self._workspace.owed.owes_anything() else None
            except Exception as error:  # noqa: BLE001  # the outermost loop of this thread; what is owed stays owed
                log.warning("embedding met %s", type(error).__name__)
                self._workspace.health.note_trouble("embed", _told(error))
                wait = RETRY_SECONDS

    def _catch_up(self) -> None:
        while not self._closed.is_set():
            self._workspace.owed.embed(self._progress, self._must_stop)
            if not self._workspace.owed.owes_mentions():
                return
            self._closed.wait(max(0.0, self._last_change + MENTION_QUIET - time.monotonic()))
            if self._is_quiet() and not self._closed.is_set():
                self._workspace.owed.find_mentions()

    def _is_quiet(self) -> bool:
        return time.monotonic() >= self._last_change + MENTION_QUIET

    def _must_stop(self) -> bool:
        """Give up the embedder for the mentions of a pause, and for good at the end."""
        return self._closed.is_set() or (self._is_quiet() and self._workspace.owed.owes_mentions())


def _places(changes: ChangeSet) -> frozenset[str] | None:
    """Return where to look; None is everywhere."""
    return None if changes.reason or changes.places.issuperset(EVERYWHERE) else changes.places


def _told(error: Exception) -> VaultragError:
    if isinstance(error, VaultragError):
        return error
    return VaultragError(
        f"Following the vault met an error that it does not know: {type(error).__name__}.",
        "It goes on; if this comes again, please report it.",
    )
