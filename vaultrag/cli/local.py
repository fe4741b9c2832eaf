"""The vault opened in this process, with the methods of `Client`: for when no server runs."""

from __future__ import annotations

from contextlib import closing

from vaultrag import wire
from vaultrag.config import Config
from vaultrag.domain import Progress
from vaultrag.indexing import DeletionPolicy
from vaultrag.workspace import Access, Reach, Workspace


class Local:
    """One workspace, its values turned into their JSON models."""

    def __init__(self, config: Config, access: Access) -> None:
        self._workspace = Workspace.open(config, access)

    def search(self, query: str, k: int, reach: str) -> wire.SearchResult:
        return wire.SearchResult.of(self._workspace.search(query, k, Reach(reach)))

    def ask(self, question: str) -> wire.Events:
        """Yield the events of an answer. Closing the iterator aborts it."""
        with closing(self._workspace.ask(question)) as answering:
            for event in answering:
                yield wire.answer_event(event)

    def index(self, deletions: str, progress: Progress) -> wire.IndexReport:
        return wire.IndexReport.of(self._workspace.index(progress, DeletionPolicy(deletions)))

    def check(self) -> wire.Findings:
        return wire.Findings.of(self._workspace.check())

    def close(self) -> None:
        self._workspace.close()


def open_for_reading(config: Config) -> Local:
    return Local(config, Access.READ)


def open_as_owner(config: Config) -> Local:
    """Raises IndexLocked while another process owns the index."""
    return Local(config, Access.OWN)
