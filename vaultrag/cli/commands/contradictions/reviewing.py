"""`vaultrag contradictions review`, put together: the open findings, the notes they stand in, and the keyboard."""

from __future__ import annotations

import sys

from vaultrag.cli.commands.contradictions.finding_lines import standing_lines
from vaultrag.cli.commands.contradictions.keys import pressed_key
from vaultrag.cli.commands.contradictions.listing import FindingList, Wanted, find, index_of_findings
from vaultrag.cli.commands.contradictions.review import Review
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.contradictions.note_texts import NoteTexts
from vaultrag.contradictions.surroundings import Surroundings, surroundings
from vaultrag.domain import Claim, FindingKind, Verdict
from vaultrag.errors import UsageError
from vaultrag.records.archive import Archive, open_for_records
from vaultrag.workspace import Workspace


def review_findings(config: Config, terminal: Terminal, wanted: Wanted, days: int) -> None:
    """Go through the open findings, a key for each decision. Raises UsageError where nobody can press one."""
    if not (sys.stdin.isatty() and terminal.live):
        raise UsageError(
            "Reviewing needs a terminal with somebody at its keys.",
            "In scripts: vaultrag contradictions --json, then: vaultrag contradictions decide KEY dismissed",
        )
    with index_of_findings(config) as workspace:
        found = find(workspace, wanted)
        if not found.shown:
            terminal.print("Nothing waits for a decision.")
        else:
            _review(workspace, terminal, found, days)
        terminal.print(*standing_lines(found.standing))


def _review(workspace: Workspace, terminal: Terminal, found: FindingList, days: int) -> None:
    """Go through the findings, copies of one another once: what is decided holds for all of them."""
    config, findings = workspace.config, workspace.findings
    groups = {group.finding.key: group for kind in FindingKind for group in found.groups(kind)}

    def keep(verdict: Verdict) -> None:
        findings.decide(verdict.key, verdict.state, verdict.note, verdict.until, verdict.right)

    def put_back(key: str) -> None:
        findings.reopen(key)
        before = [one.decided for one in (groups[key].finding, *groups[key].copies) if one.decided]
        if before:
            with open_for_records(config) as database:
                for verdict in before:
                    Archive(config, database).decide(verdict)

    def around(claim: Claim) -> Surroundings:
        now = NoteTexts(config, workspace.database)  # whoever reviews may edit the note meanwhile
        return surroundings(claim, now.whole(claim.path))

    waiting = [group.finding for group in groups.values()]
    Review(config, terminal, waiting, days, found.today, keep, put_back, around, pressed_key).run()
