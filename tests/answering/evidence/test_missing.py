"""Which part of a question an answer leaves open."""

from __future__ import annotations

import pytest

from vaultrag.answering.evidence.missing import missing_parts, parts_of


@pytest.mark.parametrize(
    ("question", "told", "missing"),
    [
        ("Сколько стоил насос и когда его купили?", ["Насос стоил 4500."], ("когда его купили",)),
        ("How much was the pump, and when was it bought?", ["The pump was 4500."], ("when was it bought",)),
        ("Сколько стоил насос и когда его купили?", ["Насос за 4500 купили 3 мая."], ()),
        ("When was the pump bought? How much was it?", ["It was bought in May."], ("How much was it",)),
        ("How much was the pump and, when was it bought?", ["The pump was 4500."], ("when was it bought",)),
        ("And how much was the pump, but when was it bought?", ["Bought in May."], ("how much was the pump",)),
        ("А сколько стоил насос, но когда его купили?", ["Его купили в мае."], ("сколько стоил насос",)),
        ("Кто приезжал и сколько привёз?", ["Приезжал Ваня."], ("сколько привёз",)),
        ("Сколько стоил насос и когда его купили?", ["Насос синий."], ()),
        ("Сколько стоил насос?", ["Насос синий."], ()),
    ],
)
def test_a_part_is_missing_that_no_line_gives_what_it_asks_for(
    question: str, told: list[str], missing: tuple[str, ...]
) -> None:
    assert missing_parts(question, told) == missing


@pytest.mark.parametrize(
    "question",
    [
        "Кто меня спас, когда я провалился?",
        "When we left, how much came back?",
        "Где ключи и паспорт?",
        "What did Anna and Boris say?",
    ],
)
def test_one_question_has_one_part(question: str) -> None:
    assert parts_of(question) == [question]


def test_a_time_of_day_at_the_end_of_a_sentence_is_a_time() -> None:
    question = "When does the backup run, and what does it cost?"
    assert missing_parts(question, ["The backup runs every night at 03:30."]) == ()
    assert missing_parts(question, ["The backup costs 5 euro."]) == ("When does the backup run",)
