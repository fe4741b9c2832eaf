"""A finding in words: whose, of when, how sure, what was decided, and what was not looked at."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pytest
from rich.console import RenderableType

from tests.contradictions.notes import claims_of, scanned
from tests.rendered import steering
from vaultrag.cli.commands.contradictions.finding_lines import (
    UNFOUND,
    count_line,
    finding_block,
    held,
    standing_lines,
    sureness_words,
    verdict_words,
)
from vaultrag.cli.commands.contradictions.review_screen import CHANGED, ReviewScreen
from vaultrag.cli.terminal import PIPE_WIDTH, HarmlessConsole
from vaultrag.contradictions.grouping import FindingGroup
from vaultrag.contradictions.surroundings import Surroundings
from vaultrag.domain import AsOf, AsOfSource, ClaimFinding, FindingKind, Holder, ScanStanding, Verdict, VerdictState

TODAY = date(2026, 3, 5)
HUT = {"Hut.md": "The walk to the hut takes 90 minutes.", "Weekend.md": "To the hut it's three hours of walk."}
WHOLE = ScanStanding(claims=12, notes_owed=0, claims_owed=0, not_judged=0, removed=0)


def finding() -> ClaimFinding:
    [found] = scanned(HUT).found
    return found.said("en")


def drawn(*parts: RenderableType, width: int = 80) -> str:
    stream = io.StringIO()
    console = HarmlessConsole(file=stream, force_terminal=True, width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("holder", "speaker", "as_of", "said"),
    [
        (Holder.USER, "", None, "you · undated"),
        (
            Holder.USER,
            "",
            AsOf("2025-03-01", "2025-03-31", AsOfSource.HEADING),
            "you · 2025-03-01…2025-03-31 (by its heading)",
        ),
        (
            Holder.ASSISTANT,
            "qwen3",
            AsOf("2025-03-01", "", AsOfSource.TEXT),
            "assistant qwen3 · since 2025-03-01 (as it says)",
        ),
        (
            Holder.ASSISTANT,
            "",
            AsOf("", "2025-03-01", AsOfSource.NOTE),
            "assistant · until 2025-03-01 (the note's date)",
        ),
        (Holder.QUOTED, "Тата", None, "quoted: Тата · undated"),
        (Holder.QUOTED, "", None, "quoted from somebody · undated"),
    ],
)
def test_holder_and_time_are_said(holder: Holder, speaker: str, as_of: AsOf | None, said: str) -> None:
    [claim] = claims_of({"Hut.md": HUT["Hut.md"]})
    assert held(replace(claim, holder=holder, speaker=speaker, as_of=as_of)) == said


@pytest.mark.parametrize(("sure", "said"), [(1.0, "likely (1.00)"), (0.6, "perhaps (0.60)"), (0.0, "doubtful (0.00)")])
def test_sureness_is_a_word_with_its_figure(sure: float, said: str) -> None:
    assert sureness_words(sure) == said


def test_what_was_decided_is_said() -> None:
    found = finding()

    def said(state: VerdictState, note: str = "", until: str = "", right: str = "") -> str:
        return verdict_words(replace(found, decided=Verdict(found.key, state, (), note, until, right)), TODAY)

    assert verdict_words(found, TODAY) == ""
    assert said(VerdictState.RESOLVED, "с мая", right=found.other.key) == "resolved: 2 is right, “с мая”"
    assert said(VerdictState.RESOLVED) == "resolved"
    assert said(VerdictState.SNOOZED, until="2026-03-06") == "put off until 2026-03-06"
    assert said(VerdictState.SNOOZED, until="2026-03-05") == "put off until 2026-03-05, and back now"


def test_what_is_owed_is_told_with_the_command_that_does_it() -> None:
    assert list(standing_lines(WHOLE)) == []
    owed = replace(WHOLE, notes_owed=1, claims_owed=3, not_judged=2, removed=4)
    first, second = (line.plain for line in standing_lines(owed))
    assert first.startswith("Not looked at yet: 1 note still to be read for what they state; 3 statements")
    assert "2 pairs not judged" in first
    assert first.endswith("Now: vaultrag contradictions --scan")
    assert second.endswith("or a model: 4. --all shows them.")


def test_only_open_contradictions_are_counted() -> None:
    found = finding()
    decided = replace(found, decided=Verdict(found.key, VerdictState.ACCEPTED, ()))
    others = [replace(found, kind=kind) for kind in FindingKind]
    assert count_line([*others, decided], WHOLE, "", 0, TODAY).plain == "1 open contradiction among 12 statements."
    part = replace(WHOLE, claims_owed=4)
    assert count_line([], part, "", 2, TODAY).plain == (
        "No open contradiction among 8 statements compared so far. 2 findings decided before: --all shows them."
    )
    assert count_line([], WHOLE, "", 0, TODAY).plain == f"No open contradiction among 12 statements.{UNFOUND}"


def test_other_judges_or_embedder_leave_an_earlier_look_and_no_number_of_compared_ones() -> None:
    owed = replace(WHOLE, claims_owed=12)
    assert "1 open contradiction, found by an earlier look" in count_line([finding()], owed, "", 0, TODAY).plain


def test_copies_are_named_below_the_side_that_they_repeat() -> None:
    found = finding()
    copies = [replace(found, key=f"{n}", one=replace(found.one, path=f"Копия {n}.md")) for n in range(5)]
    shown = _plain(drawn(*finding_block(FindingGroup(found, tuple(copies)), "v", TODAY), width=200))
    assert shown.count("also in") == 1
    assert "also in Копия 0.md:1, Копия 1.md:1, Копия 2.md:1 and 2 more" in shown


def test_long_quote_is_folded_below_its_own_beginning_and_is_one_line_in_a_pipe() -> None:
    found = replace(finding(), one=replace(finding().one, quote="слово " * 40))
    folded = [
        line for line in _plain(drawn(*finding_block(FindingGroup(found), "v", TODAY))).split("\n") if "слово" in line
    ]
    assert len(folded) > 2
    assert folded[0].startswith("  1  “слово")
    assert all(line.startswith("     слово") for line in folded[1:])
    stream = io.StringIO()
    console = HarmlessConsole(file=stream, width=PIPE_WIDTH, highlight=False, markup=False, emoji=False)
    for part in finding_block(FindingGroup(found), "v", TODAY):
        console.print(part)
    assert sum("слово" in line for line in stream.getvalue().split("\n")) == 1


def test_sides_stand_beside_one_another_only_where_there_is_room() -> None:
    around = Surroundings(
        "Бюджет ремонта кухни: 450 000 ₽, из них плитка 120 000 ₽ и доставка.", ("до",), "", "", ("после",)
    )
    changed = Surroundings("预算 450 000 ₽", stands=False)
    screen = ReviewScreen(finding(), 1, 2, (around, changed), [("q", "quit")], "v")
    narrow, wide = drawn(screen, width=80), drawn(screen, width=130)
    assert max(map(len, _plain(narrow).split("\n"))) <= 80
    hut = [line for line in _plain(wide).split("\n") if "Hut.md" in line]
    assert any("Weekend.md" in line for line in hut)
    assert not any("Weekend.md" in line for line in _plain(narrow).split("\n") if "Hut.md" in line)
    assert CHANGED.split()[0] in narrow


def test_nothing_of_a_note_steers_the_terminal() -> None:
    evil = "red\x1b[31m \x1b]0;owned\x07 \x9b2J [bold]x[/bold] \u202egpj.exe \rback"
    found = finding()
    side = replace(found.one, quote=evil, path=f"{evil}.md", speaker=evil, holder=Holder.QUOTED, heading_path=(evil,))
    bad = replace(found, one=side, reason=evil, decided=Verdict("k", VerdictState.DISMISSED, (), evil))
    around = Surroundings(evil, (evil,), evil, evil, (evil,))
    screen = ReviewScreen(bad, 1, 1, (around, around), [("q", "quit")], "v")
    shown = drawn(screen, *finding_block(FindingGroup(bad), "v", TODAY))
    assert steering(shown) == set()
    assert "[bold]x[/bold]" in shown


def _plain(shown: str) -> str:
    import re

    return re.sub(r"\x1b\]8;[^\x1b]*\x1b\\|\x1b\[[\d;]*m", "", shown)
