"""Values of claims held against each other: the same in other words, compatible, or apart."""

from __future__ import annotations

import pytest

from tests.contradictions.notes import claims_of
from vaultrag.contradictions.comparing.values import Relation, compare_values
from vaultrag.domain import Claim


def claim(text: str) -> Claim:
    return max(claims_of({"Заметка.md": text}), key=lambda found: len(found.values))


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("Поезд едет 27 часов.", "The train takes 1620 minutes.", Relation.SAME),
        ("Жильцов в доме двадцать пять.", "Жильцов в доме 25.", Relation.SAME),
        ("Гарантия два года.", "Гарантия: 24 месяца.", Relation.SAME),
        ("Гарантия два года.", "Гарантия: 36 месяцев.", Relation.APART),
        ("Билет стоит не больше 2000 рублей.", "Билет стоит 1800 рублей.", Relation.COMPATIBLE),
        ("Билет стоит не больше 2000 рублей.", "Билет стоит 2300 рублей.", Relation.APART),
        ("Идти около 60 минут.", "Идти 65 минут.", Relation.COMPATIBLE),
        ("Идти 60 минут.", "Идти 95 минут.", Relation.APART),
        ("Крышу чинили в мае 2020.", "Крышу чинили в сентябре 2021.", Relation.APART),
        ("Крышу чинили в мае 2020.", "Крышу чинили 12.05.2020.", Relation.COMPATIBLE),
        ("отчёт: до 15-го числа каждого месяца", "report: by the 20th of each month", Relation.APART),
        ("Тихие часы между 22 и 7.", "Тихие часы между 23 и 6.", Relation.APART),
        ("занятия: вторник", "lessons: Tuesday", Relation.SAME),
        ("Рост 181, обувь 43.", "Height: 184 cm.", Relation.APART),
    ],
)
def test_values_are_compared_in_one_unit(one: str, other: str, relation: Relation) -> None:
    found = [pair.relation for pair in compare_values(claim(one), claim(other)) if pair.kind != "polarity"]
    assert found[:1] == [relation]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Вес 77, пульс 60.", "Height: 184 cm."),
        ("Цена: 120 €", "Дата: 12.05.2020"),
        ("Хранится 10 дней.", "Варится полчаса."),
        ("Порт: 8123", "порция: 250 г"),
    ],
)
def test_values_of_different_things_are_not_compared(one: str, other: str) -> None:
    assert [pair for pair in compare_values(claim(one), claim(other)) if pair.relation is Relation.APART] == []
