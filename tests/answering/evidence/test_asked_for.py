"""Whether a line gives the kind of thing that is asked for, and not only what the question says itself."""

from __future__ import annotations

import pytest

from vaultrag.answering.evidence.asked_for import Asked, asked_for, gives


@pytest.mark.parametrize(
    ("question", "kind", "giving", "repeating"),
    [
        ("Кто приезжал 12 мая 2024 и когда уехал?", Asked.TIME, "Уехал он 15.05.2024.", "Это было 2024-05-12, днём."),
        ("When did Viktor leave after 12 May 2024?", Asked.TIME, "He left in June.", "On 2024-05-12 he was here."),
        ("Во сколько открывают ворота?", Asked.TIME, "Открывают в 7:30.", "Открывают рано."),
        ("Сколько стоят 300 кирпичей?", Asked.AMOUNT, "За них просят 9000.", "Нужно 300 кирпичей."),
        ("How many of the 12 hives survived?", Asked.AMOUNT, "Nine did.", "There were 12 hives."),
        ("Кто чинил Бойлер?", Asked.NAME, "Чинил его Виктор.", "Чинил Бойлер мастер."),
        ("Who mended it?", Asked.NAME, "It was done by [[Viktor]].", "It was done by a master."),
        ("Почему отказались?", Asked.REASON, "Потому что дорого.", "Отказались весной."),
    ],
)
def test_a_line_gives_what_the_question_does_not_say(question: str, kind: Asked, giving: str, repeating: str) -> None:
    assert kind in asked_for(question)
    assert gives(kind, giving, question)
    assert not gives(kind, repeating, question)


@pytest.mark.parametrize("question", ["Что такое роутер?", "Where is the key?", ""])
def test_a_question_may_not_tell_what_it_wants(question: str) -> None:
    assert asked_for(question) == frozenset()
