"""What a question about the vault is taken to ask for, in words of its language."""

from __future__ import annotations

import pytest

from vaultrag.answering.vault_questions.plan import VaultPlan
from vaultrag.answering.vault_questions.told import said_of
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
