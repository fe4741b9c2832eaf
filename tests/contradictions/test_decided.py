"""Verdicts of the user stand in the journal, and a finding returns only when either side changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.contradictions.claims.kept import extract_owed
from vaultrag.contradictions.decided import decision_on, key_of, undecided
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.kept import compare_owed, kept_findings
from vaultrag.contradictions.note_texts import NoteTexts
from vaultrag.contradictions.scan import PairFinding
from vaultrag.domain import VerdictState
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.records.archive import Archive
from vaultrag.workspace import Ownership, Workspace

NOTES = {
    "Сарай.md": "Ключ от сарая, дубликатов 3 штуки.\n\nГарантия на насос: 24 месяца, чек в папке.\n",
    "Дача.md": "Гарантия на насос: 3 года, чек в папке.\n",
}
TODAY = date(2026, 3, 5)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    vault = tmp_path / "vault"
    vault.mkdir()
    for path, text in NOTES.items():
        (vault / path).write_text(text, encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as made:
        yield made


def waiting(workspace: Workspace, today: date = TODAY) -> list[PairFinding]:
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    extract_owed(workspace.database)
    compare_owed(workspace.database, NoteTexts(workspace.config, workspace.database).at, Judges())
    verdicts = Archive(workspace.config, workspace.database).verdicts()
    return undecided(kept_findings(workspace.database), verdicts, today)


def test_dismissed_finding_returns_only_when_a_side_changes(workspace: Workspace) -> None:
    [finding] = waiting(workspace)
    archive = Archive(workspace.config, workspace.database)
    archive.decide(decision_on(finding, VerdictState.DISMISSED))
    assert waiting(workspace) == []
    note = workspace.config.vault / "Сарай.md"
    note.write_text(f"Новая первая строка.\n\n{NOTES['Сарай.md']}", encoding="utf-8")
    assert waiting(workspace) == []
    note.write_text(NOTES["Сарай.md"].replace("24 месяца", "18 месяцев"), encoding="utf-8")
    assert len(waiting(workspace)) == 1


def test_snoozed_finding_returns_on_its_day(workspace: Workspace) -> None:
    [finding] = waiting(workspace)
    archive = Archive(workspace.config, workspace.database)
    archive.decide(decision_on(finding, VerdictState.SNOOZED, until="2026-03-10"))
    assert waiting(workspace) == []
    assert len(waiting(workspace, date(2026, 3, 10))) == 1


def test_reopened_finding_waits_again(workspace: Workspace) -> None:
    [finding] = waiting(workspace)
    archive = Archive(workspace.config, workspace.database)
    archive.decide(decision_on(finding, VerdictState.RESOLVED, note="На насосе написано 2 года."))
    assert waiting(workspace) == []
    assert archive.reopen(key_of(finding))
    assert [key_of(one) for one in waiting(workspace)] == [key_of(finding)]
