"""One sentence with another value in another note, and the many that only look so."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.lines import lines_of
from vaultrag.answering.evidence.one_slot import other_values


def told(question: str, notes: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the pairs of lines that are told as a dispute, as their reader sees them."""
    passages = [passage(path, text) for path, text in notes.items()]
    lines = [line for index, one in enumerate(passages) for line in lines_of(index, one)]
    return [(lines[pair.one].words, lines[pair.other].words) for pair in other_values(question, lines, passages)]


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("У кого ключ от сарая?", "Ключ от сарая у Анны.", "Ключ от сарая у Бориса."),
        ("Who has the key to the shed?", "The key to the shed is with Anna.", "The key to the shed is with Boris."),
        ("Где лежит ключ от сарая?", "Ключ от сарая лежит в ящике.", "Ключ от сарая лежит на полке."),
        ("Where is the spare key kept?", "The spare key is kept in the drawer.",
         "The spare key is kept in the cellar."),
        ("Сколько стоит аренда гаража?", "Аренда гаража стоит 300 лари.", "Аренда гаража стоит 350 лари."),
        ("What is the port of the backup server?", "The port of the backup server is 8123.",
         "The port of the backup server is 9123."),
        ("В каком году построили дом на Садовой?", "Дом на Садовой построили в 1962 году.",
         "Дом на Садовой построили в 1958 году."),
        ("When does the move to the new server start?", "The move to the new server starts on May 3rd.",
         "The move to the new server starts on 2025-05-10."),
        ("Во сколько уходит ночная копия?", "Ночная копия уходит в 03:30.", "Ночная копия уходит в 4:15."),
        ("Who was the first owner of the house?", "The first owner [2] of the house was Long.",
         "The first owner of the house was Short."),
        ("Сколько котят у Муси?", "У Муси три рыжих котёнка.", "У Муси четыре рыжих котёнка."),
        ("How many kittens does Daisy have?", "Daisy has three small kittens.", "Daisy has five small kittens."),
        ("Какую базу мы выбрали для заказов?", "Для заказов мы выбрали базу PostgreSQL.",
         "Для заказов мы выбрали базу MySQL."),
    ],
)  # fmt: skip
def test_one_sentence_with_another_value_is_told(question: str, one: str, other: str) -> None:
    assert told(question, {"a.md": one, "b.md": other}) == [(one, other)]


def test_a_copied_sentence_need_not_name_what_its_passage_speaks_of() -> None:
    """A copy says "it", and its note, cut short, may not hold the name at all."""
    one = "Маяк Толбухин стоит на острове. Построенный в 1810 году, он виден с обоих берегов залива и с рейда порта."
    other = "У залива. Построенный в 1719 году, он виден с обоих берегов залива и с рейда порта."
    found = told("Когда построен маяк Толбухин?", {"Заметка 1.md": one, "Заметка 2.md": other})
    assert len(found) == 1
    one = "Tolbukhin lighthouse. Built in 1810, it is seen from both shores of the bay and from the harbour's roads."
    other = "It was repaired. Built in 1719, it is seen from both shores of the bay and from the harbour's roads."
    assert len(told("When was Tolbukhin lighthouse built?", {"Note 1.md": one, "Note 2.md": other})) == 1


def test_where_copies_differ_in_what_is_not_asked_for_nothing_is_told() -> None:
    text = (
        "The shed was built in 1962 by my grandfather.\n\nThe shed stands behind the garden.\n\n"
        "The lowest part of the roof of the old shed was covered with {} some years later.\n"
    )
    notes = {"a.md": text.format("tin"), "b.md": text.format("slate")}
    assert told("What was the roof of the shed covered with?", notes) == []  # it is not among the likeliest lines
    passages = [passage(path, text) for path, text in notes.items()]
    lines = [line for index, one in enumerate(passages) for line in reversed(lines_of(index, one))]
    assert len(other_values("What was the roof of the shed covered with?", lines, passages)) == 1


def test_words_that_hold_no_value_may_come_and_go() -> None:
    one = "Тренер Маши по плаванию, по-моему, Игорь."
    other = "Тренер Маши по плаванию теперь Олег."
    assert told("Кто тренер Маши по плаванию?", {"a.md": one, "b.md": other}) == [(one, other)]


def test_a_value_is_told_once_though_many_lines_give_it() -> None:
    notes = {
        "a.md": "The port of the backup server is 8123.\n\nRemember: the port of the backup server is 8123.",
        "b.md": "The port of the backup server is 9123.\n\nRemember: the port of the backup server is 9123.",
    }
    assert len(told("What is the port of the backup server?", notes)) == 1


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        # another subject
        ("Сколько стоит аренда гаража?", "Аренда гаража стоит 300 лари.", "Аренда подвала стоит 300 лари."),
        ("How much is the rent?", "The rent of the garage is 300 GEL.", "The rent of the cellar is 100 GEL."),
        ("Когда день рождения Анны?", "День рождения Анны 3 мая.", "День рождения Бориса 9 июня."),
        # another thing is asked for
        ("Когда отдали ключ от сарая?", "Ключ от сарая у Анны.", "Ключ от сарая у Бориса."),
        ("Когда отдали ключ от сарая?", "Ключ от сарая отдали Анне.", "Ключ от сарая отдали Борису."),
        ("Где стоит отель «Ромашка»?", "Отель «Ромашка» стоит на высоком берегу реки рядом с лесом и старой мельницей.",
         "Отель «Василёк» стоит на высоком берегу реки рядом с лесом и старой мельницей."),
        ("Где лежит ключ от сарая Анны?", "У Анны: ключ от сарая лежит в ящике.", "Ключ от сарая лежит на полке."),
        ("Какая аренда у гаража?", "Аренда гаража 300 лари до 1 мая.", "Аренда гаража 300 лари до 1 июня."),
        ("Who painted the shed?", "The key to the shed is with Anna.", "The key to the shed is with Boris."),
        ("Сколько стоит аренда гаража?", "Аренда гаража 300 лари до 1 мая.", "Аренда гаража 300 лари до 1 июня."),
        # the same in other words, or more exactly
        ("У кого ключ от сарая?", "Ключ от сарая у Анны.", "Ключ от сарая у Анны Петровой."),
        ("Сколько весит кот Бублик?", "Кот Бублик весит 5 кг.", "Кот Бублик весит 5,0 кг."),
        ("Сколько весит кот Бублик?", "Кот Бублик весит 5 кг.", "Кот Бублик весит 11 фунтов."),
        ("When does the move start?", "The move to the server starts on May 3rd.",
         "The move to the server starts on 3 May 2025."),
        ("В каком году построили дом на Садовой?", "Дом на Садовой построили в 1962.",
         "Дом на Садовой построили 3 мая 1962."),
        ("Кто сломал принтер на кухне?", "Принтер на кухне сломал Олег.", "Олег сломал принтер на кухне."),
        # each with what the other has not
        ("How much is the rent?", "The rent is 300 GEL and the deposit 350 GEL.", "The rent is 350 GEL."),
        ("Сколько мёда вышло на пасеке?", "Мёда на пасеке в 2023 вышло 190 кг.", "Мёда на пасеке в 2024 вышло 131 кг."),
        ("Who has the spare key of the garden shed?", "The spare key number 2 of the garden shed hangs with Anna.",
         "The spare key of the garden shed hangs with Boris."),
        # one denies
        ("У кого ключ от сарая?", "Ключ от сарая у Анны.", "Ключ от сарая не у Бориса."),
        # too little in common to be one sentence
        ("Где сервер?", "Сервер в подвале.", "Сервер на чердаке."),
    ],
)  # fmt: skip
def test_what_says_something_else_is_none(question: str, one: str, other: str) -> None:
    assert told(question, {"a.md": one, "b.md": other}) == []


def test_lines_of_one_note_are_a_list() -> None:
    notes = {
        "a.md": "- Ключ от сарая у Анны.\n- Ключ от сарая у Веры.",
        "b.md": "- Ключ от сарая у Бориса.",
    }
    assert told("У кого ключ от сарая?", notes) == []


def test_more_values_than_a_dispute_has_are_a_journal() -> None:
    notes = {f"{name}.md": f"The water meter of the flat shows {name}." for name in (101, 118, 131, 140)}
    assert told("What does the water meter of the flat show?", notes) == []
    few = dict(list(notes.items())[:2])
    assert len(told("What does the water meter of the flat show?", few)) == 1


def test_notes_about_two_things_of_a_kind_speak_each_of_its_own() -> None:
    text = "Рост взрослого кота около {} см в холке."
    notes = {"Кот Бублик.md": text.format(25), "Кот Мурзик.md": text.format(31)}
    assert told("Какой рост взрослого кота в холке?", notes) == []
    notes = {
        "Pancake recipe.md": "Serves 4 people in half an hour.",
        "Soup recipe.md": "Serves 6 people in half an hour.",
    }
    assert told("How many people does the pancake recipe serve?", notes) == []
    notes = {"Кот Бублик.md": text.format(25), "Кот Бублик (старое).md": text.format(31)}
    assert len(told("Какой рост взрослого кота в холке?", notes)) == 1


@pytest.mark.parametrize(
    ("question", "text", "values"),
    [
        ("Сколько заплатили за ремонт крана?", "Заплатили за ремонт крана {} лари.", ("30", "45")),
        ("How much was paid for the tap repair?", "Paid {} GEL for the tap repair.", ("30", "45")),
        ("С кем мы встретились в кафе?", "Мы встретились в кафе с {}.", ("Анной", "Борисом")),
    ],
)
def test_what_happened_on_two_days_happened_twice(question: str, text: str, values: tuple[str, str]) -> None:
    notes = {f"2024-0{5 + n}-03.md": text.format(value) for n, value in enumerate(values)}
    assert told(question, notes) == []
    assert (
        len(told(question, {f"{name}.md": text.format(value) for name, value in zip("ab", values, strict=True)})) == 1
    )


def test_a_state_of_two_days_has_changed() -> None:
    notes = {"2024-05-03.md": "Тренер Маши по плаванию — Игорь.", "2024-09-01.md": "Тренер Маши по плаванию — Олег."}
    assert len(told("Кто тренер Маши по плаванию?", notes)) == 1


def test_what_differs_in_a_table_of_each_note_is_no_dispute() -> None:
    table = (
        "| Месяц | Вода | Свет |\n|---|---|---|\n| Январь | {0} | 40 |\n| Февраль | {0} | 44 |\n| Март | {0} | 41 |\n"
    )
    notes = {"Счета 2023.md": table.format(30), "Счета 2024.md": table.format(36)}
    assert told("Сколько стоила вода в январе?", notes) == []
    notes = {"Счета.md": table.format(30), "Расходы.md": table.format(36)}
    assert told("Сколько в январе?", notes) == []
