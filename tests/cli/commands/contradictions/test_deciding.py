"""`vaultrag contradictions decide`: one finding, without being asked."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from tests.cli.commands.contradictions.conftest import Disagreeing
from tests.contradictions.disagreeing import DACHA, HUT, SHED
from tests.product import run
from vaultrag.domain import VerdictState, unwatched
from vaultrag.errors import UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership


def decide(notes: Disagreeing, path: str, *arguments: str) -> int:
    return run(["contradictions", "decide", notes.of(path).key[:6], *arguments, *notes.named])


def test_decision_is_kept_and_taken_back(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    assert decide(notes, HUT, "accepted", "--note", "проверить летом") == 0
    said = f"{notes.of(HUT).key[:8]}  Accepted: they do contradict, “проверить летом”.\n"
    assert capsys.readouterr().out == said
    assert decide(notes, HUT, "open", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["open"], shown["decided"]) == (True, None)


def test_side_that_is_right_is_named_as_the_list_numbers_it(
    notes: Disagreeing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decide(notes, SHED, "resolved", "--right", "2", "--note", "Так на чеке.") == 0
    assert "Resolved: 2 is right, “Так на чеке.”" in capsys.readouterr().out
    finding = notes.of(SHED)
    assert finding.decided is not None
    assert finding.decided.right == finding.other.key


def test_what_is_put_off_comes_back_on_its_day(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    assert decide(notes, HUT, "snoozed", "--days", "3") == 0
    day = datetime.now().astimezone().date() + timedelta(days=3)
    assert f"Put off until {day}" in capsys.readouterr().out
    finding = notes.of(HUT)
    assert [finding.is_open(day - timedelta(days=1)), finding.is_open(day)] == [False, True]


def test_decided_finding_comes_back_only_with_other_words(notes: Disagreeing) -> None:
    assert decide(notes, DACHA, "dismissed") == 0
    with notes.opened(Ownership.OWN) as workspace:
        (notes.vault / DACHA).write_text("Гарантия на насос: 4 года, чек в папке.\n", encoding="utf-8")
        workspace.index(unwatched, DeletionPolicy.GUARD)
        workspace.findings.extract()
        workspace.findings.compare()
    assert notes.of(DACHA).decided is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("dismissed", "--right", "1"),
        ("resolved", "--days", "3"),
        ("open", "--note", "x"),
        ("dismissed", "--note", "х" * 3000),
        ("maybe",),
        ("resolved", "--right", "3"),
        ("snoozed", "--days", "0"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_written(
    notes: Disagreeing, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert decide(notes, HUT, *arguments) == UsageError.exit_code
    assert capsys.readouterr().out == ""
    assert notes.of(HUT).decided is None


@pytest.mark.parametrize("key", ["zz", "ключ"])
def test_key_of_nothing_is_refused(notes: Disagreeing, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contradictions", "decide", key, "dismissed", *notes.named]) == UsageError.exit_code
    assert "vaultrag contradictions --all" in capsys.readouterr().err


def test_decision_is_written_while_another_process_owns_the_index(notes: Disagreeing) -> None:
    with notes.opened(Ownership.OWN):
        assert decide(notes, HUT, "dismissed") == 0
    finding = notes.of(HUT)
    assert finding.decided is not None
    assert finding.decided.state is VerdictState.DISMISSED
