"""One index brought up to its vault, all of it or some places: one change set at a time, and never while it embeds."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from vaultrag.config import Config
from vaultrag.domain import Attention, ChangeKind, LeftOut, Progress
from vaultrag.errors import VaultError
from vaultrag.indexing.apply import Applied, DeletionPolicy, apply_changes, guard_deletions
from vaultrag.indexing.diff import VaultDiff, diff_paths, diff_vault
from vaultrag.indexing.read import Recipe
from vaultrag.store.attention import (
    DELETIONS_HELD,
    INDEXED,
    VAULT_MISSING,
    call_attention,
    dismiss_attention,
    note_left_out,
    note_unread,
    read_attention,
    was_read_whole,
)
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.vault.files import FILTERED, IGNORED, IN_THE_CLOUD, LINKED_FOLDER

REMEMBERED_SECONDS = 600.0  # deletions of the last minutes count together: a folder may go piece by piece
EMPTY_SECONDS = 3.0  # a note found empty is believed after that: programs empty a file before they write it


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What became of a change set.

    `changed` are the files that were written into the index. `again` are those to look at once more: they could not be
    read, or were just emptied. `attention` is what keeps the index from following further.
    """

    applied: Applied
    changed: tuple[str, ...]
    again: tuple[str, ...]
    attention: Attention | None


class IndexUpdater:
    """Writes what changed in the vault into the catalogue, the keyword index and the graph."""

    def __init__(self, config: Config, database: Database, recipe: Callable[[], Recipe]) -> None:
        self._config = config
        self._database = database
        self._recipe = recipe
        self._writing = threading.Lock()
        self._removed: deque[tuple[float, int]] = deque()
        self._emptied: dict[str, float] = {}
        self._unread: set[str] = set()

    @property
    def busy(self) -> bool:
        return self._writing.locked()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is written inside, once what is under way has ended."""
        with self._writing:
            yield

    def run(self, progress: Progress, deletions: DeletionPolicy) -> Applied:
        """Bring the index up to the whole vault. Raises VaultError when it is missing, or by the guard of deletions."""
        with self._writing:
            diff = self._diff(None)
            with self._attending(DELETIONS_HELD):
                guard_deletions(diff, deletions, self._removed_lately())
            applied = self._apply(diff, progress)
            self._unread = set()
            self._note_unread(diff, applied)
            self._note_left_out(diff)
            if deletions is DeletionPolicy.ACCEPT:
                self._removed.clear()  # what was meant is no reason to doubt what comes next
            self._note_whole_look()
            return applied

    def follow(self, places: Collection[str] | None, progress: Progress) -> UpdateResult:
        """Bring the index up to some places, or to all of the vault; a mass deletion is held back and the rest applied.

        Raises VaultError when the vault is missing.
        """
        with self._writing:
            diff = self._diff(places)
            emptied = self._just_emptied(diff)
            diff = diff.without(emptied)
            is_whole = places is None
            try:
                with self._attending(DELETIONS_HELD):
                    guard_deletions(diff, DeletionPolicy.GUARD, self._removed_lately())
            except VaultError:
                diff, is_whole = diff.without_removals(), False
            applied = self._apply(diff, progress)
            self._unread = set() if places is None else self._still_unread(diff)
            self._note_unread(diff, applied)
            if places is None:
                self._note_left_out(diff)
            if is_whole:
                self._note_whole_look()
            seen = (diff.stats[change.path].fs_path for change in diff.changes if change.path in diff.stats)
            changed = tuple(path for path in seen if path not in applied.unread)
            again = (*(diff.stats[path].fs_path for path in emptied), *applied.unread)
            return UpdateResult(applied, changed, again, read_attention(self._database))

    def _diff(self, places: Collection[str] | None) -> VaultDiff:
        catalog, recipe = Catalog(self._database), self._recipe()
        with self._attending(VAULT_MISSING):
            if places is None:
                return diff_vault(self._config, catalog, recipe)
            return diff_paths(self._config, catalog, recipe, places)

    def _apply(self, diff: VaultDiff, progress: Progress) -> Applied:
        applied = apply_changes(
            self._config, self._database, diff, self._recipe(), progress, deletions=DeletionPolicy.ACCEPT
        )
        if applied.removed:
            self._removed.append((time.monotonic(), applied.removed))
        return applied

    def _still_unread(self, diff: VaultDiff) -> set[str]:
        """Return the unreadable files that were not looked at now, and are still there."""
        seen = {stat.fs_path for stat in diff.stats.values()}
        return {path for path in self._unread - seen if os.path.lexists(self._config.vault / path)}

    def _note_unread(self, diff: VaultDiff, applied: Applied) -> None:
        unread = (place for place in diff.skipped if place.is_there and place.reason != IN_THE_CLOUD)
        self._unread.update(applied.unread, (place.path.rstrip("/") for place in unread))
        note_unread(self._database, len(self._unread))

    def _note_left_out(self, diff: VaultDiff) -> None:
        reasons = Counter(place.reason for place in diff.skipped)
        note_left_out(self._database, LeftOut(reasons[FILTERED], reasons[IGNORED], reasons[LINKED_FOLDER]))

    def _removed_lately(self) -> int:
        while self._removed and self._removed[0][0] < time.monotonic() - REMEMBERED_SECONDS:
            self._removed.popleft()
        return sum(count for _, count in self._removed)

    def _just_emptied(self, diff: VaultDiff) -> list[str]:
        """Return the notes that lost all their text so short a time ago that it may be on its way."""
        now = time.monotonic()
        empty = [
            change.path
            for change in diff.changes
            if change.kind is ChangeKind.MODIFIED and diff.stats[change.path].size == 0
        ]
        since = {path: self._emptied.get(path, now) for path in empty}
        full = {path for path in self._emptied if path in diff.stats and path not in since}
        self._emptied = {path: seen for path, seen in (self._emptied | since).items() if path not in full}
        return [path for path in empty if now - since[path] < EMPTY_SECONDS]

    @contextlib.contextmanager
    def _attending(self, kind: str) -> Iterator[None]:
        """Keep a VaultError in the index, so that everybody who asks how it stands is told."""
        try:
            yield
        except VaultError as error:
            attention = Attention(kind, error.message, error.remedy)
            if read_attention(self._database) != attention:
                call_attention(self._database, attention)
            raise

    def _note_whole_look(self) -> None:
        """Write that the index is up to the whole vault, unless that stands: where no events come, looks are many."""
        if was_read_whole(self._database) and read_attention(self._database) is None:
            return
        with self._database.atomic():
            self._database.set_meta(INDEXED, datetime.now(UTC).isoformat(timespec="seconds"))
            dismiss_attention(self._database)
