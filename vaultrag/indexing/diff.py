"""The difference between the vault as it lies on disk and the catalogue: of all of it, or of some places only."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vaultrag.config import Config, require_vault
from vaultrag.domain import Change, ChangeKind, FileStat
from vaultrag.errors import VaultError
from vaultrag.indexing.read import Recipe
from vaultrag.store.exclusions import read_exclusions
from vaultrag.store.notes import graph
from vaultrag.store.notes.catalog import Catalog, StoredFile
from vaultrag.store.notes.within import EVERYWHERE
from vaultrag.text.paths import normalize_path
from vaultrag.vault.files import COPY, COPY_STARTS, SkippedFile, note_suffixes, read_note, scan_vault, without
from vaultrag.vault.parsing.parse import content_hash


@dataclass(frozen=True, slots=True)
class VaultDiff:
    """The difference between disk and catalogue, at the places that were compared.

    `touched` were saved again with the same content; `appeared` and `vanished` are files that links can name.
    `problems` says which filters were left out, `known` how many notes the catalogue holds in all.
    """

    changes: tuple[Change, ...]
    touched: tuple[FileStat, ...]
    stats: Mapping[str, FileStat]
    appeared: tuple[str, ...]
    vanished: tuple[str, ...]
    skipped: tuple[SkippedFile, ...]
    problems: tuple[str, ...]
    known: int

    @property
    def removed(self) -> int:
        return sum(change.kind is ChangeKind.REMOVED for change in self.changes)

    def without(self, paths: Collection[str]) -> VaultDiff:
        """Return the difference as if nothing had happened to these notes."""
        return replace(self, changes=tuple(change for change in self.changes if change.path not in paths))

    def without_removals(self) -> VaultDiff:
        """Return the difference as if nothing were gone."""
        return replace(
            self,
            changes=tuple(change for change in self.changes if change.kind is not ChangeKind.REMOVED),
            vanished=(),
        )


def diff_vault(config: Config, catalog: Catalog, recipe: Recipe) -> VaultDiff:
    """Compare the disk with the catalogue by size, time and inode; what differs is confirmed by its content.

    Notes that cannot be read now, or lie in such a folder or in the cloud, count as there.
    Raises VaultError when the vault itself is not there.
    """
    return _diff(config, catalog, recipe, EVERYWHERE)


def diff_paths(config: Config, catalog: Catalog, recipe: Recipe, places: Iterable[str]) -> VaultDiff:
    """Compare only these files and folders (as the disk spells them, relative to the vault), as `diff_vault` does.

    The work is in proportion to what lies there, whatever the size of the vault.
    """
    return _diff(config, catalog, recipe, _outermost(_with_copies(config.vault, catalog, places)))


def _diff(config: Config, catalog: Catalog, recipe: Recipe, places: Sequence[str]) -> VaultDiff:
    require_vault(config)
    keys = sorted({normalize_path(place) for place in places})
    stored = catalog.stored_files(keys)
    listing = scan_vault(
        config.vault,
        config.settings.vault.ignore,
        note_suffixes(config.settings.vault),
        _with_spellings(places, stored),
    )
    exclusions = read_exclusions(catalog.database)
    listing = without(listing, exclusions.covers) if exclusions else listing
    stats = {stat.path: stat for stat in listing.notes}
    added = [stat for stat in listing.notes if stat.path not in stored]
    removed = {path: stored[path] for path in _vanished(stored.keys() - stats.keys(), listing.skipped)}
    if removed:
        require_vault(config)  # was it unmounted while we looked?
    elsewhere = {} if "" in keys else _gone_elsewhere(config, catalog, added, stored)
    moves = _find_moves(config, added, removed | elsewhere) if removed or elsewhere else {}
    modified, touched = _confirm(config, stats, stored, recipe.name)
    moved_from = set(moves.values())
    changes = (
        *(Change(path, ChangeKind.MOVED, old) for path, old in moves.items()),
        *(Change(path, ChangeKind.REMOVED) for path in removed if path not in moved_from),
        *(Change(stat.path, ChangeKind.ADDED) for stat in added if stat.path not in moves),
        *(Change(path, ChangeKind.MODIFIED) for path in modified),
    )
    known, now = graph.known_files(catalog.database, keys), set(listing.names)
    return VaultDiff(
        changes=changes,
        touched=tuple(touched),
        stats=stats,
        appeared=tuple(sorted(now - known)),
        vanished=(*_vanished(known - now, listing.skipped), *sorted(moved_from & elsewhere.keys())),
        skipped=tuple(listing.skipped),
        problems=tuple(listing.problems),
        known=len(stored) if "" in keys or not removed else catalog.note_count(),
    )


def _gone_elsewhere(
    config: Config, catalog: Catalog, added: Iterable[FileStat], stored: Mapping[str, StoredFile]
) -> dict[str, StoredFile]:
    """Return notes that lay at other places with the content of one that appeared, and are not there any more.

    Of a file moved into a new folder, the news that it left may come after the news that it arrived.
    """
    return {
        path: file
        for stat in added
        for path, file in catalog.files_with_content(_hash_of(config, stat) or "").items()
        if path not in stored and not os.path.lexists(config.vault / file.stat.fs_path)
    }


def _with_copies(vault: Path, catalog: Catalog, places: Iterable[str]) -> list[str]:
    """Add to each note its near namesakes, as `Note 2.md` to `Note.md`: whether one is a copy depends on the other."""
    found = set(places)
    for place in list(found):
        if place.lower().endswith(".md"):
            found.update(other for other in _namesakes(catalog, place) if os.path.lexists(vault / other))
    return sorted(found)


def _namesakes(catalog: Catalog, place: str) -> Iterator[str]:
    if copy := COPY.fullmatch(place):
        yield f"{copy['name']}{copy['suffix']}"
    stem = normalize_path(place[: -len(".md")])
    for start in COPY_STARTS:
        end = f"{start[:-1]}{chr(ord(start[-1]) + 1)}"
        others = graph.files_between(catalog.database, f"{stem}{start}", f"{stem}{end}")
        yield from filter(COPY.fullmatch, others)


def _with_spellings(places: Sequence[str], stored: Mapping[str, StoredFile]) -> list[str]:
    """Add the places that these notes had on disk, where only Unicode normalisation tells them apart."""
    hinted = set(places)
    if "" in hinted:
        return [""]
    return [*places, *(file.stat.fs_path for file in stored.values() if not _covers(hinted, file.stat.fs_path))]


def _outermost(places: Iterable[str]) -> list[str]:
    """Leave out what lies in another of the places: nothing is looked at twice."""
    whole = set(places)
    return sorted(place for place in whole if not _covers(whole, place.rpartition("/")[0]))


def _covers(places: Collection[str], path: str) -> bool:
    """Tell whether a path, or a folder above it, is one of the places."""
    while path:
        if path in places:
            return True
        path = path.rpartition("/")[0]
    return False


def _vanished(missing: Iterable[str], skipped: Sequence[SkippedFile]) -> list[str]:
    """Return those of the missing paths that are gone, and not only unreadable now; sorted."""
    there = [normalize_path(place.path) + "/" * place.path.endswith("/") for place in skipped if place.is_there]
    folders, files = tuple(path for path in there if path.endswith("/")), frozenset(there)
    return sorted(path for path in missing if path not in files and not (folders and path.startswith(folders)))


def _find_moves(config: Config, added: Iterable[FileStat], removed: Mapping[str, StoredFile]) -> dict[str, str]:
    """Pair files that appeared with notes that vanished; return {new path: old path}.

    A file that a rename took along, unchanged, is known by its inode; of all others the content is read.
    """
    by_file = {_identity(file.stat): path for path, file in removed.items()}
    by_hash: defaultdict[str, list[str]] = defaultdict(list)
    for path, file in removed.items():
        by_hash[file.content_hash].append(path)
    moves: dict[str, str] = {}
    for stat in added:
        old = by_file.pop(_identity(stat), None) or _likeliest(
            by_hash.get(_hash_of(config, stat) or "", []), removed, stat
        )
        if old is not None:
            moves[stat.path] = old
            by_file.pop(_identity(removed[old].stat), None)
            by_hash[removed[old].content_hash].remove(old)
    return moves


def _identity(stat: FileStat) -> tuple[int, int, int]:
    return stat.inode, stat.size, stat.mtime_ns


def _likeliest(candidates: Sequence[str], removed: Mapping[str, StoredFile], stat: FileStat) -> str | None:
    return max(candidates, key=lambda path: _likeness(removed[path].stat, stat), default=None)


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
