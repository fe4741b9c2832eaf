"""The lines of a passage that can answer something, and what stands around them."""

from __future__ import annotations

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.lines import lines_of


def words(text: str) -> list[str]:
    return [line.words for line in lines_of(0, passage("Note.md", text))]


@pytest.mark.parametrize("day", ["28.07.2025", "07/28/2025", "2025-07-28", "7/8/25"])
def test_what_an_importer_says_of_a_chat_answers_nothing(day: str) -> None:
    text = (
        f"Created: {day} at 12:46\nLast Updated: {day} at 12:50\n\nChat URL: https://chatgpt.com/c/1\n\nБойлер тёк.\n"
    )
    assert words(text) == ["Бойлер тёк."]


def test_a_line_that_only_begins_so_is_one() -> None:
    assert words("Created: the garden plan, at last.\n") == ["Created: the garden plan, at last."]
