"""`vaultrag watch`: the index follows the vault from this terminal, a line for each change set."""

from __future__ import annotations

import time
from contextlib import closing

from vaultrag import wire
from vaultrag.cli.bars import Bars
from vaultrag.cli.client import server_health
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import counted
from vaultrag.endpoint import Endpoint
from vaultrag.errors import IndexLocked
from vaultrag.following import Follower, Step
from vaultrag.workspace import Access, Workspace


def follow_vault(config: Config, terminal: Terminal) -> None:
    """Follow the vault until Ctrl-C, unless a server does. Raises IndexLocked when another command owns the index."""
    running = server_health(config)
    if running is not None:
        _hand_over(terminal, *running)
        return
    with Bars(terminal) as bars, closing(Workspace.open(config, Access.OWN)) as workspace:
        follower = Follower(workspace, bars.show, lambda step: _tell(terminal, step))
        terminal.note(f"Following {config.vault}. Ctrl-C ends it; what is unfinished then goes on the next time.")
        try:
            follower.run()
        finally:
            follower.close()


def _hand_over(terminal: Terminal, endpoint: Endpoint, health: wire.Health) -> None:
    if health.watching:
        terminal.note(f"The server on {endpoint.url} (process {endpoint.pid}) follows the vault already.")
        return
    raise IndexLocked(
        f"The server on {endpoint.url} (process {endpoint.pid}) owns the index and is set not to follow the vault.",
        "Set `watch.mode` to `auto` and restart it, or end it: vaultrag serve --stop.",
    )


def _tell(terminal: Terminal, step: Step) -> None:
    if terminal.json:
        terminal.print_line(shape(step))
        return
    if step.error is not None:
        terminal.warn(f"{step.error.message} {step.error.remedy}")
        return
    followed = step.followed
    if followed is None:
        return
    if step.is_news:
        terminal.print(f"{time.strftime('%H:%M:%S')}  {_counts(step)}, {step.seconds:.2f} s")
    for finding in followed.applied.findings:
        terminal.note(f"{finding.detail} {finding.remedy}")
    if followed.attention is not None and not step.changes.places:
        terminal.warn(f"{followed.attention.message} {followed.attention.remedy}")


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


def _counts(step: Step) -> str:
    assert step.followed is not None
    applied = step.followed.applied
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
