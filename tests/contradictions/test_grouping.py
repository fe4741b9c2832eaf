"""What fills no page: copies of a note, and two notes that differ in every line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contradictions.notes import claims_of
from vaultrag.contradictions.grouping import grouped, spread
from vaultrag.domain import Claim, ClaimFinding, FindingKind, PairVerdict

TEXTS = {
    "ru": ("Гарантия на насос: {} месяца, чек в папке.", "Гарантия на насос: 3 года."),
    "en": ("The walk to the hut takes {} minutes.", "To the hut it's three hours."),
}


def finding(one: Claim, other: Claim) -> ClaimFinding:
    kind, verdict = FindingKind.CONTRADICTION, PairVerdict.CONTRADICTION
    return ClaimFinding(f"{one.key}{other.key}", kind, one, other, verdict, 1.0, "")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_same_words_in_copies_are_one_entry_that_names_the_places(language: str) -> None:
    first, second = TEXTS[language]
    notes = {"A.md": first.format(24), "Copy/A (1).md": first.format(24), "B.md": second}
    one, copy, other = claims_of(notes)
    [group] = grouped([finding(one, other), finding(other, copy)])
    assert group.count == 2
    assert [place.path for place in group.places_of(one)] == ["A.md", "Copy/A (1).md"]
    assert [place.path for place in group.places_of(other)] == ["B.md"]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_one_pair_of_notes_leaves_room_for_others_and_takes_what_is_left(language: str) -> None:
    first, second = TEXTS[language]
    one, other, third = claims_of({"A.md": first.format(24), "B.md": second, "C.md": first.format(18)})
    many = [finding(replace(one, key=str(number), quote=f"{number} {one.quote}"), other) for number in range(6)]
    groups = grouped([*many, finding(third, other)])
    assert [group.finding.one.path for group in spread(groups, 3, 4)] == ["A.md", "A.md", "A.md", "C.md"]
    assert [group.finding.one.path for group in spread(groups, 3, 10)] == ["A.md"] * 6 + ["C.md"]
