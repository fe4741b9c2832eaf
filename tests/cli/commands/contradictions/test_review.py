"""`vaultrag contradictions review` at a pseudo-terminal: one key for each decision, kept in the journal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.commands.contradictions.conftest import Disagreeing
from tests.contradictions.disagreeing import HUT, NOTES, REPAIR, SHED
from tests.product import run
from tests.typing import CTRL_C, ENTER, Typist
from vaultrag.domain import VerdictState
from vaultrag.errors import UsageError
from vaultrag.records.archive import Archive

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")]
KEYS = "q quit"
WITH_SUPERSEDED = ("--kind", "contradiction", "--kind", "superseded")


@contextmanager
def reviewing(notes: Disagreeing, *arguments: str) -> Iterator[Typist]:
    command = [sys.executable, "-m", "tests.product", "contradictions", "review", *arguments, *notes.named]
    with Typist.start(command, Path(__file__).parents[4], {"EDITOR": "cat"}) as typist:
        press_next(typist)
        yield typist


def state_of(notes: Disagreeing, path: str) -> VerdictState | None:
    decided = notes.of(path).decided
    return decided.state if decided else None


def press_next(typist: Typist, shown: str = KEYS) -> None:
    """Wait until this is shown and the next key counts."""
    typist.wait_for(shown)
    typist.wait_for_key()


def first_side(shown: str) -> str:
    return shown.partition("─  2  ─")[0]


@pytest.mark.slow
def test_each_key_decides_and_the_journal_keeps_it(notes: Disagreeing) -> None:
    with reviewing(notes, "--days", "7", *WITH_SUPERSEDED) as typist:
        shown = typist.shown
        assert "1 of 3" in shown
        assert "Гарантия на насос: 24 месяца, чек в папке." in shown
        assert "Ключ от сарая, дубликатов 3 штуки." in shown  # what stands before it
        assert max(map(len, shown.split("\n"))) <= 80
        typist.type("2")
        typist.wait_for("Resolved: 2 is right")
        press_next(typist)
        typist.type("в")  # the key d of a Russian keyboard
        typist.wait_for("Dismissed: no contradiction")
        typist.wait_for("3 of 3")
        press_next(typist)
        typist.type("z")
        press_next(typist, "That was the last one")
        typist.type("q")
        typist.wait_for("1 resolved, 1 dismissed, 1 snoozed. Nothing waits any more.")
        assert typist.end() == 0
    shed = notes.of(SHED)
    assert shed.decided is not None
    assert shed.decided.right == shed.other.key
    assert state_of(notes, HUT) is VerdictState.DISMISSED
    snoozed = notes.of(REPAIR).decided
    assert snoozed is not None
    assert snoozed.until == (datetime.now().astimezone().date() + timedelta(days=7)).isoformat()
    assert {path: (notes.vault / path).read_text(encoding="utf-8") for path in NOTES} == NOTES


@pytest.mark.slow
def test_decision_is_undone_skipped_and_explained(notes: Disagreeing) -> None:
    with reviewing(notes, *WITH_SUPERSEDED) as typist:
        typist.type("x")
        press_next(typist, "That key does nothing here.")
        typist.type("a")
        typist.wait_for("2 of 3")
        press_next(typist)
        typist.type("u")
        typist.wait_for("Taken back.")
        typist.wait_for("1 of 3")
        press_next(typist)
        assert state_of(notes, SHED) is None
        typist.type("n")
        typist.wait_for("2 of 3")
        press_next(typist)
        typist.type("d")
        typist.wait_for("3 of 3")
        press_next(typist)
        typist.type("w")
        typist.wait_for("Why, or since when: ")
        typist.type(f"две тропы{ENTER}")
        press_next(typist, "“две тропы”")
        typist.type(CTRL_C)
        typist.wait_for("1 dismissed. 2 findings left open.")
        assert typist.end() == 0
    decided = notes.of(HUT).decided
    assert decided is not None
    assert (decided.state, decided.note) == (VerdictState.DISMISSED, "две тропы")
    assert state_of(notes, SHED) is None


@pytest.mark.slow
def test_what_was_put_off_before_is_put_back_by_undo(notes: Disagreeing) -> None:
    finding = notes.of(HUT)
    with notes.opened() as workspace:
        workspace.findings.decide(finding.key, VerdictState.SNOOZED, until="2999-01-01")
    with notes.opened() as workspace:
        before = Archive(workspace.config, workspace.database).verdicts()[finding.key]
    with reviewing(notes, "--note", SHED) as typist:
        typist.type("1")
        press_next(typist, "That was the last one")
        typist.type("u")
        typist.wait_for("Taken back.")
        press_next(typist)
        typist.type("q")
        assert typist.end() == 0
    assert state_of(notes, SHED) is None
    assert notes.of(HUT).decided == before


@pytest.mark.slow
def test_note_that_changed_since_is_said_to_have(notes: Disagreeing) -> None:
    (notes.vault / HUT).write_text("The walk takes an hour now.\n", encoding="utf-8")
    with reviewing(notes, "--note", HUT) as typist:
        assert "The note says otherwise by now" in typist.shown
        typist.type("e" if HUT in first_side(typist.shown) else "r")
        typist.wait_for("an hour now.")
        press_next(typist)
        typist.type("q")
        assert typist.end() == 0


def test_without_a_terminal_the_way_out_is_named(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contradictions", "review", *notes.named]) == UsageError.exit_code
    assert "vaultrag contradictions decide KEY dismissed" in capsys.readouterr().err
