"""`vaultrag contradictions`: what differs, both sides, each kind apart, and what was not looked at yet."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from tests.cli.commands.contradictions.conftest import Disagreeing
from tests.contradictions.disagreeing import DACHA, DIARY, HUT, NOTES, REPAIR, SHED, WEEKEND
from tests.contradictions.notes import scanned
from tests.doubles import HashEmbedder, LeaningModel, ScriptedModel
from tests.product import run
from vaultrag.cli.commands.contradictions.listing import blocks_of
from vaultrag.contradictions.grouping import grouped
from vaultrag.domain import Role, VerdictState
from vaultrag.errors import IndexMissing, UsageError
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace import Ownership, Workspace


def test_each_finding_shows_what_differs_and_both_sides(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contradictions", *notes.named]) == 0
    shown = capsys.readouterr().out
    first, others = shown.split("Superseded: ")
    assert first.startswith("Contradictions (2)\n")
    for words in ("«24 месяца» и «3 года»", "“Гарантия на насос: 24 месяца, чек в папке.”", f"{SHED}, line 3 · you"):
        assert words in first
    for words in ("«three hours» и «90 minutes»", "“The walk to the hut takes 90 minutes.”", f"{HUT}, line 1 · you"):
        assert words in first
    assert f"{REPAIR} › Бюджет, line 8 · you · 2025-02-10 (the note's date)" in others
    assert f"{DIARY}, line 3 · you · 2025-02-11 (the note's date)" in others
    assert "\n2 open contradictions among 32 statements.\n" in shown  # what was superseded is off the count


def test_reasons_are_in_the_language_of_the_reports(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    (notes.home / "config.toml").write_text('[night]\nlanguage = "en"\n', encoding="utf-8")
    assert run(["contradictions", "--note", HUT, *notes.named]) == 0
    assert "Two lengths of time for one thing: “three hours” and “90 minutes”." in capsys.readouterr().out


def test_note_kind_and_what_was_decided_are_chosen(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contradictions", "--note", "hut", *notes.named]) == 0
    shown = capsys.readouterr().out
    assert WEEKEND in shown
    assert SHED not in shown
    assert run(["contradictions", "--kind", "superseded", *notes.named]) == 0
    shown = capsys.readouterr().out
    assert REPAIR in shown
    assert HUT not in shown
    with notes.opened() as workspace:
        workspace.findings.decide(notes.of(HUT).key, VerdictState.DISMISSED, "другая тропа")
    assert run(["contradictions", *notes.named]) == 0
    shown = capsys.readouterr().out
    assert HUT not in shown
    assert "1 open contradiction among 32 statements. 1 finding decided before: --all shows it." in shown
    assert run(["contradictions", "--all", *notes.named]) == 0
    shown = capsys.readouterr().out
    assert "dismissed: no contradiction, “другая тропа”" in shown
    assert "1 open contradiction among" in shown


def test_json_holds_the_quotes_as_they_stand_in_the_notes(
    notes: Disagreeing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["contradictions", "--json", *notes.named]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in found["findings"]] == ["contradiction", "contradiction", "superseded"]
    for one in found["findings"]:
        assert one["open"]
        for side in (one["one"], one["other"]):
            line = NOTES[side["path"]].split("\n")[side["lines"][0] - 1]
            assert line[side["columns"][0] - 1 : side["columns"][1]] == side["quote"]
    assert found["standing"]["claims_owed"] == found["standing"]["notes_owed"] == found["decided"] == 0
    superseded = found["findings"][-1]
    assert (superseded["one"]["since"], superseded["one"]["dated_by"]) == ("2025-02-10", "note")


def test_nothing_compared_is_never_told_as_no_contradiction(
    uncompared: Disagreeing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["contradictions", *uncompared.named]) == IndexMissing.exit_code
    told = capsys.readouterr()
    assert told.out == ""
    assert "Nothing has been compared yet" in told.err
    assert "vaultrag contradictions --scan" in told.err
    with uncompared.opened(Ownership.OWN) as workspace:
        workspace.findings.extract()
    assert run(["contradictions", "--json", *uncompared.named]) == IndexMissing.exit_code
    assert json.loads(capsys.readouterr().err)["error"] == "IndexMissing"


def test_what_is_owed_is_told_below_what_was_found(notes: Disagreeing, capsys: pytest.CaptureFixture[str]) -> None:
    (notes.vault / DACHA).write_text("Гарантия на насос: 24 месяца, чек в папке.\n", encoding="utf-8")
    assert run(["index", *notes.named]) == 0
    capsys.readouterr()
    assert run(["contradictions", *notes.named]) == 0
    shown = capsys.readouterr().out
    assert "1 open contradiction among 31 statements compared so far." in shown
    assert (
        "Not looked at yet: 1 note still to be read for what they state. Now: vaultrag contradictions --scan" in shown
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--open", "--all"],
        ["--later"],
        ["--note", "Нет такой"],
        ["--kind", "wrong"],
        ["nonsense"],
    ],
)
def test_what_makes_no_sense_is_refused(
    notes: Disagreeing, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*notes.named, "contradictions", *arguments]) == UsageError.exit_code
    assert capsys.readouterr().out == ""


def test_list_is_read_while_another_process_owns_the_index(
    notes: Disagreeing, capsys: pytest.CaptureFixture[str]
) -> None:
    with notes.opened(Ownership.OWN):
        assert run(["contradictions", *notes.named]) == 0
    assert "2 open contradictions" in capsys.readouterr().out


def test_what_a_model_keeps_back_is_counted_and_shown_with_all(
    notes: Disagreeing, capsys: pytest.CaptureFixture[str]
) -> None:
    form = {"same_subject": True, "same_attribute": True, "same_time": True, "verdict": "entailed"}
    models = ModelPool.given(
        notes.config, HashEmbedder(), LeaningModel({}), others={Role.JUDGE: ScriptedModel([json.dumps(form)])}
    )
    with Workspace(notes.config, Ownership.OWN, models) as workspace:
        workspace.findings.compare()
    assert run(["contradictions", *notes.named]) == 0
    shown = capsys.readouterr().out
    assert "No open contradiction" in shown
    assert "or a model: 2. --all shows them." in " ".join(shown.split())
    assert run(["contradictions", "--all", *notes.named]) == 0
    shown = capsys.readouterr().out
    assert "Kept back: not taken for a contradiction (2)\n" in shown
    assert "Одно следует из другого." in shown
    assert "kept back by a model" in shown
    assert run(["contradictions", "--all", "--json", *notes.named]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["gate"] for one in said["kept_back"]] == ["follows", "follows"]


def test_few_of_what_is_no_contradiction_are_shown_unless_they_are_asked_for() -> None:
    [found] = scanned({HUT: NOTES[HUT], WEEKEND: NOTES[WEEKEND]}).found
    one = found.said("en")
    days = [replace(one, key=f"{n}", one=replace(one.one, quote=f"{n}", path=f"{n // 9}.md")) for n in range(90)]
    groups = grouped(days)
    few = [str(block) for block in blocks_of("Superseded", groups, "v", date(2026, 3, 5), "superseded")]
    assert few[0] == "Superseded (90)"
    assert "… and 80 more: vaultrag contradictions --kind superseded" in few
    assert sum("Two lengths of time" in block for block in few) == 10
    whole = [str(block) for block in blocks_of("Superseded", groups, "v", date(2026, 3, 5))]
    assert sum("Two lengths of time" in block for block in whole) == 90
