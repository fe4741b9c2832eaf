"""How a question is cut into what can be looked for by itself."""

from __future__ import annotations

import pytest

from tests.doubles import ScriptedModel
from vaultrag.answering.longer.planning import MOST_PARTS, planned_by, split_question


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Когда я менял картридж?", []),
        ("When did I change the cartridge?", []),
        ("Кто чинит бойлер, который стоит на даче?", ["Кто чинит бойлер", "который стоит на даче"]),
        (
            "What does the plumber cost who repaired the boiler?",
            ["What does the plumber cost", "who repaired the boiler"],
        ),
        ("Что дороже, Паджеро или Hilux?", ["Паджеро", "Hilux"]),
        ("Which came first, the Pajero or the Hilux?", ["the Pajero", "the Hilux"]),
        ("Вчера звонил Давид. Сколько он просит за ремонт?", ["Вчера звонил Давид", "Сколько он просит за ремонт"]),
        ("Where did we meet, and what did Anneke order?", ["what did Anneke order"]),
    ],
)
def test_parts_are_clauses_sentences_and_what_is_compared(question: str, parts: list[str]) -> None:
    found = split_question(question)
    assert [part for part in parts if part not in found] == []
    assert question.strip("?") not in found
    if not parts:
        assert found == ()


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Which router do we use, and when did Anneke buy it?", ["Which router do we use", "when did Anneke buy it"]),
        ("Which router do we use and, when did Anneke buy it?", ["Which router do we use", "when did Anneke buy it"]),
        ("Какой роутер стоит дома, и когда его купил Гоча?", ["Какой роутер стоит дома", "когда его купил Гоча"]),
        ("Какой роутер стоит дома и сколько просил Гоча?", ["Какой роутер стоит дома", "сколько просил Гоча"]),
        ("Кто чинил бойлер, а кто его продал Гоче?", ["Кто чинил бойлер", "кто его продал Гоче"]),
        ("Who fixed the boiler, but who sold it to us, or who paid?", ["Who fixed the boiler"]),
        (
            "And where did Anneke sit; and with whom did Anneke leave?",
            ["where did Anneke sit", "with whom did Anneke leave"],
        ),
        ("А где стоит Паджеро, или где он стоял раньше?", ["где стоит Паджеро", "где он стоял раньше"]),
    ],
)
def test_no_part_keeps_the_word_that_joined_it(question: str, parts: list[str]) -> None:
    found = split_question(question)
    assert [part for part in parts if part not in found] == []
    joining = {"and", "but", "or", "и", "а", "но", "или"}
    assert [part for part in found if {part.split()[0].lower(), part.split()[-1].lower()} & joining] == []


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("Are Arrête Ton Cinéma and Agni (2004 Film) from the same country?", "Agni (2004 Film) from the same country"),
        ("Who was later, Agni (2004 Film) or Illusions (1982 Film)?", "Illusions (1982 Film)"),
        ("Кто чинил бойлер (и кто его ставил Гоче)?", "кто его ставил Гоче"),
        ("Кто чинил бойлер (и кто его ставил Гоче)?", "Кто чинил бойлер"),
        ("Кто сказал «да», и когда Гоча сказал «нет»?", "когда Гоча сказал «нет»"),
        ("Was it “Pajero”, or “Hilux Surf”?", "“Hilux Surf”"),
    ],
)
def test_brackets_and_marks_are_kept_in_pairs(question: str, part: str) -> None:
    assert part in split_question(question)


def test_a_letter_that_is_a_name_stays() -> None:
    assert "что решили про вариант А" in split_question("Кто приехал вчера, что решили про вариант А?")


def test_parts_are_few_and_none_says_nothing() -> None:
    question = ", ".join(f"кто видел Город{number} и когда" for number in range(30)) + "?"
    assert len(split_question(question)) == MOST_PARTS
    assert split_question("") == split_question("?!") == ()
    assert "когда" not in split_question("Кто приехал на Паджеро, и когда?")


def test_model_plans_and_what_is_no_plan_is_none() -> None:
    said = '{"questions": ["Кто муж Марины?", "Когда он родился?", "Кто муж Марины?"]}'
    model = ScriptedModel([said])
    assert planned_by(model, "Когда родился муж Марины?") == ("Кто муж Марины?", "Когда он родился?")
    assert "schema" not in model.samplings[0].stop
    assert model.samplings[0].schema
    for nonsense in ("not JSON", "[]", '{"questions": [1, ""]}', '{"other": []}'):
        assert planned_by(ScriptedModel([nonsense]), "When?") == ()
