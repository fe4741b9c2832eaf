"""What is shown of one finding to whoever decides on it: both sides with the lines around them, and the keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from vaultrag.cli.commands.contradictions.finding_lines import HEADINGS, held, place_of, sureness_words
from vaultrag.cli.terminal import harmless, one_line
from vaultrag.contradictions.surroundings import Surroundings
from vaultrag.domain import Claim, ClaimFinding

WIDE = 110  # columns, from which on two sides beside one another are easier to read than one below the other
CHANGED = "The note says otherwise by now; these words were read before."


@dataclass(frozen=True, slots=True)
class ReviewScreen:
    """One finding: `number` of `count`, its sides as they stand in their notes, and what each key does."""

    finding: ClaimFinding
    number: int
    count: int
    sides: tuple[Surroundings, Surroundings]
    keys: Sequence[tuple[str, str]]
    vault: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heading = HEADINGS[self.finding.kind].partition(":")[0]
        yield Rule(f"{heading} · {self.number} of {self.count}", align="left", style="dim")
        yield Text(one_line(self.finding.reason), style="bold")
        yield Text(f"How sure: {sureness_words(self.finding.confidence)}", style="dim")
        panels = [
            self._side(number, claim, around)
            for number, (claim, around) in enumerate(
                zip((self.finding.one, self.finding.other), self.sides, strict=True), start=1
            )
        ]
        yield from _beside(panels) if options.max_width >= WIDE else panels
        yield _key_line(self.keys)

    def _side(self, number: int, claim: Claim, around: Surroundings) -> Panel:
        head = Group(place_of(claim, self.vault), Text(held(claim), style="dim"), Text(""))
        title = Text(f" {number} ", style="bold reverse")
        return Panel(Group(head, *_words(around)), title=title, title_align="left", box=box.ROUNDED, border_style="dim")


def _beside(panels: Sequence[Panel]) -> Iterator[RenderableType]:
    table = Table.grid(expand=True, padding=0)
    for _ in panels:
        table.add_column(ratio=1)
    table.add_row(*panels)
    yield table


def _words(around: Surroundings) -> Iterator[Text]:
    """Yield the lines around a quote, dim, and the quote itself, plain to see."""
    if around.before:
        yield Text(harmless("\n".join(around.before)), style="dim")
    yield Text.assemble(
        (harmless(around.lead), "dim"), (harmless(around.quote), "bold yellow"), (harmless(around.rest), "dim")
    )
    if around.after:
        yield Text(harmless("\n".join(around.after)), style="dim")
    if not around.stands:
        yield Text(CHANGED, style="red")


def _key_line(keys: Sequence[tuple[str, str]]) -> Columns:
    """Return the keys with what they do, in columns, so that none is parted from its words."""
    return Columns([Text.assemble((key, "bold cyan"), f" {does}") for key, does in keys], padding=(0, 2))
