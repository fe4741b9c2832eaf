"""Contradictions of an indexed vault: compared once, kept with what they need, gone with their notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.contradictions import kept
from vaultrag.contradictions.claims.kept import extract_owed
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.kept import ScanRun, all_kept, compare_owed, kept_findings
from vaultrag.contradictions.note_texts import NoteTexts
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


def look(workspace: Workspace, judge: Judge | None = None) -> ScanRun:
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    extract_owed(workspace.database)
    texts = NoteTexts(workspace.config, workspace.database)
    return compare_owed(workspace.database, texts.at, Judges(judge))


def write(workspace: Workspace, path: str, text: str) -> None:
    (workspace.config.vault / path).write_text(text, encoding="utf-8")


def write_many(workspace: Workspace, count: int) -> None:
    """Write notes that all contradict each other, under titles that have nothing in common."""
    for number in range(count):
        title = f"{'бвгджклмнпрст'[number % 13]}{'аеиоу'[number // 13]}лка"
        write(workspace, f"{title}.md", f"Гарантия на насос: {20 + number} месяцев, чек в папке.\n")


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
    assert (judge.asked, again.claims, again.pairs) == (asked, 0, 0)
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


def test_few_claims_at_a_time_find_the_same(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    write_many(workspace, 12)
    monkeypatch.setattr(kept, "AT_ONCE", 1)
    one_by_one = look(workspace)
    together = {(row.one, row.other, row.ground, row.confidence) for row in read_found(workspace.database)}
    assert len(together) == len(one_by_one.found) > 5
    workspace.database.run("DELETE FROM compared_claims")
    monkeypatch.setattr(kept, "AT_ONCE", 1000)
    at_once = look(workspace)
    assert (at_once.pairs, len(at_once.found)) == (one_by_one.pairs, len(one_by_one.found))
    assert {(row.one, row.other, row.ground, row.confidence) for row in read_found(workspace.database)} == together


def _after(looks: int) -> Callable[[], bool]:
    left = iter([False] * (looks + 1))
    return lambda: next(left, True)


def test_stopped_anywhere_it_goes_on_and_finds_the_same(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "AT_ONCE", 1)
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    extract_owed(workspace.database)
    judge, runs = Judge(), 0
    while True:
        texts = NoteTexts(workspace.config, workspace.database)
        done = compare_owed(workspace.database, texts.at, Judges(judge), must_stop=_after(runs))
        runs += 1
        if not done.left and not done.not_judged:
            break
    assert runs > 1
    assert len(kept_findings(workspace.database)) == 1
    assert judge.asked == 1


def test_finding_that_a_moved_line_hid_is_looked_at_again(workspace: Workspace) -> None:
    workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
    extract_owed(workspace.database)
    write(workspace, "Hut.md", f"A new first line.\n\n{NOTES['Hut.md']}")
    compare_owed(workspace.database, NoteTexts(workspace.config, workspace.database).at, Judges())
    assert kept_findings(workspace.database) == []
    look(workspace)
    assert len(kept_findings(workspace.database)) == 1


def test_finding_keeps_the_moment_at_which_it_was_found_first(workspace: Workspace) -> None:
    look(workspace)
    [first] = all_kept(workspace.database)
    workspace.database.run("DELETE FROM compared_claims")
    look(workspace)
    assert [one.at for one in all_kept(workspace.database)] == [first.at]


def test_judge_that_never_answers_is_not_asked_on_and_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    write_many(workspace, 10)
    monkeypatch.setattr(kept, "BATCH", 4)
    judge = Judge()
    judge.fails = True
    told = look(workspace, judge)
    assert judge.asked <= kept.FAILURES * 4 < told.not_judged
    assert failed_count(workspace.database, judge.fingerprint) == told.not_judged


def test_judgement_stays_while_claims_are_only_owed(workspace: Workspace) -> None:
    look(workspace, Judge())
    count = "SELECT count(*) FROM judgements"
    known = workspace.database.value(count)
    of_hut = "SELECT chunks.id FROM chunks JOIN notes ON notes.id = note_id WHERE path = 'Hut.md'"
    workspace.database.run(f"DELETE FROM extractions WHERE chunk_id IN ({of_hut})")  # as where a kill left it owed
    workspace.database.run("DELETE FROM compared_claims")
    texts = NoteTexts(workspace.config, workspace.database)
    compare_owed(workspace.database, texts.at, Judges(Judge()))
    assert workspace.database.value(count) == known > 0
    write(workspace, "Weekend.md", "Nothing is said of it.\n")
    look(workspace, Judge())
    assert workspace.database.value(count) < known
