"""A finding in words: what differs in one line, then both sides, each with its quote, place, day, and whose it is.

Nothing here prints; everything from notes is made harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.style import Style
from rich.table import Table
from rich.text import Text

from vaultrag.cli.obsidian import obsidian_link
from vaultrag.cli.render import KEY_SHOWN, lines_label
from vaultrag.cli.terminal import Indented, harmless, one_line
from vaultrag.contradictions.grouping import FindingGroup
from vaultrag.domain import (
    AsOf,
    AsOfSource,
    Claim,
    ClaimFinding,
    FindingKind,
    Holder,
    ScanStanding,
    SubjectSource,
    Verdict,
    VerdictState,
    counted,
)
from vaultrag.text.quotation_marks import set_off

QUOTE_SHOWN = 400  # characters of a quote in a list; `review` and the JSON have all of it
COPIES_SHOWN = 3  # places of the same words
INDENT = 2
SCAN = "vaultrag contradictions --scan"

HEADINGS = {
    FindingKind.CONTRADICTION: "Contradictions",
    FindingKind.SUPERSEDED: "Superseded: the later one says that it replaces the earlier",
    FindingKind.POSSIBLE: "Possible: a model takes them for a contradiction, and no value tells",
    FindingKind.ASSISTANTS: "Assistants disagree, with one another or with the notes",
}
KEPT_BACK = "Kept back: not taken for a contradiction"
GATES = {
    "gone": "kept back: the note of a side is gone",
    "changed": "kept back: other words stand there now",
    "not_asserted": "kept back: a side is not asserted by whose it is",
    "follows": "kept back by a model",
    "read": "kept back by a model",
}
_SURE = ((0.8, "likely"), (0.5, "perhaps"), (0.0, "doubtful"))
_READ_IN = {AsOfSource.TEXT: "as it says", AsOfSource.HEADING: "by its heading", AsOfSource.NOTE: "the note's date"}
_DECIDED = {
    VerdictState.DISMISSED: "dismissed: no contradiction",
    VerdictState.SNOOZED: "put off",
    VerdictState.RESOLVED: "resolved",
    VerdictState.ACCEPTED: "accepted: they do contradict",
}

UNFOUND = " Most that there are go unfound still, so this is no sign that there is none."


def finding_block(group: FindingGroup, vault: str, today: date) -> Iterator[RenderableType]:
    """Yield what differs, how sure that is, and both sides; of copies the places."""
    finding = group.finding
    yield Text.assemble((finding.key[:KEY_SHOWN], "bold cyan"), "  ", (one_line(finding.reason), "bold"))
    yield Indented(Text(_about(finding, today), style="dim"), INDENT)
    for number, claim in enumerate((finding.one, finding.other), start=1):
        quote = one_line(claim.quote)
        shown = quote if len(quote) <= QUOTE_SHOWN else f"{quote[:QUOTE_SHOWN].rstrip()} …"
        yield NumberedSide(number, Text(set_off(shown), style="italic"))
        yield Indented(Text.assemble(place_of(claim, vault), (f" · {held(claim)}", "dim")), INDENT + 3)
        if copies := group.places_of(claim)[1:]:
            yield Indented(Text(_copies_words(copies), style="dim"), INDENT + 3)


@dataclass(frozen=True, slots=True)
class NumberedSide:
    """A quote behind its number; where it is folded, below its own beginning. One line in a pipe."""

    number: int
    quote: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        number = Text(f"{' ' * INDENT}{self.number}  ", style="bold")
        if not console.is_terminal:
            yield number + self.quote
            return
        table = Table.grid()
        table.add_column(width=len(number))
        table.add_column(overflow="fold")
        table.add_row(number, self.quote)
        yield table


def _copies_words(copies: Sequence[Claim]) -> str:
    more = len(copies) - COPIES_SHOWN
    named = ", ".join(one_line(f"{copy.path}:{copy.span.first_line}") for copy in copies[:COPIES_SHOWN])
    return f"also in {named}{f' and {more} more' if more > 0 else ''}"


def place_of(claim: Claim, vault: str) -> Text:
    """Return where a claim stands: `Folder/Note.md › Heading, line 4`; the path leads there."""
    link = obsidian_link(vault, claim.path, claim.heading_path, "")
    path = Text(one_line(claim.path), style=Style(bold=True, link=link))
    heading = "".join(f" › {one_line(name)}" for name in claim.heading_path)
    lines = lines_label((claim.span.first_line, claim.span.last_line))
    return Text.assemble(path, (heading, "cyan"), (f", {lines}", "dim"))


def held(claim: Claim) -> str:
    """Return whose a claim is, and of when: `you · 2025-03-02 (the note's date)`."""
    return one_line(f"{holder_words(claim.holder, claim.speaker)} · {when_words(claim.as_of)}")


def holder_words(holder: Holder, speaker: str) -> str:
    """Return who says it."""
    if holder is Holder.USER:
        return "you"
    if holder is Holder.ASSISTANT:
        return f"assistant {speaker}".strip()
    return f"quoted: {speaker}" if speaker else "quoted from somebody"


def when_words(as_of: AsOf | None) -> str:
    """Return of when a claim is, and where that was read."""
    if as_of is None:
        return "undated"
    if not as_of.last:
        day = f"since {as_of.first}"
    elif not as_of.first:
        day = f"until {as_of.last}"
    else:
        day = as_of.first if as_of.first == as_of.last else f"{as_of.first}…{as_of.last}"
    return f"{day} ({_READ_IN[as_of.source]})"


def sureness_words(confidence: float) -> str:
    """Return how sure a finding is, as a word with its figure: no measured share of right ones stands behind it."""
    word = next(word for least, word in _SURE if confidence >= least)
    return f"{word} ({confidence:.2f})"


def verdict_words(finding: ClaimFinding, today: date) -> str:
    """Return what was decided of a finding; empty where nothing was, or what was put off has come back."""
    verdict = finding.decided
    if verdict is None:
        return ""
    said = _DECIDED[verdict.state]
    if verdict.state is VerdictState.SNOOZED:
        is_back = verdict.until <= today.isoformat()
        said = f"put off until {verdict.until}, and back now" if is_back else f"put off until {verdict.until}"
    if verdict.state is VerdictState.RESOLVED:
        said = _resolved(finding, verdict)
    return f"{said}, {set_off(one_line(verdict.note))}" if verdict.note else said


def standing_lines(standing: ScanStanding) -> Iterator[Text]:
    """Yield what was not looked at yet, and how it is done; nothing where all was compared."""
    owed = [
        part
        for count, part in (
            (standing.notes_owed, f"{counted(standing.notes_owed, 'note')} still to be read for what they state"),
            (standing.claims_owed, f"{counted(standing.claims_owed, 'statement')} still to be compared"),
            (
                standing.not_judged,
                f"{counted(standing.not_judged, 'pair')} not judged: the judge failed or had no time",
            ),
        )
        if count
    ]
    if owed:
        yield Text.assemble(("Not looked at yet: ", "yellow"), f"{'; '.join(owed)}.", f" Now: {SCAN}")
    if standing.unmeasured:
        told = f"{one_line(standing.unmeasured)} takes nothing back: nobody has measured what its word is worth."
        yield Text(told, style="dim")
    if standing.removed:
        yield Text(
            f"Kept back, by a quote that does not stand in its note, a side that nobody asserts, or a model: "
            f"{standing.removed}. --all shows {'it' if standing.removed == 1 else 'them'}.",
            style="dim",
        )


def count_line(shown: Sequence[ClaimFinding], standing: ScanStanding, within: str, decided: int, today: date) -> Text:
    """Return how many contradictions are open, among how much that was compared, and how many were decided."""
    found = sum(finding.kind is FindingKind.CONTRADICTION and finding.is_open(today) for finding in shown)
    count = counted(found, "open contradiction") if found else "No open contradiction"
    so_far = "" if standing.is_whole else " compared so far"
    compared = max(0, standing.claims - standing.claims_owed)
    among = f" in {within}" if within else f" among {counted(compared, 'statement')}{so_far}"
    if not compared and standing.claims:
        among = ", found by an earlier look; by what would be compared with now, nothing is compared yet"
    rest = f" {counted(decided, 'finding')} decided before: --all shows {'it' if decided == 1 else 'them'}." * bool(
        decided
    )
    doubt = "" if found or not standing.is_whole else UNFOUND
    return Text(harmless(f"{count}{among}.{doubt}{rest}"), style="bold" if found else "")


def _about(finding: ClaimFinding, today: date) -> str:
    decided = verdict_words(finding, today)
    sure = GATES[finding.gate] if finding.gate else sureness_words(finding.confidence)
    return " · ".join(filter(None, (_topic(finding), sure, decided)))


def _topic(finding: ClaimFinding) -> str:
    """Return what both speak of, as far as their own words name it."""
    for claim in (finding.one, finding.other):
        subject = "" if claim.subject_from is SubjectSource.HOLDER else claim.subject
        words = [one_line(part) for part in (subject, claim.attribute) if part]
        if words:
            return ", ".join(dict.fromkeys(words))
    return ""


def _resolved(finding: ClaimFinding, verdict: Verdict) -> str:
    for number, claim in enumerate((finding.one, finding.other), start=1):
        if verdict.right and claim.key == verdict.right:
            return f"resolved: {number} is right"
    return "resolved"


def local_day() -> date:
    """Return the user's own day."""
    return datetime.now().astimezone().date()
