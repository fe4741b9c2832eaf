"""`vaultrag export` and `vaultrag import`: what cannot be rebuilt, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vaultrag.cli.terminal import Terminal, size
from vaultrag.config import Config
from vaultrag.domain import counted
from vaultrag.records.export import export_records, import_records, preview_import
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
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
    settings = ", the settings" if done.settings else ""
    terminal.print(f"{done.file}: {what}, {counted(done.exclusions, 'exclusion')}{settings}; {size(done.bytes)}.")


def import_from(config: Config, terminal: Terminal, file: Path, dry_run: bool) -> None:
    """Merge the file, or only say what that would do."""
    found = preview_import(config, file) if dry_run else import_records(config, file)
    done = Imported.of(found, dry_run=dry_run)
    if terminal.json:
        terminal.print_json(done)
    else:
        terminal.print(*_sentences(done))


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
    if sentence := SETTINGS.get(done.settings):
        yield sentence.format(would)
