"""`vaultrag forget`: a note or folder goes from the home for good, and stays out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing

import typer

from vaultrag import wire
from vaultrag.cli.backend import open_writer
from vaultrag.cli.progress import Bars
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import counted
from vaultrag.errors import UsageError
from vaultrag.text.steering import one_line


def forget_path(config: Config, terminal: Terminal, written: str, confirmed: bool) -> None:
    """Remove every trace of a note or folder, in the running server or here, once the user has said yes."""
    found = _preview(config, written)
    if not confirmed:
        _confirm(terminal, found)
    with Bars(terminal) as bars, closing(open_writer(config)) as writer:
        done = writer.forget(found.path, bars.show)
    if terminal.json:
        terminal.print_json(done)
    else:
        terminal.print(f"Forgotten: {one_line(done.path)}: {_what(done)}. It is left out from now on.")
        terminal.print(*_left(done))


def let_back_in(config: Config, terminal: Terminal, written: str) -> None:
    """Take an exclusion back."""
    from vaultrag.records.archive import open_for_records
    from vaultrag.records.forget import undo

    with open_for_records(config) as database:
        path = undo(config, database, written)
    if terminal.json:
        terminal.print_json(wire.Included(path=path))
    else:
        terminal.print(f"{one_line(path)} is no longer excluded. `vaultrag index` reads it again.")


def _preview(config: Config, written: str) -> wire.Forgotten:
    from vaultrag.records.forget import find_target, preview
    from vaultrag.store.database import Access
    from vaultrag.store.opening import open_database

    with open_database(config.database_path, Access.READ) as database:
        return wire.Forgotten.of(preview(config, database, find_target(config, database, written)))


def _confirm(terminal: Terminal, found: wire.Forgotten) -> None:
    if terminal.json or not sys.stdin.isatty():
        raise UsageError(f"Forgetting {found.path} must be confirmed.", "Say so with --yes.")
    terminal.print(f"{one_line(found.path)}: {_what(found)} will be removed from the index and all that was kept.")
    typer.confirm("Forget it?", abort=True)


def _what(found: wire.Forgotten) -> str:
    parts = [counted(found.notes, "note"), counted(found.passages, "passage")]
    parts += [counted(found.answers, "saved answer")] if found.answers else []
    parts += [counted(found.verdicts, "verdict")] if found.verdicts else []
    parts += [counted(found.jobs, "job")] if found.jobs else []
    parts += [counted(found.nights, "night report")] if found.nights else []
    parts += ["1 analysis" if found.analyses == 1 else f"{found.analyses} analyses"] if found.analyses else []
    return ", ".join(parts)


def _left(done: wire.Forgotten) -> Iterator[str]:
    if done.remaining:
        files = f"{counted(done.remaining, 'file')} remain{'s' * (done.remaining == 1)}"
        what = files if done.path.endswith("/") else "The file itself remains"
        yield f"{what} in the vault, which is never written to: delete it there if you want to."
    if done.links:
        yield f"Other notes still name it, in {counted(done.links, 'link')}: that is their own text."
    for report in done.reports:
        yield f"A report or an analysis speaks of it: {one_line(report)}"
    yield "Exported files, answers saved as notes and backups that you made earlier may still hold it."
