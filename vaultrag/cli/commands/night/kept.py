"""Analyses that are kept: listed with what became of what they quote, or one of them in full."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from vaultrag.cli.commands.records.fates import SAID, source_lines
from vaultrag.cli.terminal import Terminal, local_time, one_line
from vaultrag.config import Config
from vaultrag.domain import Fate, KeptAnalysis
from vaultrag.errors import UsageError
from vaultrag.reanalysis.report import analysis_markdown
from vaultrag.records.analyses import AnalysisArchive, as_saved
from vaultrag.records.archive import Archive
from vaultrag.records.reports import links_from
from vaultrag.store.database import Access, Database
from vaultrag.store.opening import open_database
from vaultrag.wire.analyses import Analysis as AnalysisJson
from vaultrag.wire.analyses import KeptAnalyses
from vaultrag.wire.analyses import KeptAnalysis as OneKept


def print_kept(config: Config, terminal: Terminal, wanted: str) -> None:
    """List what is kept, or show the one that is named by its id or its note. Raises UsageError."""
    with open_database(config.database_path, Access.READ) as database:
        archive, kept = Archive(config, database), AnalysisArchive(config, database)
        if wanted.strip():
            _print_one(config, terminal, database, _named(config, kept, database, wanted))
            return
        found = [(one, archive.look_at(as_saved(one))) for one in kept.all()]
    if terminal.json:
        rows = [OneKept.of(one.analysis, id=one.id, at=one.at, place=one.place, fate=now.fate) for one, now in found]
        terminal.print_json(KeptAnalyses(analyses=rows))
        return
    for one, now in found:
        said, style = SAID[now.fate]
        role = f" ({one_line(one.analysis.role)})" if one.analysis.role else ""
        terminal.print(
            Text.assemble(
                (one.id, "bold cyan"),
                (f"  {local_time(one.at)}  ", "dim"),
                (said, style),
                f"  {one_line(one.analysis.path)}{role}",
                (f"  {one_line(one.place)}", "dim"),
            )
        )
        if now.fate is not Fate.HOLDS:
            terminal.print(*source_lines(now))
    if not found:
        terminal.print("No analysis is kept; `vaultrag analyse NOTE --later` keeps one, and nights do.")


def _named(config: Config, kept: AnalysisArchive, database: Database, wanted: str) -> KeptAnalysis:
    from vaultrag.cli.commands.vault.links import find_path

    by_id = [one for one in kept.all() if one.id.startswith(wanted.strip().lower())]
    if len(by_id) == 1:
        return by_id[0]
    path = find_path(database, config, wanted)
    found = [one for one in kept.all() if one.analysis.path == path]
    if not found:
        raise UsageError(f"No analysis of {path} is kept.", "Make one: vaultrag analyse NOTE --later")
    return found[-1]


def _print_one(config: Config, terminal: Terminal, database: Database, one: KeptAnalysis) -> None:
    markdown = analysis_markdown(one.analysis, links_from(config, database, Path(one.place)))
    if terminal.json:
        terminal.print_json(AnalysisJson.of(one.analysis, markdown=markdown, file=one.place))
    else:
        terminal.print_plain(markdown.rstrip("\n"))
