"""Comparing some places of the vault finds there what comparing all of it would, and costs no more for a large one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.indexing.indexed import RECIPE, put
from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import apply_changes
from vaultrag.indexing.diff import VaultDiff, diff_paths, diff_vault
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.opening import open_database


@pytest.fixture
def config(vault: Path, home: Path) -> Config:
    return Config(vault=vault, home=home, models=home / "models", settings=Settings())


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_database(config.database_path) as opened:
        yield opened


def index(config: Config, database: Database, *places: str) -> VaultDiff:
    """Bring the index up to these places, or to all of the vault."""
    catalog = Catalog(database)
    diff = diff_paths(config, catalog, RECIPE, places) if places else diff_vault(config, catalog, RECIPE)
    apply_changes(config, database, diff, RECIPE, lambda *_: None)
    return diff


def paths(database: Database) -> list[str]:
    return sorted(Catalog(database).stored_files())


def test_only_the_given_places_are_compared(config: Config, database: Database) -> None:
    for name in ("a.md", "Дом/b.md", "Дом/c.md", "d.md"):
        put(config, name, f"text of {name}")
    assert {change.path for change in index(config, database, "Дом", "d.md").changes} == {
        "Дом/b.md",
        "Дом/c.md",
        "d.md",
    }
    (config.vault / "Дом" / "b.md").unlink()
    (config.vault / "d.md").unlink()
    index(config, database, "Дом/b.md")
    assert paths(database) == ["d.md", "Дом/c.md"]


def test_a_folder_and_what_lies_in_it_are_looked_at_once(config: Config, database: Database) -> None:
    put(config, "Дом/deep/b.md", "text")
    diff = index(config, database, "Дом", "Дом/deep", "Дом/deep/b.md")
    assert [change.path for change in diff.changes] == ["Дом/deep/b.md"]
    assert diff.skipped == ()


def test_hidden_and_outer_places_are_no_part_of_the_vault(config: Config, database: Database, tmp_path: Path) -> None:
    put(config, ".trash/a.md", "text")
    put(config, "Дом/.hidden/b.md", "text")
    (tmp_path / "outside.md").write_text("text")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "n.md").write_text("text")
    (config.vault / "link").symlink_to(tmp_path / "real")
    diff = index(config, database, ".trash/a.md", ".trash", "Дом/.hidden/b.md", "../outside.md", "link/n.md", "link")
    assert diff.changes == ()
    assert diff.appeared == ()


def test_a_copy_that_differs_by_now_becomes_a_note(config: Config, database: Database) -> None:
    put(config, "План.md", "Что сделать весной. " * 40)
    put(config, "План 2.md", "Что сделать весной. " * 40)
    index(config, database)
    assert paths(database) == ["План.md"]
    put(config, "План.md", "Совсем другой текст о лете. " * 40)
    index(config, database, "План.md")
    assert paths(database) == ["План 2.md", "План.md"]


def test_a_copy_that_onedrive_made_comes_up_when_the_original_goes(config: Config, database: Database) -> None:
    put(config, "План.md", "Что сделать весной.")
    index(config, database)
    put(config, "План-DESKTOP-AB12CD3.md", "Что сделать летом.")
    index(config, database, "План-DESKTOP-AB12CD3.md")
    assert paths(database) == ["План.md"]
    (config.vault / "План.md").unlink()
    index(config, database, "План.md")
    assert paths(database) == ["План-DESKTOP-AB12CD3.md"]
    put(config, "План.md", "Что сделать весной.")
    index(config, database, "План.md")
    assert paths(database) == ["План.md"]


def test_a_name_that_the_disk_spells_otherwise_is_the_same_note(config: Config, database: Database) -> None:
    decomposed = unicodedata.normalize("NFD", "Чайник й.md")
    put(config, decomposed, "text")
    index(config, database)
    put(config, decomposed, "other text")
    assert [change.kind.value for change in index(config, database, decomposed).changes] == ["modified"]
    assert index(config, database, unicodedata.normalize("NFC", decomposed)).changes == ()
    (config.vault / decomposed).unlink()
    index(config, database, decomposed)
    assert paths(database) == []


def test_a_note_that_came_before_its_old_place_was_told_of_is_a_move(config: Config, database: Database) -> None:
    put(config, "a.md", "a text of its own")
    put(config, "stays.md", "another text")
    put(config, "b.md", "[[a]]")
    index(config, database)
    (config.vault / "new").mkdir()
    (config.vault / "a.md").rename(config.vault / "new" / "a.md")
    put(config, "copy.md", "another text")
    changes = {change.path: change.old_path for change in index(config, database, "new", "copy.md").changes}
    assert changes == {"new/a.md": "a.md", "copy.md": None}
    assert index(config, database).changes == ()
    assert database.column("SELECT target_path FROM links") == ["new/a.md"]


def test_notes_in_the_cloud_or_unreadable_are_not_gone(config: Config, database: Database) -> None:
    put(config, "Дом/a.md", "text")
    index(config, database)
    (config.vault / "Дом" / "a.md").rename(config.vault / "Дом" / ".a.md.icloud")
    assert index(config, database, "Дом/a.md").changes == ()
    assert index(config, database, "Дом").changes == ()


def steps_of_an_edit(config: Config, database: Database, number: int) -> int:
    """Return how many steps SQLite takes to bring the index up to one edited note."""
    count = [0]

    def note() -> int:
        count[0] += 1
        return 0

    put(config, "edited.md", f"Правка {number} о бойлере. [[note 3]] [[note 17]] ![[note 5]]\n")
    connection = database._held().connection  # noqa: SLF001  # SQLite counts its own steps
    connection.set_progress_handler(note, 10)
    index(config, database, "edited.md")
    connection.set_progress_handler(None, 0)
    return count[0]


@pytest.mark.slow
def test_an_edit_in_a_large_vault_takes_the_steps_of_one_in_a_small_vault(config: Config, database: Database) -> None:
    def grow(numbers: range) -> int:
        for number in numbers:
            put(config, f"f{number % 9}/note {number}.md", f"Заметка {number}. [[note {number - 1}]] and text.\n")
        index(config, database)
        for number in range(5):
            steps_of_an_edit(config, database, number)
        return min(steps_of_an_edit(config, database, number) for number in range(5, 9))

    small = grow(range(30))
    large = grow(range(30, 600))
    assert 0 < large <= 1.3 * small, (small, large)
