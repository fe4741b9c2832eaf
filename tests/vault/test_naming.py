"""Which note a typed name means."""

from __future__ import annotations

import unicodedata

import pytest

from vaultrag.errors import UsageError
from vaultrag.vault.naming import find_note

PATHS = ("Дом/Бойлер.md", "Work/Notes.md", "Home/Notes.md", "Notes.canvas", "Йога.md", "a/Plan.md", "Plan.md")


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("Дом/Бойлер.md", "Дом/Бойлер.md"),
        ("бойлер", "Дом/Бойлер.md"),
        ("Бойлер.md", "Дом/Бойлер.md"),
        ("/Дом/Бойлер", "Дом/Бойлер.md"),
        ("work/notes", "Work/Notes.md"),
        ("Notes.canvas", "Notes.canvas"),
        (unicodedata.normalize("NFD", "Йога"), "Йога.md"),
        ("Plan", "Plan.md"),
        ("a\\Plan", "a/Plan.md"),
    ],
)
def test_path_name_and_ending_name_a_note(written: str, path: str) -> None:
    assert find_note(PATHS, written) == path


def test_ambiguous_name_lists_the_candidates() -> None:
    with pytest.raises(UsageError, match=r"2 notes: Home/Notes\.md, Work/Notes\.md"):
        find_note(PATHS, "notes")


def test_part_of_a_name_is_no_name() -> None:
    with pytest.raises(UsageError):
        find_note(PATHS, "ойлер")


def test_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        find_note(PATHS, "бойлерр")
    assert "Дом/Бойлер.md" in raised.value.remedy
