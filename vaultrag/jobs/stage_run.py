"""What a stage of a night works with, and what it tells of its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from vaultrag.jobs.runs import JobRun
from vaultrag.store.notes.open_tasks import day_named_notes
from vaultrag.store.vectors.near_notes import NearNotes, linked_pairs, near_notes
from vaultrag.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StageStep:
    """What a stage has committed: so many things, at a cost of so many tokens, with so many `left`."""

    done: int = 1
    left: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class StageRun:
    """What a stage works with. `must_stop` says when its share of the night is over, or somebody wants it to end."""

    workspace: Workspace
    run: JobRun
    now: datetime
    must_stop: Callable[[], bool]

    @cached_property
    def near(self) -> NearNotes | None:
        return near_notes(self.workspace.database, self.workspace.vectors.fingerprint)

    @cached_property
    def linked(self) -> set[tuple[int, int]]:
        return linked_pairs(self.workspace.database)

    @cached_property
    def day_named(self) -> frozenset[int]:
        return day_named_notes(self.workspace.database)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its share of the time that is left, what it does, and the kinds of findings that a report has of it.

    `work` yields after each thing that it has committed; there it can be left. Raises VaultragError where it fails.
    """

    name: str
    share: float
    work: Callable[[StageRun], Iterator[StageStep]]
    kinds: tuple[str, ...] = ()
