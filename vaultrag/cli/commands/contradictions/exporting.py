"""`vaultrag contradictions export`: what the notes disagree on as one document, printed or written to a new file."""

from __future__ import annotations

from pathlib import Path

from vaultrag.cli.commands.contradictions.choices import ExportFormat
from vaultrag.cli.commands.contradictions.listing import FindingList, Wanted, find, index_of_findings
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.contradictions.report import findings_markdown
from vaultrag.jobs.report import language_of
from vaultrag.records.reports import links_from, place_where_named, write_where_named
from vaultrag.wire import dumps
from vaultrag.workspace import Workspace


def export_findings(config: Config, terminal: Terminal, wanted: Wanted, form: ExportFormat, file: Path | None) -> None:
    """Write the findings that are wanted. Raises ReportFailed and DiskFull as `write_where_named` does."""
    if file is not None:
        place_where_named(config, file)  # before anything is read
    with index_of_findings(config) as workspace:
        found = find(workspace, wanted)
        document = _markdown(workspace, found, file) if form is ExportFormat.MARKDOWN else _json(found)
    if file is None:
        terminal.print_plain(document.rstrip("\n"))
    else:
        terminal.print(f"Written: {write_where_named(config, file, document)}")


def _markdown(workspace: Workspace, found: FindingList, file: Path | None) -> str:
    config, database = workspace.config, workspace.database
    links = links_from(config, database, file or Path("contradictions.md"))
    return findings_markdown(found.shown, found.standing, links, language_of(config, database), found.today)


def _json(found: FindingList) -> str:
    return f"{dumps(found.as_json(), indent=2)}\n"
