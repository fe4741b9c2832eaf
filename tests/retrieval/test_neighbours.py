"""Passages that continue each other are one text to a reader, each with its own span."""

from __future__ import annotations

from tests.retrieval.passages import passage
from vaultrag.retrieval.neighbours import joined, was_cut


def test_neighbours_of_one_section_are_joined_in_the_order_of_their_lines() -> None:
    second, other, first = passage("a.md", 6, 9), passage("b.md", 1, 2), passage("a.md", 1, 4)
    assert joined([second, other, first]) == [(first, second), (other,)]


def test_a_group_stands_at_the_place_of_its_best() -> None:
    other, second, first = passage("b.md", 1, 2), passage("a.md", 5, 9), passage("a.md", 1, 4)
    assert joined([other, second, first]) == [(other,), (first, second)]


def test_what_lies_apart_stays_apart() -> None:
    for first, second in (
        (passage("a.md", 1, 4), passage("a.md", 7, 9)),  # text between them
        (passage("a.md", 1, 4, heading="Раз"), passage("a.md", 6, 9, heading="Два")),
        (passage("a.md", 1, 4, speaker="user"), passage("a.md", 5, 9, speaker="assistant")),
        (passage("a.pdf", 1, 1), passage("a.pdf", 2, 2)),  # a page is a line there
        (passage("a.md", 1, 4), passage("b.md", 5, 9)),
        (passage("a.md", 1, 4, text="one"), passage("a.md", 1, 4, text="other")),  # one and the same place
    ):
        assert joined([first, second]) == [(first,), (second,)]


def test_nothing_is_joined_of_nothing() -> None:
    assert joined([]) == []


def test_a_list_cut_in_two_is_told_from_two_paragraphs() -> None:
    assert was_cut(passage("a.md", 1, 4).chunk, passage("a.md", 5, 9).chunk)
    assert was_cut(passage("a.md", 1, 4).chunk, passage("a.md", 4, 9, column=80).chunk)  # one long line
    assert not was_cut(passage("a.md", 1, 4).chunk, passage("a.md", 6, 9).chunk)
