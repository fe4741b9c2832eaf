"""`vaultrag watch`: the index follows the vault from this terminal, a line for each change set."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass

from vaultrag import wire
from vaultrag.cli.client import server_health
from vaultrag.cli.progress import Bars
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import Attention, Finding, counted
from vaultrag.errors import IndexLocked
from vaultrag.indexing.apply import Applied
from vaultrag.indexing.update import UpdateResult
from vaultrag.jobs.follow import Follower, Step
from vaultrag.store.attention import DELETIONS_HELD
from vaultrag.store.endpoint import Endpoint
from vaultrag.workspace import Ownership, Workspace

END_FIRST = " End this command before that (Ctrl-C): it owns the index."


def follow_vault(config: Config, terminal: Terminal) -> None:
    """Follow the vault until Ctrl-C, unless a server does. Raises IndexLocked when another command owns the index."""
    running = server_health(config)
    if running is not None:
        _hand_over(terminal, *running)
        return
    _show_notes_of_the_watch(terminal)
    with Bars(terminal) as bars, closing(Workspace.open(config, Ownership.OWN)) as workspace:
        follower = Follower(workspace, bars.show, _Teller(terminal).tell)
        terminal.note(f"Following {config.vault}. Ctrl-C ends it; what is unfinished then goes on the next time.")
        try:
            follower.run()
        finally:
            follower.close()


class _Notes(logging.Handler):
    """Shows on a terminal what a server would write into its log."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.WARNING)
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        self._terminal.note(f"{record.getMessage()}.")


def _show_notes_of_the_watch(terminal: Terminal) -> None:
    """Say how the vault is watched; errors of following are told by each step."""
    logging.getLogger("vaultrag.watch").addHandler(_Notes(terminal))
    logging.getLogger("vaultrag.following").addHandler(logging.NullHandler())


def _hand_over(terminal: Terminal, endpoint: Endpoint, health: wire.Health) -> None:
    if health.watching:
        terminal.note(f"The server on {endpoint.url} (process {endpoint.pid}) follows the vault already.")
        return
    raise IndexLocked(
        f"The server on {endpoint.url} (process {endpoint.pid}) owns the index and is set not to follow the vault.",
        "Set `watch.mode` to `auto` and restart it, or end it: vaultrag serve --stop.",
    )


@dataclass(slots=True)
class _Teller:
    """Prints what became of each change set; what stays as it was is said once."""

    terminal: Terminal
    _attention: Attention | None = None
    _error: str = ""
    _findings: frozenset[Finding] = frozenset()

    def tell(self, step: Step) -> None:
        if self.terminal.json:
            self.terminal.print_line(shape(step))
        elif step.error is not None and step.error.message != self._error:
            self.terminal.warn(f"{step.error.message} {step.error.remedy}")
        elif step.followed is not None:
            self._tell_of(step, step.followed)
        self._error = step.error.message if step.error else ""

    def _tell_of(self, step: Step, followed: UpdateResult) -> None:
        if step.is_news:
            self.terminal.print(f"{time.strftime('%H:%M:%S')}  {_counts(followed.applied)}, {step.seconds:.2f} s")
        found = frozenset(followed.applied.findings)
        for finding in followed.applied.findings:
            if finding not in self._findings:
                self.terminal.note(f"{finding.detail} {finding.remedy}")
        self._findings = found if step.changes.reason else self._findings | found
        self._tell_attention(followed.attention)

    def _tell_attention(self, attention: Attention | None) -> None:
        if attention is not None and attention != self._attention:
            self.terminal.warn(
                f"{attention.message} {attention.remedy}{END_FIRST * (attention.kind == DELETIONS_HELD)}"
            )
        elif attention is None and self._attention is not None:
            self.terminal.note("Nothing is held back any more.")
        self._attention = attention


def shape(step: Step) -> wire.FollowedSet:
    """Return what became of a change set, as JSON has it."""
    applied = step.followed.applied if step.followed else None
    attention = step.followed.attention if step.followed else None
    return wire.FollowedSet(
        places=len(step.changes.places),
        reason=step.changes.reason,
        added=applied.added if applied else 0,
        modified=applied.modified if applied else 0,
        moved=applied.moved if applied else 0,
        removed=applied.removed if applied else 0,
        relinked=applied.relinked if applied else 0,
        seconds=round(step.seconds, 3),
        failed=[wire.Finding.of(finding) for finding in applied.findings] if applied else [],
        attention=wire.Attention.of(attention) if attention else None,
        error=wire.Fault.of(step.error) if step.error else None,
    )


def _counts(applied: Applied) -> str:
    parts = [
        f"{count} {word}"
        for count, word in (
            (applied.added, "added"),
            (applied.modified, "modified"),
            (applied.moved, "moved"),
            (applied.removed, "removed"),
        )
        if count
    ]
    return ", ".join(parts) or counted(applied.relinked, "link") + " followed"
