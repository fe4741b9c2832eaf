"""From the vault to the index: the differences between disk and catalogue are written, a few notes at a time.

Every step can be killed and run again: what remains to do is a difference on disk.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from vaultrag.config import Config
from vaultrag.domain import Change, ChangeKind, FileStat, Finding, LinkKind, Note, Progress
from vaultrag.errors import VaultError
from vaultrag.indexing.diff import VaultDiff
from vaultrag.indexing.read import (
    NoteReader,
    ReadNote,
    Recipe,
    UnreadableNote,
    read_all,
    read_and_cut,
    read_and_stem,
    shown_by_embed,
)
from vaultrag.store.database import Database
from vaultrag.store.notes import graph
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import Resolve
from vaultrag.vault.files import FILTERED, IGNORED, SkippedFile
from vaultrag.vault.links import resolve_link

GUARDED_NOTES = 10  # fewer deletions than this are a normal day's work
GUARDED_SHARE = 0.2  # a fifth of a vault gone at once is an unmounted disk or a sync gone wrong more often than a wish
BATCH = 64  # notes a transaction: the keyword index is merged once for all of them
BATCH_SECONDS = 0.5  # of reading: what was read is searchable soon, and a kill loses no more
NAMES_SHOWN = 5  # of files that were left out for one reason; the rest is a number


class DeletionPolicy(StrEnum):
    """What to do when a large part of the vault is gone."""

    GUARD = "guard"
    ACCEPT = "accept"


@dataclass(slots=True)
class Applied:
    """What one run changed, in notes. `relinked` counts links that mean another file now, `unread` failed."""

    added: int = 0
    modified: int = 0
    moved: int = 0
    removed: int = 0
    relinked: int = 0
    unread: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def guard_deletions(diff: VaultDiff, deletions: DeletionPolicy, removed_before: int = 0) -> None:
    """Raise VaultError when so many notes are gone that it is hardly meant, `removed_before` a short while ago."""
    removed = diff.removed + removed_before
    many = diff.removed > 0 and removed >= GUARDED_NOTES and removed > GUARDED_SHARE * (diff.known + removed_before)
    if many and deletions is DeletionPolicy.GUARD:
        before = f", after {removed_before} a short while ago" if removed_before else ""
        raise VaultError(
            f"{diff.removed} of {diff.known} notes are gone from the vault{before}; the index is kept as it was.",
            "Restore them, or run `vaultrag index --accept-deletions` if it was meant.",
        )


def apply_changes(
    config: Config,
    database: Database,
    diff: VaultDiff,
    recipe: Recipe,
    progress: Progress,
    *,
    deletions: DeletionPolicy = DeletionPolicy.GUARD,
) -> Applied:
    """Write the changes into the catalogue, the keyword index and the graph; mentions are owed from then on.

    A note is written whole or not at all. What cannot be read is a finding, and the others go on.
    Raises VaultError by the guard of deletions.
    """
    guard_deletions(diff, deletions)
    ordered = _in_order(diff)
    reader = NoteReader(read_and_stem, config.vault, config.settings.vault.max_note_bytes, recipe)
    to_read = [diff.stats[change.path] for change in ordered if change.kind is not ChangeKind.REMOVED]
    with closing(read_all(reader, to_read)) as reads:
        writer = _Writer(config, Catalog(database), diff, recipe)
        writer.owe_embeds()
        writer.follow_names()
        writer.owe_embeds()  # what appeared is shown where a link to nothing stood
        writer.catalog.touch(diff.touched)
        for done, batch in _batches(ordered, reads):
            progress("notes", done, len(ordered))
            with database.atomic():
                for change, read in batch:
                    writer.apply(change, read)
    writer.read_embeds()
    progress("notes", len(ordered), len(ordered))
    writer.report.findings.extend(_left_out(diff.skipped))
    writer.report.findings.extend(Finding("vault-filters", "warning", said, "") for said in diff.problems)
    return writer.report


_Read: TypeAlias = "tuple[Change, ReadNote | UnreadableNote | None]"


def _batches(
    changes: Sequence[Change], reads: Iterator[ReadNote | UnreadableNote]
) -> Iterator[tuple[int, list[_Read]]]:
    """Yield how many changes came before, and the next ones with what was read of them: reading holds no lock."""
    batch: list[_Read] = []
    began, done = time.monotonic(), 0
    for change in changes:
        batch.append((change, None if change.kind is ChangeKind.REMOVED else next(reads)))
        if len(batch) == BATCH or time.monotonic() - began > BATCH_SECONDS:
            yield done, batch
            done, batch, began = done + len(batch), [], time.monotonic()
    if batch:
        yield done, batch


@dataclass(slots=True)
class _Writer:
    """Applies changes to one catalogue."""

    config: Config
    catalog: Catalog
    diff: VaultDiff
    recipe: Recipe
    report: Applied = field(default_factory=Applied)
    _named: dict[str, list[str]] = field(default_factory=dict)

    @property
    def _embeds(self) -> Embeds:
        return Embeds(self.config, self._stat, self._resolve)

    def follow_names(self) -> None:
        """Bring all links up to the files there are now, before any note is written."""
        if self.diff.appeared or self.diff.vanished:
            self.report.relinked = graph.change_files(
                self.catalog.database, self.diff.appeared, self.diff.vanished, self._resolve
            )

    def apply(self, change: Change, read: ReadNote | UnreadableNote | None) -> None:
        if read is None:
            self.catalog.remove_note(change.path)
            self.report.removed += 1
        elif isinstance(read, UnreadableNote):
            self.report.unread.append(self.diff.stats[change.path].fs_path)
            self.report.findings.append(Finding("note-readable", "warning", read.message, read.remedy))
        else:
            self._write(change, read)
            self.report.added += change.kind is ChangeKind.ADDED
            self.report.modified += change.kind is ChangeKind.MODIFIED
            self.report.moved += change.kind is ChangeKind.MOVED

    def _write(self, change: Change, read: ReadNote) -> None:
        self.catalog.write_note(
            read.note,
            self.diff.stats[change.path],
            read.chunks,
            resolve=self._resolve,
            recipe="" if self._embeds.are_in(read.note) else self.recipe.name,
            old_path=change.old_path,
            stems=read.stems,
        )

    def owe_embeds(self) -> None:
        """Note which notes show something that changes now. A row each, so that a kill in between loses none."""
        changed = [path for change in self.diff.changes for path in (change.path, change.old_path) if path]
        self.catalog.owe_reading(graph.embedding_notes(self.catalog.database, changed))

    def read_embeds(self) -> None:
        """Read the notes with embeds once more, now with what those show; nothing is embedded in what is shown."""
        for path in self.catalog.owed_readings():
            stat = self._stat(path)
            if stat is None:
                continue  # it cannot be read now, and stays owed
            try:
                read = self._embeds.read(stat, self.recipe)
            except VaultError:
                continue  # applying its change said so
            self.catalog.write_note(read.note, stat, read.chunks, resolve=self._resolve, recipe=self.recipe.name)

    def _stat(self, path: str) -> FileStat | None:
        """Return the file of a note as the disk has it, or as the catalogue knows it where it was not looked at."""
        stat = self.diff.stats.get(path)
        if stat is None and (stored := self.catalog.stored_file(path)):
            return stored.stat
        return stat

    def _resolve(self, target: str, source: str) -> str | None:
        return resolve_link(target, source, self._files_named)

    def _files_named(self, name: str) -> Sequence[str]:
        if name not in self._named:
            self._named[name] = graph.files_named(self.catalog.database, name)
        return self._named[name]


@dataclass(frozen=True, slots=True)
class Embeds:
    """What notes show of one another. `find` gives the notes there are."""

    config: Config
    find: Callable[[str], FileStat | None]
    resolve: Resolve

    def are_in(self, note: Note) -> bool:
        """Tell whether a note embeds another one."""
        return any(link.kind is LinkKind.EMBED and self._shown_note(note.path, link.target) for link in note.links)

    def read(self, stat: FileStat, recipe: Recipe) -> ReadNote:
        """Read and cut a note together with what it shows. Raises VaultError."""
        return read_and_cut(self.config.vault, stat, self._max_bytes, recipe, partial(self._shown, stat.path))

    @property
    def _max_bytes(self) -> int:
        return self.config.settings.vault.max_note_bytes

    def _shown(self, source: str, target: str, anchor: str) -> str:
        stat = self._shown_note(source, target)
        return shown_by_embed(self.config.vault, stat, self._max_bytes, anchor) if stat else ""

    def _shown_note(self, source: str, target: str) -> FileStat | None:
        path = self.resolve(target, source) or ""
        return self.find(path) if path.lower().endswith(".md") and path != source else None


def _left_out(skipped: Iterable[SkippedFile]) -> Iterator[Finding]:
    """Say what of the vault was not read, in one finding for each reason; what rules leave out is told by `status`."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for place in skipped:
        if place.reason not in (FILTERED, IGNORED):
            by_reason[place.reason].append(place.path)
    for reason, paths in by_reason.items():
        more = f" and {len(paths) - NAMES_SHOWN} more" if len(paths) > NAMES_SHOWN else ""
        names = ", ".join(paths[:NAMES_SHOWN])
        yield Finding("vault-read", "warning", f"Not read, because {reason}: {names}{more}.", "")


def _in_order(diff: VaultDiff) -> list[Change]:
    """Moves and removals, then what was edited last: it is asked about first, and embedded in this order."""
    return sorted(diff.changes, key=lambda change: _age(diff, change))


def _age(diff: VaultDiff, change: Change) -> tuple[bool, int]:
    read_anew = change.kind in (ChangeKind.ADDED, ChangeKind.MODIFIED)
    return read_anew, -diff.stats[change.path].mtime_ns if read_anew else 0
