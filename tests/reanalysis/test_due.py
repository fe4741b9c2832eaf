"""Which notes are due: by their own change, by that of a linked note, by age, and by a template's scope."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reanalysis.analysed_vault import BACKUP, BOILER, MASTER, METER, analysed, opened
from vaultrag.domain import unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.reanalysis.due import DueNote, Why, due_notes
from vaultrag.reanalysis.templates import DueWhen, find_template
from vaultrag.store.notes.analysed import analysed_notes
from vaultrag.workspace import Workspace
from vaultrag.workspace.analysing import AnalysisRequest

DAY = 86_400


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with opened(tmp_path) as made:
        analysed(made, AnalysisRequest(BOILER, "архитектор"))
        yield made


def _due(
    workspace: Workspace, days: float = 0, due: DueWhen | None = None, scope: str = ""
) -> list[tuple[str, str, Why]]:
    template = find_template(workspace.config, "problem")
    if due is not None:
        template = replace(template, due=due, scope=scope)
    found = due_notes(workspace.database, template, time.time() + days * DAY)
    return [(one.path, one.role, one.why) for one in found]


def _change(workspace: Workspace, path: str) -> None:
    file = workspace.config.vault / path
    file.write_text(file.read_text(encoding="utf-8") + "\nЕщё строка.\n", encoding="utf-8")
    workspace.index(unwatched, DeletionPolicy.GUARD)


def test_note_is_not_due_right_after_it_was_analysed(workspace: Workspace) -> None:
    assert _due(workspace) == []


def test_note_that_was_never_analysed_is_not_due(workspace: Workspace) -> None:
    _change(workspace, BACKUP)
    assert _due(workspace) == []


def test_changed_note_is_due_for_the_role_it_was_analysed_as(workspace: Workspace) -> None:
    _change(workspace, BOILER)
    assert _due(workspace) == [(BOILER, "архитектор", Why.CHANGED)]
    analysed(workspace, AnalysisRequest(BOILER, "архитектор"))
    assert _due(workspace) == []


@pytest.mark.parametrize("linked", [METER, MASTER])
def test_changed_note_that_it_links_to_makes_it_due(workspace: Workspace, linked: str) -> None:
    _change(workspace, linked)
    assert _due(workspace) == [(BOILER, "архитектор", Why.LINKED_CHANGED)]


def test_saving_a_note_unchanged_makes_nothing_due(workspace: Workspace) -> None:
    os.utime(workspace.config.vault / BOILER)
    workspace.index(unwatched, DeletionPolicy.GUARD)
    assert _due(workspace) == []


def test_age_makes_due_and_a_clock_set_back_does_not(workspace: Workspace) -> None:
    assert _due(workspace, days=89.9) == []
    assert _due(workspace, days=90.1) == [(BOILER, "архитектор", Why.OLD)]
    assert _due(workspace, days=-400) == []


def test_template_decides_what_counts(workspace: Workspace) -> None:
    _change(workspace, BOILER)
    assert _due(workspace, due=DueWhen(linked_changed=True)) == []
    assert _due(workspace, due=DueWhen(changed=True)) == [(BOILER, "архитектор", Why.CHANGED)]


def test_scope_names_notes_that_are_due_before_they_were_analysed(workspace: Workspace) -> None:
    assert _due(workspace, due=DueWhen(), scope="path:Дом/") == [(METER, "", Why.NEVER)]


def test_moved_note_keeps_its_analysis_and_deleted_one_leaves_nothing(workspace: Workspace) -> None:
    vault = workspace.config.vault
    (vault / BOILER).rename(vault / "Дом/Водонагреватель.md")
    workspace.index(unwatched, DeletionPolicy.GUARD)
    [one] = analysed_notes(workspace.database, "problem")
    assert one.now.path == "Дом/Водонагреватель.md"
    assert one.now.content == one.then.content
    (vault / "Дом/Водонагреватель.md").unlink()
    workspace.index(unwatched, DeletionPolicy.ACCEPT)
    assert analysed_notes(workspace.database, "problem") == []


def test_forgotten_note_leaves_no_analysis(workspace: Workspace) -> None:
    workspace.forgetting.forget(BOILER, unwatched)
    assert analysed_notes(workspace.database, "problem") == []
    assert due_notes(workspace.database, find_template(workspace.config, "problem"), time.time() + 400 * DAY) == []


def test_changed_ones_come_before_old_ones(workspace: Workspace) -> None:
    analysed(workspace, AnalysisRequest(BACKUP))
    _change(workspace, BACKUP)
    found = due_notes(workspace.database, find_template(workspace.config, "problem"), time.time() + 100 * DAY)
    assert [(one.path, one.why) for one in found] == [(BACKUP, Why.CHANGED), (BOILER, Why.OLD)]
    assert isinstance(found[0], DueNote)
