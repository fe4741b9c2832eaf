"""What a question about the vault is taken to ask for, in words of its language."""

from __future__ import annotations

import pytest

from vaultrag.answering.vault_questions.plan import VaultPlan
from vaultrag.answering.vault_questions.told import counted_notes, said_of
from vaultrag.domain import Filter, FilterKind


@pytest.mark.parametrize(
    ("compare", "value", "english", "russian"),
    [
        ("", "book", "Notes: about = book", "Заметки: about = book"),
        ("..", "3..5", "Notes: about = 3..5", "Заметки: about = 3..5"),
        ("<", "3", "Notes: about < 3", "Заметки: about меньше 3"),
        ("<=", "3", "Notes: about <= 3", "Заметки: about не больше 3"),
        (">", "3", "Notes: about > 3", "Заметки: about больше 3"),
        (">=", "3", "Notes: about >= 3", "Заметки: about не меньше 3"),
    ],
)
def test_a_property_is_told_with_how_it_lies_to_its_value(compare: str, value: str, english: str, russian: str) -> None:
    wanted = Filter(FilterKind.PROPERTY, value, name="about", compare=compare)
    assert said_of(VaultPlan((wanted,))) == english
    assert said_of(VaultPlan((wanted,), language="ru")) == russian


@pytest.mark.parametrize(
    ("count", "russian", "english"),
    [
        (0, "Найдено 0 заметок.", "0 notes."),
        (1, "Найдена 1 заметка.", "1 note."),
        (3, "Найдено 3 заметки.", "3 notes."),
        (11, "Найдено 11 заметок.", "11 notes."),
        (13, "Найдено 13 заметок.", "13 notes."),
        (21, "Найдена 21 заметка.", "21 notes."),
        (112, "Найдено 112 заметок.", "112 notes."),
    ],
)
def test_a_count_is_told_in_the_right_form(count: int, russian: str, english: str) -> None:
    assert counted_notes(VaultPlan((), language="ru"), count, count) == russian
    assert counted_notes(VaultPlan(()), count, count) == english
