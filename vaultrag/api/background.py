"""Long work of the server as events: it runs in a thread of its own, and whoever asked for it sees how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from vaultrag.domain import Progress as OnProgress
from vaultrag.wire import Event, Progress


class Abandoned(Exception):
    """Nobody follows the work any more; raised inside it where it tells its progress."""


def follow(work: Callable[[OnProgress], Event]) -> Iterator[Event]:
    """Yield the progress of `work`, the latest only, then what it returns; what it raises is raised here.

    Closing the iterator ends the work at its next step.
    """
    state = _State()
    threading.Thread(target=_run, args=(work, state), daemon=True).start()
    try:
        while (progress := state.next_progress()) is not None:
            yield progress
    finally:
        state.abandoned = True
    if state.error is not None:
        raise state.error
    if state.result is not None:
        yield state.result


@dataclass(slots=True)
class _State:
    changed: threading.Condition = field(default_factory=threading.Condition)
    progress: Progress | None = None
    result: Event | None = None
    error: BaseException | None = None
    over: bool = False
    abandoned: bool = False
    _shown: Progress | None = None

    def next_progress(self) -> Progress | None:
        """Wait for the next progress; None when the work is over."""
        with self.changed:
            self.changed.wait_for(lambda: self.over or self.progress is not self._shown)
            self._shown = self.progress
            return None if self.over else self.progress


def _run(work: Callable[[OnProgress], Event], state: _State) -> None:
    def note(phase: str, done: int, total: int) -> None:
        if state.abandoned:
            raise Abandoned
        with state.changed:
            state.progress = Progress(phase=phase, done=done, total=total)
            state.changed.notify_all()

    try:
        state.result = work(note)
    except BaseException as error:  # noqa: BLE001  # raised again by whoever follows
        state.error = error
    with state.changed:
        state.over = True
        state.changed.notify_all()
