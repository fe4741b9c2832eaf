"""Forgetting: every trace of a note or folder goes from the home, and it is left out from then on.

The exclusion is written first; all the rest follows from it, so that a forgetting that was killed is finished by the
next one, by the next index run, or by whoever owns the index next. The vault itself is never touched.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from vaultrag.config import LOG_NAME, START_LOG_NAME, Config
from vaultrag.domain import Forgotten, Progress
from vaultrag.errors import UsageError, VaultError
from vaultrag.indexing.mentions import refresh_mentions
from vaultrag.records.analyses import AnalysisArchive
from vaultrag.records.archive import Archive, paths_spoken_of, records_about
from vaultrag.records.night_reports import erase_nights, nights_about
from vaultrag.records.queue import JobQueue, jobs_about
from vaultrag.records.tracing import erase_traces
from vaultrag.store.database import Database
from vaultrag.store.errors import translated
from vaultrag.store.exclusions import Exclusions, exclude, include, read_exclusions
from vaultrag.store.integrity.check_home import SET_ASIDE, leftovers, remove
from vaultrag.store.integrity.erase import compact, drop_chroma, drop_orphans
from vaultrag.store.night.living import keep_fates_of
from vaultrag.store.notes import graph
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.keywords import rebuild_keywords
from vaultrag.store.records import FORGET_OWED, Kind
from vaultrag.text.paths import normalize_path
from vaultrag.vault.links import resolve_link
from vaultrag.vault.naming import find_note


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What forgetting takes besides the index.

    Inside `quiet` nobody else writes or embeds; `reread` brings the index up to the vault; `let_go` ends whatever has
    Chroma or a prompt open.
    """

    config: Config
    database: Database
    quiet: Callable[[], AbstractContextManager[None]]
    reread: Callable[[], None]
    let_go: Callable[[], None]

    def preview(self, written: str) -> Forgotten:
        """Say what forgetting a note or folder would remove, and what it would leave elsewhere. Raises UsageError."""
        return preview(self.config, self.database, find_target(self.config, self.database, written))

    def forget(self, written: str, progress: Progress) -> Forgotten:
        """Remove every trace of a note or folder, and leave it out from now on. The vault is not touched.

        Raises UsageError for what neither index, vault nor answers know, IndexLocked while somebody reads.
        """
        with self.quiet():
            found = self.preview(written)
            exclude(self._archive.book, found.path)
            self._finish(progress)
            return found

    def finish_owed(self, progress: Progress) -> None:
        """Finish what a kill interrupted, and what an import of exclusions asks for."""
        if is_owed(self.database):
            with self.quiet():
                self._finish(progress)

    def undo(self, written: str) -> str:
        """Let a note or folder back in, and return its path; the next index run reads it. Raises UsageError."""
        return undo(self.config, self.database, written)

    def _finish(self, progress: Progress) -> None:
        """Remove what is left of everything that is excluded. Can be killed anywhere and run again."""
        exclusions = read_exclusions(self.database)
        steps: tuple[Callable[[], None], ...] = (
            lambda: self._erase_records(exclusions),
            lambda: self._remove_notes(exclusions),
            self._settle_names,
            self._rewrite_words,
            lambda: compact(self.database),
            self._remove_files,
        )
        for done, step in enumerate(steps):
            progress("forgetting", done, len(steps))
            step()
        with self.database.atomic():
            self.database.clear_meta(FORGET_OWED)
        progress("forgetting", len(steps), len(steps))

    @property
    def _archive(self) -> Archive:
        return Archive(self.config, self.database)

    def _erase_records(self, exclusions: Exclusions) -> None:
        self._archive.follow_moves()
        AnalysisArchive(self.config, self.database).erase_files(exclusions)
        JobQueue(self.config, self.database).erase(exclusions)
        self._archive.book.erase(records_about(self.database, exclusions))
        kept = AnalysisArchive(self.config, self.database)
        keep_fates_of(self.database, {saved.id for saved in self._archive.answers()} | {one.id for one in kept.all()})
        erase_traces(self.database, exclusions)
        erase_nights(self.config, self.database, exclusions)

    def _remove_notes(self, exclusions: Exclusions) -> None:
        """Take the notes out, and have those read again that show something of them."""
        database, catalog = self.database, Catalog(self.database)
        notes = [path for path in graph.note_paths(database) if exclusions.covers(path)]
        files = [path for path in graph.known_files(database) if exclusions.covers(path)]
        with database.atomic():
            catalog.owe_reading(path for path in graph.embedding_notes(database, files) if path not in set(notes))
            for path in notes:
                catalog.remove_note(path)
            graph.change_files(database, (), files, self._resolve)
        with contextlib.suppress(VaultError):
            self.reread()
        for path in catalog.owed_readings():
            catalog.remove_note(path)  # it cannot be read now, and may show what is forgotten; it comes back later

    def _settle_names(self) -> None:
        """Look for mentions: until that is done, the names that are gone are kept to be looked for."""
        refresh_mentions(self.database)

    def _rewrite_words(self) -> None:
        drop_orphans(self.database)
        rebuild_keywords(self.database)

    def _remove_files(self) -> None:
        """Remove what is derived or disposable: Chroma, states of models, logs, what repairs and kills left."""
        self.let_go()
        home = self.config.home
        drop_chroma(self.database, self.config.chroma_path)
        remove([*leftovers(home), *(path for path in (self.config.states_path, home / SET_ASIDE) if path.exists())])
        with translated(home):
            for log in (LOG_NAME, START_LOG_NAME):
                _empty(home / log)
                remove(sorted(home.glob(f"{log}.*")))

    def _resolve(self, target: str, source: str) -> str | None:
        return resolve_link(target, source, lambda name: graph.files_named(self.database, name))


def is_owed(database: Database) -> bool:
    """Tell whether something excluded may have left traces."""
    return database.meta(FORGET_OWED) is not None


def undo(config: Config, database: Database, written: str) -> str:
    """Let a note or folder back in; return its path. The next index run reads it. Raises UsageError."""
    book = Archive(config, database).book
    path, exclusions = _inside(config, written), read_exclusions(database)
    for spelling in (path, f"{path}/"):
        if include(book, spelling):
            return spelling
    if exclusions.covers(path):
        raise UsageError(f"{path} lies in a folder that is forgotten.", "Name that folder.")
    forgotten = [name for name in _names_in(config.vault) if exclusions.names(name)]
    if not forgotten:
        raise UsageError(f"“{written}” is not forgotten.", "Give the whole path that it was forgotten by.")
    found = find_note(forgotten, written)
    include(book, found)
    return found


def find_target(config: Config, database: Database, written: str) -> str:
    """Return the path that is meant, with a `/` at the end of a folder's. Raises UsageError."""
    path = _inside(config, written)
    if not path:
        raise UsageError("That is the whole vault.", f"To forget it all, delete the home {config.home}.")
    if Catalog(database).stored_file(path):
        return path
    exclusions = read_exclusions(database)
    if os.path.isdir(config.vault / path) or graph.known_files(database, [path]) - {path}:
        return f"{path}/"
    if exclusions.covers(f"{path}/") and not exclusions.covers(path):
        return f"{path}/"
    if os.path.lexists(config.vault / path) or exclusions.covers(path):
        return path
    spoken_of = paths_spoken_of(database)  # of notes that are gone, answers may still tell
    if any(name.startswith(f"{path}/") for name in spoken_of):
        return f"{path}/"
    return find_note(sorted({*graph.note_paths(database), *spoken_of}), written)


def preview(config: Config, database: Database, path: str) -> Forgotten:
    """Return what forgetting a note or folder would remove, and what it would leave elsewhere."""
    places, target = [path.rstrip("/")], Exclusions.of(path)
    notes = [note for note in Catalog(database).stored_files(places) if target.covers(note)]
    files = [name for name in graph.known_files(database, places) if target.covers(name)]
    ids = list(Catalog(database).note_ids(notes).values())
    kinds = [kind for kind, _ in records_about(database, target)]
    reports = [Path(night.report) for night in nights_about(database, target) if night.report]
    analyses = [Path(one.place) for one in AnalysisArchive(config, database).about(target)]
    elsewhere = [place for place in analyses if place.parent != config.analysed_path and place.exists()]
    kept_here = [report for report in reports if config.nights_path in report.parents]
    return Forgotten(
        path=path,
        notes=len(notes),
        passages=Catalog(database).chunk_count(ids),
        answers=kinds.count(Kind.ANSWER),
        verdicts=kinds.count(Kind.VERDICT),
        links=graph.link_count(database, files, ids),
        remaining=_files_at(config.vault / path),
        jobs=len(jobs_about(database, target)),
        nights=len(kept_here),
        reports=(
            *(str(report) for report in reports if report not in kept_here and report.exists()),
            *map(str, elsewhere),
        ),
        analyses=len(analyses),
    )


def _inside(config: Config, written: str) -> str:
    """Return a path relative to the vault, as it was written or from the root of the file system."""
    place = Path(written).expanduser()
    if place.is_absolute():
        if not place.is_relative_to(config.vault):
            raise UsageError(f"{written} does not lie in the vault {config.vault}.", "Name a note or folder of it.")
        written = str(place.relative_to(config.vault))
    path = normalize_path(os.path.normpath(written)) if written.strip() else ""
    if path.split("/")[0] == "..":
        raise UsageError(f"{written} does not lie in the vault {config.vault}.", "Name a note or folder of it.")
    return "" if path == "." else path


def _names_in(vault: Path) -> Iterator[str]:
    for folder, _, names in os.walk(vault):
        for name in names:
            yield normalize_path(os.path.relpath(os.path.join(folder, name), vault))


def _files_at(place: Path) -> int:
    if place.is_dir():
        return sum(len(names) for _, _, names in os.walk(place))
    return int(os.path.lexists(place))


def _empty(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.truncate(path, 0)  # a server that writes to it goes on at the new end
