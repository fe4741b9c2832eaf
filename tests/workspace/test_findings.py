"""What was found, and what the user decides about it: kept, and back only when the words of either side change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.domain import FindingKind, Span, VerdictState
from vaultrag.errors import ModelError, ModelNotFound, UsageError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.records.archive import Archive
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace import Ownership, Workspace

TODAY = date(2026, 3, 5)
NOTES = {
    "Сарай.md": "Ключ от сарая, дубликатов 3 штуки.\n\nГарантия на насос: 24 месяца, чек в папке.\n",
    "Дача.md": "Гарантия на насос: 3 года, чек в папке.\n",
    "Hut.md": "The walk to the hut takes 90 minutes.\n",
    "Weekend.md": "To the hut it's three hours of walk.\n",
    "Лайм.md": "**Я:** Сколько весит модель Лайма?\n\n**ChatGPT:** Модель Лайма весит 32 ГБ на диске.\n",
    "Размеры.md": "**Я:** Сколько весит модель Лайма?\n\n**ChatGPT:** Модель Лайма весит 21 ГБ на диске.\n",
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    vault = tmp_path / "vault"
    vault.mkdir()
    for path, text in NOTES.items():
        (vault / path).write_text(text, encoding="utf-8")
    return Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())


def opened(config: Config, ownership: Ownership = Ownership.OWN) -> Workspace:
    return Workspace(config, ownership, ModelPool.given(config, HashEmbedder(), None))


@pytest.fixture
def workspace(config: Config) -> Iterator[Workspace]:
    with opened(config) as made:
        look(made)
        yield made


def look(workspace: Workspace) -> None:
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    workspace.findings.extract()
    workspace.findings.compare()


def test_findings_have_a_kind_a_moment_and_a_reason_in_the_readers_language(workspace: Workspace) -> None:
    found = {finding.paths: finding for finding in workspace.findings.all("ru")}
    assert {paths: finding.kind for paths, finding in found.items()} == {
        ("Дача.md", "Сарай.md"): FindingKind.CONTRADICTION,
        ("Hut.md", "Weekend.md"): FindingKind.CONTRADICTION,
        ("Лайм.md", "Размеры.md"): FindingKind.ASSISTANTS,
    }
    assert found["Дача.md", "Сарай.md"].reason.startswith("Разная длительность одного")
    assert datetime.fromisoformat(found["Hut.md", "Weekend.md"].found_at) <= datetime.now(UTC)
    assert [one.reason.split(":")[0] for one in workspace.findings.of_notes({"Hut.md"})] == [
        "Two lengths of time for one thing"
    ]


def test_only_open_findings_that_share_a_line_touch_a_place(workspace: Workspace) -> None:
    findings = workspace.findings
    [finding] = findings.touching([("Сарай.md", Span(3, 0, 3, 5)), ("Hut.md", Span(2, 0, 9, 0))])
    assert finding.paths == ("Дача.md", "Сарай.md")
    assert findings.touching([("Сарай.md", Span(1, 0, 2, 0))]) == []
    findings.decide(finding.key, VerdictState.ACCEPTED)
    assert findings.touching([("Сарай.md", Span(3, 0, 3, 5))]) == []


def test_verdict_says_which_side_is_right_and_returns_only_with_other_words(workspace: Workspace) -> None:
    findings = workspace.findings
    [finding] = findings.of_notes({"Дача.md"})
    right = next(claim for claim in (finding.one, finding.other) if claim.path == "Дача.md")
    findings.decide(finding.key[:8], VerdictState.RESOLVED, "Так на чеке.", right=right.key)
    [decided] = findings.of_notes({"Дача.md"})
    assert decided.decided is not None
    assert (decided.decided.right, decided.decided.note) == (right.key, "Так на чеке.")
    assert not decided.is_open(TODAY)
    (workspace.config.vault / "Дача.md").write_text("Гарантия на насос: 4 года, чек в папке.\n", encoding="utf-8")
    look(workspace)
    [again] = findings.of_notes({"Дача.md"})
    assert again.is_open(TODAY)
    assert again.decided is None


def test_snoozed_finding_is_open_again_on_its_day_and_reopened_at_once(workspace: Workspace) -> None:
    [finding] = workspace.findings.of_notes({"Hut.md"})
    day = datetime.now().astimezone().date() + timedelta(days=9)
    workspace.findings.decide(finding.key, VerdictState.SNOOZED, until=day.isoformat())
    [snoozed] = workspace.findings.of_notes({"Hut.md"})
    assert [snoozed.is_open(day - timedelta(days=1)), snoozed.is_open(day)] == [False, True]
    assert workspace.findings.reopen(finding.key)
    [reopened] = workspace.findings.of_notes({"Hut.md"})
    assert reopened.decided is None
    assert not workspace.findings.reopen(finding.key)


@pytest.mark.parametrize("until", ["", "soon", "2020-01-01"])
def test_day_to_come_back_on_lies_in_the_future(workspace: Workspace, until: str) -> None:
    [finding] = workspace.findings.of_notes({"Hut.md"})
    with pytest.raises(UsageError):
        workspace.findings.decide(finding.key, VerdictState.SNOOZED, until=until)


@pytest.mark.parametrize("beginning", ["", "zzz", "ключ"])
def test_finding_that_is_not_there_is_a_clear_error(workspace: Workspace, beginning: str) -> None:
    with pytest.raises(UsageError):
        workspace.findings.decide(beginning, VerdictState.DISMISSED)


def test_reader_sees_and_decides_while_another_process_owns_the_index(workspace: Workspace, config: Config) -> None:
    with opened(config, Ownership.READ) as reader:
        [finding] = reader.findings.of_notes({"Hut.md"})
        reader.findings.decide(finding.key, VerdictState.DISMISSED, "Two walks.")
        assert not reader.findings.of_notes({"Hut.md"})[0].is_open(TODAY)
        assert reader.findings.standing().is_whole
    verdict = Archive(config, workspace.database).verdicts()[finding.key]
    assert (verdict.note, verdict.paths) == ("Two walks.", ("Hut.md", "Weekend.md"))


def test_verdict_survives_the_loss_of_the_index(workspace: Workspace, config: Config) -> None:
    [finding] = workspace.findings.of_notes({"Hut.md"})
    workspace.findings.decide(finding.key, VerdictState.RESOLVED, right=finding.one.key)
    workspace.close()
    config.database_path.unlink()
    with opened(config) as made:
        look(made)
        [again] = made.findings.of_notes({"Hut.md"})
        assert again.decided is not None
        assert again.decided.right == finding.one.key


def test_standing_counts_what_is_owed(config: Config) -> None:
    with opened(config) as made:
        made.index(lambda *_: None, DeletionPolicy.ACCEPT)
        before = made.findings.standing()
        assert (before.claims, before.notes_owed, before.is_whole) == (0, len(NOTES), False)
        made.findings.extract()
        between = made.findings.standing()
        assert between.claims == between.claims_owed > 0
        assert made.findings.compare() == between.claims
        assert made.findings.standing().is_whole
        assert made.findings.compare() == 0


def test_what_is_stopped_stays_owed_and_is_done_later(config: Config) -> None:
    with opened(config) as made:
        made.index(lambda *_: None, DeletionPolicy.ACCEPT)
        assert made.findings.extract(must_stop=lambda: True) == 0
        made.findings.extract()
        assert made.findings.compare(must_stop=lambda: True) == 0
        assert made.findings.all() == []
        assert not made.findings.standing().is_whole
        made.findings.compare()
        assert len(made.findings.all()) == 3


def test_judge_that_is_not_here_leaves_what_code_finds_and_counts_the_rest(config: Config) -> None:
    named = Config(
        vault=config.vault,
        home=config.home,
        models=config.models,
        settings=Settings.model_validate({"roles": {"scan": "mdeberta-v3-mnli-xnli"}}),
    )
    with opened(named) as made:
        made.index(lambda *_: None, DeletionPolicy.ACCEPT)
        made.findings.extract()
        with pytest.raises(ModelNotFound, match="not judged") as caught:
            made.findings.compare()
        assert isinstance(caught.value, ModelError)
        standing = made.findings.standing()
        assert (standing.judge, standing.is_whole) == ("mdeberta-v3-mnli-xnli", False)
        assert standing.not_judged >= 3
        assert len(made.findings.all()) == 3


def test_decision_holds_for_copies_and_is_taken_back_for_all(workspace: Workspace) -> None:
    vault = workspace.config.vault
    (vault / "Weekend trip.md").write_text((vault / "Weekend.md").read_text(encoding="utf-8"), encoding="utf-8")
    look(workspace)
    [finding] = workspace.findings.of_notes({"Weekend.md"})
    [copy] = workspace.findings.of_notes({"Weekend trip.md"})
    assert copy.key != finding.key
    right = next(claim for claim in (finding.one, finding.other) if "90 minutes" in claim.quote)
    workspace.findings.decide(finding.key, VerdictState.RESOLVED, "мерил сам", right=right.key)
    [copy] = workspace.findings.of_notes({"Weekend trip.md"})
    assert copy.decided is not None
    assert "90 minutes" in next(side.quote for side in (copy.one, copy.other) if side.key == copy.decided.right)
    assert workspace.findings.reopen(copy.key)
    assert all(one.decided is None for one in workspace.findings.all())
    assert workspace.findings.of_notes({"Weekend trip.md"})[0].decided is None
