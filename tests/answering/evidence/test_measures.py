"""Amounts are given by a number of the right kind: minutes for "how long", and no day for "how much"."""

from __future__ import annotations

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.asked_for import Asked, gives
from vaultrag.answering.evidence.measures import Measure, measure_of
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
