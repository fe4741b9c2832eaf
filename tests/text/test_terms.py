"""What a note is indexed by, and what a question asks for."""

from __future__ import annotations

import pytest

from vaultrag.text.morphology import stems_of_terms
from vaultrag.text.terms import index_terms, question_parts, question_terms, text_parts


@pytest.mark.parametrize(
    "question",
    [
        "Что было 5 января 2024?",
        "What happened on January 5th, 2024?",
        "05.01.2024",
        "2024/1/5",
        "за 5-е января 2024 года",
    ],
)
@pytest.mark.parametrize(
    "note", ["2024-01-05", "5-го января 2024 ходили на каток", "On 5 Jan 2024 we skated", "5.1.2024"]
)
def test_a_day_is_found_however_it_is_written(question: str, note: str) -> None:
    assert "2024-01-05" in set(stems_of_terms(question_terms(question))) & set(index_terms(note))


def test_the_digits_of_a_date_are_no_words_of_the_question() -> None:
    assert question_terms("каток 5 января 2024") == [("каток", "катк"), ("2024-01-05", "-01-05")]
    assert [term[0] for term in question_terms("итоги января 2024")] == ["итог", "2024-01"]


def test_a_note_keeps_its_words_beside_what_its_dates_and_numbers_add() -> None:
    assert index_terms("5 мая заплатил 1 500") == ["5", "ма", "заплат", "1", "500", "--05-05", "-05-05", "1500"]
    assert index_terms("просто слова") == ["прост", "слов"]


def test_a_question_of_function_words_alone_asks_for_them() -> None:
    assert question_terms("Кто ты?") == [("кто",), ("ты",)]
    assert question_terms("Что было 3 мая?") == [("--05-03",)]


def test_parts_stand_where_they_were_written() -> None:
    text = "в марте 2024 за 1 500 ₽"
    assert [text[part.start : part.end] for part in question_parts(text)] == ["марте 2024", "1", "1 500", "500", "₽"]
    assert [text[part.start : part.end] for part in text_parts(text)] == ["в", "марте 2024", "за", "1 500", "₽"]


@pytest.mark.parametrize("name", ["Встреча_05.01.2024", "05.01.2024_Встреча", "Встреча-2024-01-05", "Встреча_20240105"])
def test_a_name_joined_with_a_date_is_its_word_and_its_date(name: str) -> None:
    assert {part.terms[0] for part in text_parts(name)} == {"встреч", "2024-01-05"}
