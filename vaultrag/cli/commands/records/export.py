"""`vaultrag export` and `vaultrag import`: what cannot be rebuilt, in one file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from vaultrag import domain
from vaultrag.cli.terminal import Terminal, size
from vaultrag.config import Config
from vaultrag.domain import counted
from vaultrag.records.export import export_records, import_records, preview_import
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.text.steering import one_line
from vaultrag.wire.records import Exported, Imported

SETTINGS = {
    "taken": "The settings {} taken over.",
    "same": "The settings are the same.",
    "kept": "The settings differ; yours stay.",
    "unfit": "The settings in the file are not understood by this version; yours stay.",
}


def export_to(config: Config, terminal: Terminal, file: Path) -> None:
    """Write the file, and say what is in it."""
    with open_database(config.database_path, Access.READ) as database:
        done = Exported.of(export_records(config, database, file))
    if terminal.json:
        terminal.print_json(done)
        return
    what = f"{counted(done.answers, 'answer')}, {counted(done.verdicts, 'verdict')}"
    what += f", {counted(done.jobs, 'job')}" if done.jobs else ""
    settings = ", the settings" if done.settings else ""
    terminal.print(f"{done.file}: {what}, {counted(done.exclusions, 'exclusion')}{settings}; {size(done.bytes)}.")


def import_from(config: Config, terminal: Terminal, file: Path, dry_run: bool, agreed: str) -> None:
    """Merge the file, or only say what that would do. Who watches is asked before notes leave the machine by it."""
    if not dry_run and not terminal.json and sys.stdin.isatty():
        agreed = agreed or _asked(terminal, preview_import(config, file))
    found = preview_import(config, file, agreed) if dry_run else import_records(config, file, agreed)
    done = Imported.of(found, dry_run=dry_run)
    if terminal.json:
        terminal.print_json(done)
    else:
        terminal.print(*_sentences(done))


def _asked(terminal: Terminal, found: domain.Imported) -> str:
    """Return the server that the user agrees to send notes to, if the file's settings name one."""
    if found.settings is not domain.SettingsFate.HELD:
        return ""
    terminal.print(_sending(found.sends_to, found.sending))
    return found.sends_to if typer.confirm("Take these settings over?") else ""


def _sending(to: str, by: Sequence[str]) -> str:
    return (
        f"The settings in the file send your questions and passages of your notes to {one_line(to)} ({', '.join(by)})."
    )


def _sentences(done: Imported) -> Iterator[str]:
    would = "would be" if done.dry_run else "were"
    parts = [
        f"{count:,} {would} {what}"
        for count, what in (
            (done.added, "added"),
            (done.replaced, "replaced by a later state"),
            (done.deleted, "deleted"),
        )
        if count
    ]
    news = f"Records: {', '.join(parts)}" if parts else "Nothing new"
    yield f"{news}; {done.known:,} known already."
    if done.refused:
        yield f"{counted(done.refused, 'record')} about forgotten notes {would} left out."
    if done.exclusions:
        takes = "takes" if done.exclusions == 1 else "take"
        yield f"{counted(done.exclusions, 'exclusion')} {takes} effect with the next `vaultrag index`."
    if done.settings == domain.SettingsFate.HELD:
        yield _sending(done.sends_to, done.sending)
        yield f"They {would} left out. If you want them: --accept-remote {shlex.quote(one_line(done.sends_to))}"
    elif sentence := SETTINGS.get(done.settings):
        yield sentence.format(would)
