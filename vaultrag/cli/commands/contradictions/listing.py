"""`vaultrag contradictions`: what the notes disagree on, read straight from the index, whether a server runs or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from rich.console import RenderableType
from rich.text import Text

from vaultrag.cli.commands.contradictions.finding_lines import (
    HEADINGS,
    KEPT_BACK,
    count_line,
    finding_block,
    local_day,
    standing_lines,
)
from vaultrag.cli.commands.vault.links import find_path
from vaultrag.cli.terminal import Terminal
from vaultrag.config import Config
from vaultrag.contradictions.grouping import FindingGroup, grouped, spread
from vaultrag.domain import ClaimFinding, FindingKind, ScanStanding
from vaultrag.errors import IndexMissing
from vaultrag.jobs.report import language_of
from vaultrag.wire.findings import ClaimFinding as ClaimFindingJson
from vaultrag.wire.findings import ListedFindings
from vaultrag.workspace import Ownership, Workspace

MOST_SHOWN = 10  # of what is no contradiction, unless it is asked for: a journal gives hundreds
OF_ONE_PAIR = 3  # of these: two journals differ in every line


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be shown: `everything` with what was decided or kept back; of one `note`, if named; of `kinds`."""

    everything: bool = False
    note: str = ""
    kinds: tuple[FindingKind, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every finding is shown: of contradictions each one is, of the rest only when it is asked for."""
        return bool(self.note or self.kinds)


@dataclass(frozen=True, slots=True)
class FindingList:
    """The findings that were wanted, how far the scan is, and how many were `decided` and so left out.

    `kept_back` is what a gate or a model keeps from being shown, where everything was wanted.
    """

    shown: tuple[ClaimFinding, ...]
    standing: ScanStanding
    decided: int
    note: str
    today: date
    kept_back: tuple[ClaimFinding, ...] = ()

    def groups(self, kind: FindingKind) -> list[FindingGroup]:
        """Return those of a kind, copies of one another together."""
        return grouped(finding for finding in self.shown if finding.kind is kind)

    @property
    def nothing_was_compared(self) -> bool:
        return self.standing.claims_owed >= self.standing.claims and self.standing.notes_owed + self.standing.claims > 0

    def as_json(self) -> ListedFindings:
        findings, kept_back = (
            [ClaimFindingJson.of(one, open=one.is_open(self.today)) for one in group]
            for group in (self.shown, self.kept_back)
        )
        return ListedFindings.listed(findings, self.standing, self.decided, kept_back)


@contextmanager
def index_of_findings(config: Config) -> Iterator[Workspace]:
    """Open the index to read. Raises IndexMissing, IndexTooNew or IndexDamaged."""
    with Workspace.open(config, Ownership.READ) as workspace:
        yield workspace


def find(workspace: Workspace, wanted: Wanted) -> FindingList:
    """Return the findings that are wanted. Raises UsageError for a note that is none.

    Raises IndexMissing where nothing was ever compared: that there are none would be a lie.
    """
    config, today = workspace.config, local_day()
    path = find_path(workspace.database, config, wanted.note) if wanted.note else ""
    language = language_of(config, workspace.database)
    findings = workspace.findings
    known = findings.of_notes([path], language) if path else findings.all(language)
    of_kind = [finding for finding in known if finding.kind in (wanted.kinds or FindingKind)]
    shown = [finding for finding in of_kind if wanted.everything or finding.is_open(today)]
    kept_back = (
        [one for one in findings.removed(language) if not path or path in one.paths] if wanted.everything else []
    )
    found = FindingList(tuple(shown), findings.standing(), len(of_kind) - len(shown), path, today, tuple(kept_back))
    if found.nothing_was_compared and not known:
        raise IndexMissing(
            "Nothing has been compared yet, so nobody knows what the notes disagree on.",
            "Run: vaultrag contradictions --scan; with --later a server does it, and so does each night.",
        )
    return found


def print_findings(config: Config, terminal: Terminal, wanted: Wanted) -> None:
    """Print what the notes disagree on, each kind apart, and what was not looked at yet."""
    with index_of_findings(config) as workspace:
        found = find(workspace, wanted)
    if terminal.json:
        terminal.print_json(found.as_json())
        return
    vault, today = config.vault.name, found.today
    for kind in FindingKind:
        is_whole = wanted.is_whole or kind is FindingKind.CONTRADICTION
        terminal.print(*blocks_of(HEADINGS[kind], found.groups(kind), vault, today, "" if is_whole else kind))
    terminal.print(*blocks_of(KEPT_BACK, grouped(found.kept_back), vault, today))
    if FindingKind.CONTRADICTION in (wanted.kinds or FindingKind):
        contradictions = [group.finding for group in found.groups(FindingKind.CONTRADICTION)]
        terminal.print(count_line(contradictions, found.standing, found.note, found.decided, today))
    elif not found.shown:
        terminal.print("None of that kind is open.")
    terminal.print(*standing_lines(found.standing))


def blocks_of(
    heading: str, groups: Sequence[FindingGroup], vault: str, today: date, cut_to: str = ""
) -> Iterator[RenderableType]:
    """Yield findings under their heading; where `cut_to` names their kind the first ones, and how to see the rest."""
    if not groups:
        return
    shown = spread(groups, OF_ONE_PAIR, MOST_SHOWN) if cut_to else groups
    yield Text(f"{heading} ({len(groups):,})", style="bold underline")
    yield ""
    for group in shown:
        yield from finding_block(group, vault, today)
        yield ""
    if len(groups) > len(shown):
        yield Text(f"… and {len(groups) - len(shown):,} more: vaultrag contradictions --kind {cut_to}", style="dim")
        yield ""
