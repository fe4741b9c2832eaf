"""When notes were analysed: the row hangs on the note, and a later analysis takes the place of an earlier one."""

from __future__ import annotations

from pathlib import Path

from tests.retrieval.indexed_vault import indexed_vault
from vaultrag.store.notes.analysed import NoteState, analysed_notes, note_states, write_analysed

NOTES = {"А.md": "# А\n\nСсылка на [[Б]] и [[Нигде]].\n", "Б.md": "# Б\n\nТекст.\n", "В.md": "# В\n\nНичего.\n"}


def test_state_of_a_note_tells_itself_and_what_it_links_to(tmp_path: Path) -> None:
    with indexed_vault(tmp_path, NOTES) as workspace:
        first, second = note_states(workspace.database, ["В.md", "А.md", "нет.md"])
        alone = note_states(workspace.database, ["Б.md"])[0]
    assert (first.path, second.path) == ("А.md", "В.md")
    assert first.linked != second.linked == alone.linked


def test_later_analysis_replaces_the_earlier_one_of_its_template_and_role(tmp_path: Path) -> None:
    with indexed_vault(tmp_path, NOTES) as workspace:
        database = workspace.database
        [state] = note_states(database, ["А.md"])
        for at, template, role in (
            (1.0, "problem", ""),
            (2.0, "problem", "врач"),
            (3.0, "other", ""),
            (4.0, "problem", ""),
        ):
            write_analysed(database, template, role, state, at)
        assert [(one.role, one.at) for one in analysed_notes(database, "problem")] == [("", 4.0), ("врач", 2.0)]


def test_note_that_went_meanwhile_leaves_no_row(tmp_path: Path) -> None:
    with indexed_vault(tmp_path, NOTES) as workspace:
        write_analysed(workspace.database, "problem", "", NoteState(999, "Г.md", "x", "y"), 1.0)
        assert analysed_notes(workspace.database, "problem") == []
