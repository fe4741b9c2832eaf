"""Lines that disagree, and the many that only look so."""

from __future__ import annotations

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.disagreements import disagreements
from vaultrag.answering.evidence.lines import lines_of


def disagree(question: str, one: str, other: str) -> bool:
    lines = [*lines_of(0, passage("a.md", one)), *lines_of(1, passage("b.md", other))]
    return bool(disagreements(question, lines))


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("Сколько стоит аренда гаража?", "Аренда гаража стоит 300 лари.", "Аренда гаража теперь стоит 350 лари."),
        ("How much is the garage rent?", "The garage rent is 300 GEL.", "Garage rent: 350 GEL."),
        ("Когда переезд на новый сервер?", "Переезд на новый сервер 3 мая.", "Переезд на новый сервер 10 мая."),
        ("When does the move to the new server start?", "The move to the new server starts on May 3rd.",
         "Move to the new server starts May 10th."),
        ("Во сколько уходит ночная копия?", "Ночная копия уходит в 03:30.", "Ночная копия уходит в 04:15."),
        ("Есть ли в подвале розетка?", "В подвале розетка есть.", "В подвале розетки нет."),
        ("Does the boiler need a filter?", "The boiler does need a filter.", "The boiler does not need a filter."),
    ],
)  # fmt: skip
def test_another_value_of_the_same_is_a_disagreement(question: str, one: str, other: str) -> None:
    assert disagree(question, one, other)
    assert disagree(question, other, one)


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("Сколько стоит аренда гаража?", "Аренда гаража стоит 300 лари.", "Аренда гаража стоит 300 лари в месяц."),
        ("Сколько стоит аренда гаража?", "Аренда гаража стоит 300 лари.", "Аренда подвала стоит 100 лари."),
        ("Сколько стоит аренда гаража?", "Аренда гаража стоит 300 лари.", "Аренда гаража: 2 ключа."),
        ("Сколько мёда вышло на пасеке?", "Мёда на пасеке в 2023 вышло 190 кг.", "Мёда на пасеке в 2024 вышло 131 кг."),
        ("How much honey did we take?", "On May 3rd we took 5 kg of honey.", "On June 9th we took 7 kg of honey."),
        ("Сколько весит кот Бублик?", "Кот Бублик весит 5 кг.", "Кот Бублик весит 5.0 кг или 11 lb."),
        ("Какой сервер дома?", "Сервер дома стоит 900 лари.", "Сервер дома стоит 700 лари."),
        ("How much is the rent?", "The rent is 300 GEL and the deposit 350 GEL.", "The rent is 300 GEL."),
        ("Когда переезд на сервер?", "Переезд на сервер 3 мая.", "Не успели: переезд на сервер не 3 мая."),
    ],
)
def test_what_speaks_of_something_else_is_none(question: str, one: str, other: str) -> None:
    assert not disagree(question, one, other)


def test_lines_of_one_passage_do_not_disagree() -> None:
    text = "Аренда гаража стоит 300 лари.\n\nАренда гаража стоит 350 лари.\n"
    assert disagreements("Сколько стоит аренда гаража?", lines_of(0, passage("a.md", text))) == []
