"""The vault opened in this process, with the methods of `Client`: for when no server runs."""

from __future__ import annotations

from contextlib import closing
from datetime import date

from vaultrag import wire
from vaultrag.config import Config
from vaultrag.domain import NOT_KEPT, USUAL, History, Keep, Manner, Progress, SearchResult
from vaultrag.errors import IndexDamaged, IndexLocked
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.maintenance.repair import mend_file
from vaultrag.retrieval.filters import parse_scope
from vaultrag.store.notes.filters import allowed_rows
from vaultrag.workspace import Ownership, Reach, Workspace
from vaultrag.workspace.histories import Histories


class Local:
    """One workspace, its values turned into their JSON models."""

    def __init__(self, config: Config, access: Ownership) -> None:
        self._workspace = Workspace.open(config, access)

    def search(self, query: str, k: int, reach: str) -> wire.SearchResult:
        return wire.SearchResult.of(self._workspace.search(query, k, Reach(reach)))

    def ask(self, question: str, keep: Keep = NOT_KEPT, manner: Manner = USUAL) -> wire.Events:
        """Yield the events of an answer. Closing the iterator aborts it."""
        with closing(self._workspace.ask(question, keep, manner)) as answering:
            for event in answering:
                yield wire.answer_event(event)

    def history(self, subject: str, scope: str, today: date, day: str) -> History:
        """Return how something changed, by words and meaning. Raises UsageError where nothing is told of it."""
        opened = self._workspace
        allowed = allowed_rows(opened.database, parse_scope(scope)) if scope else None

        def search(words: str, count: int) -> SearchResult:
            return opened.search(f"{scope} {words}".strip(), count)

        return Histories(opened.database, search, lambda: opened.vectors.embedder()[0], today, allowed).of(subject, day)

    def index(self, deletions: str, progress: Progress) -> wire.IndexReport:
        return wire.IndexReport.of(self._workspace.index(progress, DeletionPolicy(deletions)))

    def forget(self, path: str, progress: Progress) -> wire.Forgotten:
        return wire.Forgotten.of(self._workspace.forgetting.forget(path, progress))

    def check(self) -> wire.Findings:
        return wire.Findings.of(self._workspace.upkeep.check())

    def check_deep(self, progress: Progress) -> wire.Findings:
        return wire.Findings.of(self._workspace.upkeep.check_deep(progress))

    def close(self) -> None:
        self._workspace.close()


def open_for_reading(config: Config) -> Local:
    return Local(config, Ownership.READ)


def open_as_owner(config: Config) -> Local:
    """Raises IndexLocked while another process owns the index."""
    return Local(config, Ownership.OWN)


def open_to_check(config: Config) -> Local:
    """Open as owner, who can look at everything; to read while another process owns the index.

    Raises IndexMissing before the first index run.
    """
    if not config.database_path.is_file():
        return open_for_reading(config)
    try:
        return open_as_owner(config)
    except IndexLocked:
        return open_for_reading(config)


def repair(config: Config, progress: Progress) -> wire.RepairReport:
    """Repair the index: its file as a whole where need be, then what is in it. Raises IndexLocked."""
    mended = mend_file(config, progress)
    try:
        with closing(Workspace.open(config, Ownership.OWN)) as workspace:
            return wire.RepairReport.of(workspace.upkeep.repair(progress, mended))
    except IndexDamaged as error:  # what no look at the file as a whole has found
        mended = [*mended, *mend_file(config, progress, error.message)]
    with closing(Workspace.open(config, Ownership.OWN)) as workspace:
        return wire.RepairReport.of(workspace.upkeep.repair(progress, mended))
