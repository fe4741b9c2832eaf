"""The app's own names for notes of a day, read from its settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doubles import count_words
from vaultrag.domain import FileStat
from vaultrag.indexing.periodic_notes import DAILY, PERIODIC, periodic_notes
from vaultrag.indexing.read import Recipe, read_and_cut
from vaultrag.text.times.moment_format import PeriodicNotes


def write_settings(vault: Path, name: str, settings: object) -> None:
    file = vault / ".obsidian" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def recipe_of(vault: Path) -> Recipe:
    return Recipe(count_words, "words", 100, 200, periodic_notes(vault))


def test_daily_note_has_the_day_that_its_format_says(tmp_path: Path) -> None:
    write_settings(tmp_path, DAILY, {"folder": "Дневник/", "format": "YY-DD-MM", "template": "Шаблон"})
    (tmp_path / "Дневник").mkdir()
    (tmp_path / "Дневник" / "24-05-03.md").write_text("Снег.", encoding="utf-8")
    stat = FileStat("Дневник/24-05-03.md", "Дневник/24-05-03.md", 1, 1, 1)
    note = read_and_cut(tmp_path, stat, 1000, recipe_of(tmp_path)).note
    assert (note.date, note.date_source) == ("2024-03-05", "name")
    without = read_and_cut(tmp_path, stat, 1000, Recipe(count_words, "words", 100, 200)).note
    assert without.date == ""


def test_notes_are_read_again_when_a_format_changes_and_only_then(tmp_path: Path) -> None:
    usual = recipe_of(tmp_path).name
    write_settings(tmp_path, DAILY, {"folder": "Daily", "format": ""})
    assert recipe_of(tmp_path).name == usual == Recipe(count_words, "words", 100, 200).name
    write_settings(tmp_path, DAILY, {"folder": "Daily", "format": "DD.MM.YYYY"})
    assert recipe_of(tmp_path).name != usual


def test_both_forms_of_the_plugin_are_read(tmp_path: Path) -> None:
    write_settings(
        tmp_path,
        PERIODIC,
        {
            "weekly": {"enabled": True, "format": "", "folder": "Weeks"},
            "monthly": {"enabled": False, "format": "YYYY MMMM", "folder": ""},
            "calendarSets": [{"id": "Работа", "day": {"enabled": True, "format": "D.M.YYYY", "folder": "Работа"}}],
        },
    )
    assert periodic_notes(tmp_path) == (PeriodicNotes("Weeks", "gggg-[W]ww"), PeriodicNotes("Работа", "D.M.YYYY"))


@pytest.mark.parametrize("settings", [[], "text", {"format": 5, "folder": []}, {"calendarSets": [1], "daily": "x"}])
def test_settings_of_another_form_say_nothing(tmp_path: Path, settings: object) -> None:
    write_settings(tmp_path, DAILY, settings)
    write_settings(tmp_path, PERIODIC, settings)
    assert periodic_notes(tmp_path) == ()
