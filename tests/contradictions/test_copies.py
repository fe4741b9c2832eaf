"""Copies of a note and the one finding that is told of them."""

from __future__ import annotations

from tests.contradictions.notes import scanned
from vaultrag.contradictions.copies import without_copies

PUMP = "Гарантия на насос: 24 месяца, чек в папке."
NOTES = {"Насос.md": PUMP, "Входящие/Насос (копия).md": PUMP, "Дача.md": "Гарантия на насос: 3 года, чек в папке."}


def test_finding_is_told_once_and_in_the_original() -> None:
    found = scanned(NOTES).found
    assert len(found) == 2
    assert [{one.one.path, one.other.path} for one in without_copies(found)] == [{"Насос.md", "Дача.md"}]


def test_what_is_preferred_stays_though_it_is_of_the_copy() -> None:
    found = scanned(NOTES).found
    kept = without_copies(found, lambda one: "копия" in one.one.path + one.other.path)
    assert [{one.one.path, one.other.path} for one in kept] == [{"Входящие/Насос (копия).md", "Дача.md"}]
