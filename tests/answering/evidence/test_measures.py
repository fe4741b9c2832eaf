"""Amounts are given by a number of the right kind: minutes for "how long", and no day for "how much"."""

from __future__ import annotations

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.asked_for import Asked, gives
from vaultrag.answering.evidence.lines import lines_of
from vaultrag.answering.evidence.measures import Measure, gives_measure, measure_of
from vaultrag.answering.evidence.quotes import Evidence


@pytest.mark.parametrize(
    ("question", "measure"),
    [
        ("How long is the film?", Measure.DURATION),
        ("How long ago did we meet?", None),
        ("Сколько длился концерт?", Measure.DURATION),
        ("How much did the flight cost?", Measure.MONEY),
        ("Во сколько обошлась поездка?", Measure.MONEY),
        ("How far is the lake?", Measure.LENGTH),
        ("Сколько весит рама?", Measure.WEIGHT),
        ("При какой температуре печь хлеб?", Measure.TEMPERATURE),
        ("Какой процент голосов?", Measure.SHARE),
        ("Where is the cat?", None),
    ],
)
def test_a_question_tells_in_what_its_answer_is_measured(question: str, measure: Measure | None) -> None:
    assert measure_of(question) is measure


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How long is the film?", "duration_min: 131"),
        ("Сколько идёт фильм?", "хронометраж_мин: 131"),
        ("How much is the rent?", "monthly_eur: 410"),
        ("Сколько стоил велосипед?", "отдал_руб: 48500"),
        ("What rating did I give?", "myRating: 7"),
        ("Какая у меня оценка?", "мояОценка: 7"),
    ],
)
def test_a_property_answers_by_the_words_of_its_name(question: str, line: str) -> None:
    properties = f"year: 1998\n{line}\nwatched: 2024-02-17\nseats: 3"
    evidence = Evidence(question, (passage("Note.md", properties),), None)
    assert evidence.likely(1)[0].source.text == line


def test_the_header_of_a_row_names_its_measure() -> None:
    table = "| Что | Цена, руб | Год |\n|---|---|---|\n| цепь | 3200 | 2021 |\n\nПробег цепи 4100.\n"
    evidence = Evidence("Сколько стоила цепь?", (passage("Велосипед.md", table),), None)
    assert evidence.likely(1)[0].source.text == "| цепь | 3200 | 2021 |"


def test_a_day_is_no_amount() -> None:
    assert not gives(Asked.AMOUNT, "watched: 2024-02-17", "How long is the film?")
    assert gives(Asked.AMOUNT, "131 of them", "How many?")


@pytest.mark.parametrize(
    ("measure", "giving", "other"),
    [
        (Measure.DURATION, "Ехать 40 с.", "Приезжал с 2 ящиками."),
        (Measure.DURATION, "It takes 2h.", "Viktor's 2 boxes."),
        (Measure.LENGTH, "До озера 300 м.", "Пушкинская, м. 2 выход."),
        (Measure.LENGTH, "длина: 3", "I'm 40."),
        (Measure.WEIGHT, "Муки 300 г.", "Купили в 2024 г. три мешка."),
        (Measure.TEMPERATURE, "Печь при 220 С.", "Печь с 2 противнями."),
        (Measure.MONEY, "Стоит 300 р.", "Р 2, корпус 5."),
    ],
)
def test_a_letter_is_a_unit_behind_its_number_only(measure: Measure, giving: str, other: str) -> None:
    (line, not_it) = (lines_of(0, passage("Note.md", text))[0] for text in (giving, other))
    assert gives_measure(measure, line)
    assert not gives_measure(measure, not_it)


def test_a_letter_ends_the_header_of_a_row() -> None:
    table = "| Что | Путь, м | Год |\n|---|---|---|\n| трос | 32 | 2021 |\n"
    (line,) = lines_of(0, passage("Лодка.md", table))
    assert gives_measure(Measure.LENGTH, line)
