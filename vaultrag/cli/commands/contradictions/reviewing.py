"""`vaultrag contradictions review`, put together: the open findings, the notes they stand in, and the keyboard."""

from __future__ import annotations

import sys

from vaultrag.cli.commands.contradictions.finding_lines import standing_lines
from vaultrag.cli.commands.contradictions.keys import pressed_key
from vaultrag.cli.commands.contradictions.listing import Wanted, find, index_of_findings
from vaultrag.cli.commands.contradictions.review import Review
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.contradictions.note_texts import NoteTexts
from vaultrag.contradictions.surroundings import Surroundings, surroundings
from vaultrag.domain import Claim, Verdict
from vaultrag.errors import UsageError
from vaultrag.records.archive import Archive, open_for_records


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
            findings = workspace.findings

            def keep(verdict: Verdict) -> None:
                findings.decide(verdict.key, verdict.state, verdict.note, verdict.until, verdict.right)

            def put_back(key: str, before: Verdict | None) -> None:
                if before is None:
                    findings.reopen(key)
                    return
                with open_for_records(config) as database:
                    Archive(config, database).decide(before)

            def around(claim: Claim) -> Surroundings:
                now = NoteTexts(config, workspace.database)  # whoever reviews may edit the note meanwhile
                return surroundings(claim, now.whole(claim.path))

            review = Review(config, terminal, list(found.shown), days, found.today, keep, put_back, around, pressed_key)
            review.run()
        terminal.print(*standing_lines(found.standing))
