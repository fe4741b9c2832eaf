"""`vaultrag history`: how a value changed, each with its day, its holder and its quote."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from vaultrag.cli.commands.records.reading import index_to_read
from vaultrag.cli.obsidian import obsidian_link
from vaultrag.cli.options import (
    HomeOption,
    JsonOption,
    NoServerOption,
    VaultOption,
    WithinOption,
    checked_query,
    checked_scope,
    session_of,
)
from vaultrag.cli.terminal import Indented, Terminal, harmless, one_line
from vaultrag.config import Config
from vaultrag.domain import AsOf, History, HistoryStep, Holder, QuotedPlace, Stance
from vaultrag.errors import UsageError

UNDATED = "undated"
FOLLOWS = "then, undated"
PLACES_SHOWN = 3  # where a value is said again; the JSON has all
_STANCES = {
    Stance.REPORTED: "as reported",
    Stance.ASKED: "asked",
    Stance.HYPOTHETICAL: "supposed",
    Stance.PLANNED: "planned",
}


def history(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="What changed: a subject and what of it, as «бюджет ремонта».")],
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="DATE", help="Say what it was on a day: 2025-03-15, 2025-03 or 2025.")
    ] = "",
    within: WithinOption = None,
    no_server: NoServerOption = False,
    vault: VaultOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show how a value changed, as the notes tell it: each with its day, whose it is, and the quote.

    Plans, reports and what an assistant said are shown and marked, and are never taken for what you say yourself.
    It still misses values or takes others for them, so look at the quotes.
    """
    from vaultrag.cli.backend import ServerUse

    session = session_of(context)
    asked = HistoryRun(
        session.config(vault, home),
        session.terminal,
        checked_query(subject),
        checked_scope(within),
        checked_day(as_of),
        ServerUse.of(no_server),
    )
    asked.run()


def checked_day(written: str) -> str:
    """Return the last day of a date as it is typed: a day, a month or a year. Raises UsageError."""
    if not written:
        return ""
    from vaultrag.text.times.periods import periods_of

    today = _today()
    for period in periods_of(written, today):
        if period.end_day:
            last = date.fromordinal(date.fromisoformat(period.end_day).toordinal() - 1)
            return last.isoformat()
    raise UsageError(f"`{written[:40]}` is no date.", "Write 2025-03-15, 2025-03 or 2025.")


@dataclass(frozen=True, slots=True)
class HistoryRun:
    """One history as it was asked for. `day` is the day that is meant, empty for the last one."""

    config: Config
    terminal: Terminal
    subject: str
    scope: str
    day: str
    server_use: str

    def run(self) -> None:
        """Print the chain of values, or one JSON document. Raises UsageError where nothing is told."""
        from vaultrag.wire import histories

        found = self._found()
        if self.terminal.json:
            self.terminal.print_json(histories.History.of(found))
            return
        self.terminal.print(*lines_of(found, self.config.vault.name))

    def _found(self) -> History:
        """Return the history; a server searches, and words tell among the claims of what it finds."""
        from vaultrag.cli.backend import ServerUse, find_backend, open_backend
        from vaultrag.cli.local import Local
        from vaultrag.contradictions.histories.read import history_of

        use = ServerUse(self.server_use)
        with self.terminal.waiting("Looking for it"):
            backend = find_backend(self.config, use, lambda: None) or open_backend(self.config, use)
            with closing(backend):
                if isinstance(backend, Local):
                    return backend.history(self.subject, self.scope, _today(), self.day)

                def paths(words: str, count: int) -> Sequence[str]:
                    result = backend.search(f"{self.scope} {words}".strip(), count, "full")
                    return [passage.path for passage in result.passages]

                with index_to_read(self.config) as database:
                    return history_of(database, self.subject, paths, _today(), self.day)


def lines_of(found: History, vault: str) -> list[RenderableType]:
    """Return what is printed of a history: what held on the day, then all values in order."""
    lines: list[RenderableType] = []
    if found.day:
        lines.append(_held(found))
    for step in found.steps:
        lines += _step(step, vault, is_held=bool(found.day) and step == found.held)
    return lines


def _held(found: History) -> Text:
    if found.held is None:
        return Text(f"On {found.day}: the notes do not say.", style="bold")
    since = "undated, and all others are later" if found.held.as_of is None else _when(found.held.as_of)
    return Text.assemble(
        (f"On {found.day}: ", "bold"), (one_line(_said(found.held)), "bold green"), (f"  ({since})", "dim")
    )


def _step(step: HistoryStep, vault: str, *, is_held: bool) -> list[RenderableType]:
    mark = _mark(step)
    head = Text.assemble(
        ("→ " if is_held else "  ", "bold green"),
        (f"{FOLLOWS if step.follows else _when(step.as_of):<23}", "cyan" if step.as_of else "yellow"),
        (one_line(_said(step)), "bold" if step.is_own else "dim"),
        (f"  [{mark}]" if mark else "", "yellow"),
    )
    quotes = [_place(place, vault) for place in (step.place, *step.also[:PLACES_SHOWN])]
    if len(step.also) > PLACES_SHOWN:
        quotes.append(Text(f"… and {len(step.also) - PLACES_SHOWN} more", style="dim"))
    return [head, *(Indented(quote, 4) for quote in quotes)]


def _said(step: HistoryStep) -> str:
    return step.value or step.place.quote


def _when(as_of: AsOf | None) -> str:
    if as_of is None:
        return UNDATED
    if not as_of.last:
        return f"since {as_of.first}"
    if not as_of.first:
        return f"until {as_of.last}"
    return as_of.first if as_of.first == as_of.last else f"{as_of.first}…{as_of.last}"


def _mark(step: HistoryStep) -> str:
    """Return why a value is not the user's own: who else says it, or how."""
    who = ""
    if step.holder is Holder.ASSISTANT:
        who = f"assistant {step.speaker}".strip()
    elif step.holder is Holder.QUOTED and not step.is_own:
        who = f"quoted {step.speaker}".strip()
    how = "" if step.is_own else _STANCES.get(step.stance, "")
    return one_line(", ".join(filter(None, (who, how))))


def _place(place: QuotedPlace, vault: str) -> Text:
    link = obsidian_link(vault, place.path, (), "")
    where = Text(f"{one_line(place.path)}, line {place.span.first_line}: ", style=f"dim link {link}")
    return where.append(f"“{harmless(one_line(place.quote))}”", style="default")


def _today() -> date:
    return datetime.now().astimezone().date()
