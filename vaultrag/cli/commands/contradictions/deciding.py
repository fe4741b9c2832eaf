"""What a person decides of a finding: as it is typed, and as it is written down, by `decide` and by `review`."""

from __future__ import annotations

from datetime import date, timedelta

from rich.text import Text

from vaultrag.cli.commands.contradictions.choices import Decided
from vaultrag.cli.commands.contradictions.finding_lines import local_day, verdict_words
from vaultrag.cli.commands.contradictions.listing import index_of_findings
from vaultrag.cli.render import KEY_SHOWN
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.domain import ClaimFinding, VerdictState, encodable
from vaultrag.errors import UsageError
from vaultrag.jobs.report import language_of
from vaultrag.wire.findings import NOTE_LENGTH
from vaultrag.wire.findings import ClaimFinding as ClaimFindingJson

USUAL_DAYS = 14  # that something is put off


def decide(
    config: Config, terminal: Terminal, key: str, decision: Decided, note: str, days: int | None, right: int | None
) -> None:
    """Write a decision down and say what stands now. Raises UsageError for what makes no sense."""
    _refuse_nonsense(decision, note, days, right)
    today = local_day()
    until = (today + timedelta(days or USUAL_DAYS)).isoformat() if decision is Decided.SNOOZED else ""
    with index_of_findings(config) as workspace:
        language = language_of(config, workspace.database)
        finding = workspace.findings.find(key, language)
        if decision is Decided.OPEN:
            workspace.findings.reopen(finding.key)
        else:
            side = (finding.one, finding.other)[right - 1].key if right else ""
            workspace.findings.decide(finding.key, VerdictState(decision.value), encodable(note.strip()), until, side)
        now = workspace.findings.find(finding.key, language)
    _print(terminal, now, today)


def _refuse_nonsense(decision: Decided, note: str, days: int | None, right: int | None) -> None:
    if right is not None and decision is not Decided.RESOLVED:
        raise UsageError("--right says which side is right, so it goes with resolved.", "Leave it out, or resolve it.")
    if days is not None and decision is not Decided.SNOOZED:
        raise UsageError("--days says for how long it is put off, so it goes with snoozed.", "Leave it out.")
    if note and decision is Decided.OPEN:
        raise UsageError("What is open again has no verdict to which words could be added.", "Leave --note out.")
    if len(note) > NOTE_LENGTH:
        raise UsageError(f"The note is longer than {NOTE_LENGTH:,} characters.", "Say it in fewer.")


def _print(terminal: Terminal, finding: ClaimFinding, today: date) -> None:
    if terminal.json:
        terminal.print_json(ClaimFindingJson.of(finding, open=finding.is_open(today)))
        return
    said = verdict_words(finding, today) or "open again"
    terminal.print(Text.assemble((finding.key[:KEY_SHOWN], "bold cyan"), f"  {said[:1].upper()}{said[1:]}."))
