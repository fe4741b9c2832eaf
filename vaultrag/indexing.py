"""From the vault to the index: the difference between disk and catalogue, then a note at a time.

Every step can be killed and run again: what remains to do is a difference on disk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from vaultrag.config import Config, require_vault
from vaultrag.domain import Change, ChangeKind, FileStat, Finding, LinkKind, Note, Progress
from vaultrag.errors import VaultError
from vaultrag.mentioning import refresh_mentions
from vaultrag.reading import (
    Job,
    ReadNote,
    Recipe,
    Unreadable,
    read_all,
    read_and_cut,
    read_and_stem,
    shown_by_embed,
)
from vaultrag.store import graph
from vaultrag.store.catalog import Catalog, StoredFile
from vaultrag.store.database import Database
from vaultrag.store.exclusions import read_exclusions
from vaultrag.store.graph import Resolve
from vaultrag.vault.files import EXCLUDED, Skipped, note_suffixes, read_note, scan_vault, without
from vaultrag.vault.links import LinkResolver, normalize_path
from vaultrag.vault.parse import content_hash

GUARDED_NOTES = 10  # fewer deletions than this are a normal day's work
GUARDED_SHARE = 0.2  # a fifth of a vault gone at once is an unmounted disk or a sync gone wrong more often than a wish
NAMES_SHOWN = 5  # of files that were left out for one reason; the rest is a number


class DeletionPolicy(StrEnum):
    """What to do when a large part of the vault is gone."""

    GUARD = "guard"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class VaultDiff:
    """The difference between disk and catalogue.

    `touched` were saved again with the same content. `names` are all link targets, `known` the notes indexed before.
    """

    changes: tuple[Change, ...]
    touched: tuple[FileStat, ...]
    stats: Mapping[str, FileStat]
    names: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    known: int

    @property
    def removed(self) -> int:
        return sum(change.kind is ChangeKind.REMOVED for change in self.changes)


@dataclass(slots=True)
class Applied:
    """What one run changed, in notes. `relinked` counts links that mean another file now."""

    added: int = 0
    modified: int = 0
    moved: int = 0
    removed: int = 0
    relinked: int = 0
    findings: list[Finding] = field(default_factory=list)


def diff_vault(config: Config, catalog: Catalog, recipe: Recipe) -> VaultDiff:
    """Compare the disk with the catalogue by size, time and inode; what differs is confirmed by its content.

    Notes that cannot be read now, or lie in such a folder or in the cloud, count as there.
    Raises VaultError when the vault itself is not there.
    """
    require_vault(config)
    exclusions = read_exclusions(catalog.database)
    listing = scan_vault(config.vault, config.settings.vault.ignore, note_suffixes(config.settings.vault))
    listing = without(listing, exclusions.covers) if exclusions else listing
    stats = {stat.path: stat for stat in listing.notes}
    stored = catalog.stored_files()
    added = [stat for stat in listing.notes if stat.path not in stored]
    removed = _vanished(stored, stats, listing.skipped)
    moves = _find_moves(config, added, removed) if removed else {}
    modified, touched = _confirm(config, stats, stored, recipe.name)
    moved_from = set(moves.values())
    changes = (
        *(Change(path, ChangeKind.MOVED, old) for path, old in moves.items()),
        *(Change(path, ChangeKind.REMOVED) for path in removed if path not in moved_from),
        *(Change(stat.path, ChangeKind.ADDED) for stat in added if stat.path not in moves),
        *(Change(path, ChangeKind.MODIFIED) for path in modified),
    )
    return VaultDiff(changes, tuple(touched), stats, tuple(listing.names), tuple(listing.skipped), known=len(stored))


def guard_deletions(diff: VaultDiff, deletions: DeletionPolicy) -> None:
    """Raise VaultError when so many notes are gone that it is hardly meant."""
    many = diff.removed >= GUARDED_NOTES and diff.removed > GUARDED_SHARE * diff.known
    if many and deletions is DeletionPolicy.GUARD:
        raise VaultError(
            f"{diff.removed} of {diff.known} notes are gone from the vault; the index is kept as it was.",
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
    """Write the changes into the catalogue, the keyword index and the graph, one transaction a note.

    What cannot be read is a finding, and the others go on. Raises VaultError by the guard of deletions.
    """
    guard_deletions(diff, deletions)
    ordered = _in_order(diff)
    job = Job(read_and_stem, config.vault, config.settings.vault.max_note_bytes, recipe)
    to_read = [diff.stats[change.path] for change in ordered if change.kind is not ChangeKind.REMOVED]
    with closing(read_all(job, to_read)) as reads:
        writer = _Writer(config, Catalog(database), diff, recipe, reads)
        writer.owe_embeds()
        writer.follow_names()
        writer.owe_embeds()  # what appeared is shown where a link to nothing stood
        writer.catalog.touch(diff.touched)
        for done, change in enumerate(ordered):
            progress("notes", done, len(ordered))
            writer.apply(change)
    writer.read_embeds()
    refresh_mentions(database)
    progress("notes", len(ordered), len(ordered))
    writer.report.findings.extend(_left_out(diff.skipped))
    return writer.report


@dataclass(slots=True)
class _Writer:
    """Applies changes to one catalogue. `reads` brings the notes in the order of the changes that need one."""

    config: Config
    catalog: Catalog
    diff: VaultDiff
    recipe: Recipe
    reads: Iterator[ReadNote | Unreadable]
    report: Applied = field(default_factory=Applied)
    _resolver: LinkResolver | None = None

    @property
    def _embeds(self) -> Embeds:
        return Embeds(self.config, self.diff.stats, self._resolve)

    def follow_names(self) -> None:
        """Bring all links up to the files there are now, before any note is written."""
        database = self.catalog.database
        known, now = graph.known_files(database), set(self.diff.names)
        if known != now:
            self.report.relinked = graph.change_files(database, now - known, known - now, self._resolve)

    def apply(self, change: Change) -> None:
        match change.kind:
            case ChangeKind.REMOVED:
                self.catalog.remove_note(change.path)
                self.report.removed += 1
            case ChangeKind.ADDED:
                self.report.added += self._write(change)
            case ChangeKind.MODIFIED:
                self.report.modified += self._write(change)
            case ChangeKind.MOVED:
                self.report.moved += self._write(change)

    def _write(self, change: Change) -> bool:
        """Write the next note that was read; return whether it could be read."""
        read = next(self.reads)
        if isinstance(read, Unreadable):
            self.report.findings.append(Finding("note-readable", "warning", read.message, read.remedy))
            return False
        self.catalog.write_note(
            read.note,
            self.diff.stats[change.path],
            read.chunks,
            resolve=self._resolve,
            recipe="" if self._embeds.are_in(read.note) else self.recipe.name,
            old_path=change.old_path,
            stems=read.stems,
        )
        return True

    def owe_embeds(self) -> None:
        """Note which notes show something that changes now. A row each, so that a kill in between loses none."""
        changed = [path for change in self.diff.changes for path in (change.path, change.old_path) if path]
        self.catalog.owe_reading(graph.embedding_notes(self.catalog.database, changed))

    def read_embeds(self) -> None:
        """Read the notes with embeds once more, now with what those show; nothing is embedded in what is shown."""
        for path in self.catalog.owed_readings():
            stat = self.diff.stats.get(path)
            if stat is None:
                continue  # it cannot be read now, and stays owed
            try:
                read = self._embeds.read(stat, self.recipe)
            except VaultError:
                continue  # applying its change said so
            self.catalog.write_note(read.note, stat, read.chunks, resolve=self._resolve, recipe=self.recipe.name)

    def _resolve(self, target: str, source: str) -> str | None:
        if self._resolver is None:
            self._resolver = LinkResolver(self.diff.names)
        return self._resolver.resolve(target, source)


@dataclass(frozen=True, slots=True)
class Embeds:
    """What notes show of one another. `stats` are the notes there are."""

    config: Config
    stats: Mapping[str, FileStat]
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
        return self.stats.get(path) if path.lower().endswith(".md") and path != source else None


def _left_out(skipped: Iterable[Skipped]) -> Iterator[Finding]:
    """Say what of the vault was not read, in one finding for each reason; what the settings exclude is no news."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for place in skipped:
        if place.reason != EXCLUDED:
            by_reason[place.reason].append(place.path)
    for reason, paths in by_reason.items():
        more = f" and {len(paths) - NAMES_SHOWN} more" if len(paths) > NAMES_SHOWN else ""
        names = ", ".join(paths[:NAMES_SHOWN])
        yield Finding("vault-read", "warning", f"Not read, because {reason}: {names}{more}.", "")


def _vanished(
    stored: Mapping[str, StoredFile], stats: Mapping[str, FileStat], skipped: Sequence[Skipped]
) -> dict[str, StoredFile]:
    there = [normalize_path(place.path) + "/" * place.path.endswith("/") for place in skipped if place.is_there]
    folders, files = tuple(path for path in there if path.endswith("/")), frozenset(there)
    return {
        path: file
        for path, file in stored.items()
        if path not in stats and path not in files and not (folders and path.startswith(folders))
    }


def _find_moves(config: Config, added: Iterable[FileStat], removed: Mapping[str, StoredFile]) -> dict[str, str]:
    """Pair files that appeared with notes that vanished, by content; return {new path: old path}."""
    by_hash: defaultdict[str, list[str]] = defaultdict(list)
    for path, file in removed.items():
        by_hash[file.content_hash].append(path)
    moves: dict[str, str] = {}
    for stat in added:
        candidates = by_hash.get(_hash_of(config, stat) or "", [])
        if candidates:
            old = max(candidates, key=lambda path: _likeness(removed[path].stat, stat))
            candidates.remove(old)
            moves[stat.path] = old
    return moves


def _likeness(old: FileStat, new: FileStat) -> tuple[bool, bool]:
    return old.inode == new.inode, old.path.rpartition("/")[2] == new.path.rpartition("/")[2]


def _confirm(
    config: Config, stats: Mapping[str, FileStat], stored: Mapping[str, StoredFile], recipe: str
) -> tuple[list[str], list[FileStat]]:
    """Return the notes whose content or recipe changed, and those that were only saved again."""
    modified: list[str] = []
    touched: list[FileStat] = []
    for path, stat in stats.items():
        file = stored.get(path)
        if file is None:
            continue
        if file.recipe != recipe:
            modified.append(path)
        elif file.stat != stat:
            if _hash_of(config, stat) == file.content_hash:
                touched.append(stat)
            else:
                modified.append(path)
    return modified, touched


def _hash_of(config: Config, stat: FileStat) -> str | None:
    try:
        return content_hash(read_note(config.vault, stat, config.settings.vault.max_note_bytes))
    except VaultError:
        return None  # applying the change meets the same error and reports it


def _in_order(diff: VaultDiff) -> list[Change]:
    """Moves and removals, then what was edited last: it is asked about first, and embedded in this order."""
    return sorted(diff.changes, key=lambda change: _age(diff, change))


def _age(diff: VaultDiff, change: Change) -> tuple[bool, int]:
    read_anew = change.kind in (ChangeKind.ADDED, ChangeKind.MODIFIED)
    return read_anew, -diff.stats[change.path].mtime_ns if read_anew else 0
