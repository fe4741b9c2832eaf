"""Writing the trace of a longer answer while it is worked at. A trace that cannot be written keeps no answer back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vaultrag.config import Config
from vaultrag.domain import StepTaken
from vaultrag.errors import StoreError
from vaultrag.records.archive import open_for_records
from vaultrag.store.database import Access, Database
from vaultrag.store.exclusions import Exclusions, read_exclusions
from vaultrag.store.traces import END, add_step, begin_trace, delete_traces, trace_paths
from vaultrag.text.inert import inert

STOPPED = "stopped"
"""The step of a trace whose answer nobody waits for any more."""


@dataclass(slots=True)
class TraceWriter:
    """The trace of one answer. `problem` says why it could not be written, as a sentence; then nothing more is."""

    database: Database | None = None
    id: str = ""
    problem: str = ""
    ended: bool = False

    def add(self, step: str, detail: str = "", paths: Iterable[str] = ()) -> StepTaken:
        """Write a step, and the notes that it speaks of. Of a note that was forgotten meanwhile no trace is kept.

        What a model wrote of it is inert.
        """
        taken = StepTaken(step, inert(detail))
        if self.database is not None and self.id and not self.problem:
            try:
                with self.database.atomic():
                    named = list(paths)
                    if any(map(read_exclusions(self.database).covers, named)):
                        delete_traces(self.database, [self.id])
                    add_step(self.database, self.id, taken, named)
            except StoreError as error:
                self.problem = error.message
        return taken

    def end(self, detail: str = "", paths: Iterable[str] = ()) -> StepTaken:
        """Write the last step."""
        self.ended = True
        return self.add(END, detail, paths)

    def stop(self, why: str) -> None:
        """Write why it goes no further, unless it has come to its end."""
        if not self.ended:
            self.add(STOPPED, why)


@contextlib.contextmanager
def writing_trace(config: Config, database: Database, question: str, mode: str, key: str = "") -> Iterator[TraceWriter]:
    """Begin a trace in the index, anew where one has this key; where it is open to read only, by another connection."""
    with contextlib.ExitStack() as stack:
        writer = TraceWriter()
        try:
            if database.access is not Access.WRITE:
                database = stack.enter_context(open_for_records(config))
            writer.database, writer.id = database, begin_trace(database, question, mode, key)
        except StoreError as error:
            writer.problem = error.message
        yield writer


def traces_about(database: Database, exclusions: Exclusions) -> list[str]:
    """Return the ids of the traces that speak of a forgotten note."""
    return [key for key, paths in trace_paths(database).items() if any(map(exclusions.covers, paths))]


def erase_traces(database: Database, exclusions: Exclusions) -> None:
    """Delete the traces that speak of what is forgotten."""
    keys: Sequence[str] = traces_about(database, exclusions)
    if keys:
        delete_traces(database, keys)
