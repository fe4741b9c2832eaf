"""Contradictions of an indexed vault: compared once, kept with what they need, gone with their notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.contradictions.claims.kept import extract_owed
from vaultrag.contradictions.kept import compare_owed, kept_findings
from vaultrag.contradictions.note_texts import NoteTexts
from vaultrag.contradictions.scan import Judges, PairScan
from vaultrag.domain import PairJudgement
from vaultrag.errors import ModelError
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.pairs.judgements import failed_count, read_found
from vaultrag.workspace import Ownership, Workspace

NOTES = {
    "Hut.md": "The walk to the hut takes 90 minutes.\n",
    "Weekend.md": "To the hut it's three hours of walk.\n",
    "Насос.md": "Гарантия на насос: 24 месяца, чек в папке.\n",
}


class Judge:
    """Counts what it is asked; fails while it is told to."""

    name = fingerprint = "counting"

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    def judge_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairJudgement]:
        self.asked += len(pairs)
        if self.fails:
            raise ModelError("It died.", "Try again.")
        return [PairJudgement(0.8, 0.1)] * len(pairs)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    vault = tmp_path / "vault"
    vault.mkdir()
    for path, text in NOTES.items():
        (vault / path).write_text(text, encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as made:
        yield made


def look(workspace: Workspace, judge: Judge | None = None) -> PairScan:
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    extract_owed(workspace.database)
    texts = NoteTexts(workspace.config, workspace.database)
    return compare_owed(workspace.database, texts.at, Judges(judge))


def write(workspace: Workspace, path: str, text: str) -> None:
    (workspace.config.vault / path).write_text(text, encoding="utf-8")


def test_finding_is_kept_with_its_reason_in_either_language(workspace: Workspace) -> None:
    look(workspace)
    [kept] = [finding.said("ru") for finding in kept_findings(workspace.database)]
    assert kept.reason.startswith("Разная длительность одного:")
    assert {kept.one.path, kept.other.path} == {"Hut.md", "Weekend.md"}


def test_second_look_without_changes_compares_and_asks_nothing(workspace: Workspace) -> None:
    judge = Judge()
    first = look(workspace, judge)
    assert judge.asked >= 1
    asked, again = judge.asked, look(workspace, judge)
    assert (judge.asked, sum(again.verdicts.values())) == (asked, 0)
    assert len(kept_findings(workspace.database)) == len(first.found) == 1


def test_only_what_changed_is_judged_again(workspace: Workspace) -> None:
    judge = Judge()
    look(workspace, judge)
    asked = judge.asked
    write(workspace, "Насос.md", "Гарантия на насос: 24 месяца, чек у Нины.\n")
    look(workspace, judge)
    assert judge.asked == asked
    write(workspace, "Weekend.md", "To the hut it's four hours of walk.\n")
    look(workspace, judge)
    assert judge.asked == asked + 1


def test_corrected_note_takes_its_finding_along(workspace: Workspace) -> None:
    look(workspace)
    write(workspace, "Weekend.md", "To the hut it's 90 minutes of walk.\n")
    look(workspace)
    assert kept_findings(workspace.database) == []


def test_judge_that_failed_is_asked_again_and_counted_till_then(workspace: Workspace) -> None:
    judge = Judge()
    judge.fails = True
    assert look(workspace, judge).not_judged == 1
    assert failed_count(workspace.database, judge.fingerprint) == 1
    judge.fails = False
    assert look(workspace, judge).not_judged == 0
    assert failed_count(workspace.database, judge.fingerprint) == 0


def test_deleted_note_leaves_none_of_its_words(workspace: Workspace) -> None:
    look(workspace)
    assert len(read_found(workspace.database)) == 1
    (workspace.config.vault / "Hut.md").unlink()
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    assert read_found(workspace.database) == []


def test_note_that_changed_since_it_was_indexed_is_not_shown(workspace: Workspace) -> None:
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    extract_owed(workspace.database)
    write(workspace, "Hut.md", "The walk to the hut takes 3 hours now.\n")
    looked = compare_owed(workspace.database, NoteTexts(workspace.config, workspace.database).at, Judges())
    assert (looked.found, len(looked.removed)) == ((), 1)
    assert kept_findings(workspace.database) == []


def test_vectors_of_claims_are_made_once(workspace: Workspace) -> None:
    embedder = HashEmbedder()
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    extract_owed(workspace.database)
    texts = NoteTexts(workspace.config, workspace.database)
    compare_owed(workspace.database, texts.at, Judges(), embedder)
    count = workspace.database.value("SELECT count(*) FROM claim_vectors")
    assert count == workspace.database.value("SELECT count(DISTINCT key) FROM claims")
