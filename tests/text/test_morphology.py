"""Forms whose stem changes, by the dictionary: what Snowball alone would part."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultrag.text.language import stem, stems
from vaultrag.text.morphology import count_terms, forms_of, stems_of_terms, term_of
from vaultrag.text.terms import question_terms


@pytest.mark.parametrize(
    "forms",
    [
        "Павел Павла Павлу Павлом Павле",
        "Лев Льва Льву Львом",
        "отец отца отцу отцом отцы отцов",
        "ребёнок ребёнка ребёнку ребенком дети детей детьми",
        "день дня дню днём дни дней днями",
        "рынок рынка рынку рынком рынки",
        "окно окна окон окнами",
        "письмо письма писем письмами",
        "лёд льда льду льдом лед",
        "сестра сестры сестёр сестер",
        "друг друга друзья друзей друзьями",
        "человек человека люди людей людьми",
        "мать матери матерью",
        "идти иду идёт шёл шла шли",
        "писать пишу пишет писал",
        "искать ищу ищет искали",
        "заяц зайца зайцы",
        "боец бойца бойцов",
        "котёнок котята котёнка",
        "хороший лучше хорошего",
    ],
)
def test_any_form_is_found_by_any_other(forms: str) -> None:
    for asked in forms.split():
        for written in forms.split():
            assert stem(written) in term_of(asked), (asked, written)


@pytest.mark.parametrize("word", ["сервер", "маяк", "Марина", "экран", "книга", "синий", "restic", "C++", "2024", "🔥"])
def test_words_whose_stem_stays_have_that_alone(word: str) -> None:
    assert term_of(word) == (stem(word),)


@pytest.mark.parametrize("word", ["глокая", "Ньютонёнок", "бенчмаркец", "ёёё", "его", "были", "А", ""])
def test_words_that_the_dictionary_does_not_know_and_function_words_are_not_guessed_at(word: str) -> None:
    assert term_of(word) == (stem(word),)


@pytest.mark.parametrize(("asked", "other"), [("день", "деть"), ("стали", "сталкер"), ("Павел", "павиан")])
def test_a_reading_that_hardly_anybody_means_is_left_out(asked: str, other: str) -> None:
    assert stem(other) not in term_of(asked)


def test_yo_case_and_stress_do_not_matter() -> None:
    assert set(term_of("РЕБЁНОК")) == set(term_of("ребенок")) == set(term_of("ребё\u0301нок"))


def test_forms_are_folded_and_hold_the_word_itself() -> None:
    assert {"день", "дня", "днем"} <= forms_of("День")
    assert forms_of("restic") == {"restic"}


def test_a_question_is_asked_in_all_forms_each_word_counted_once() -> None:
    terms = question_terms("Что сказал Павел о дне города?")
    assert len(terms) == 4
    assert count_terms(terms, stems("Павлом и Павел, дни и дни")) == 2
    assert set(stems("Павлом дней города")) <= set(stems_of_terms(terms))
    assert question_terms("Кто ты?") == [("кто",), ("ты",)]


@given(st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщъыьэюя-", max_size=60))
def test_any_word_is_found_by_its_own_stem_first(word: str) -> None:
    assert term_of(word)[0] == stem(word)
    assert len(set(term_of(word))) == len(term_of(word))


@pytest.mark.parametrize(
    "command", ["import vaultrag.cli.main", "from vaultrag.text.morphology import term_of; term_of('day')"]
)
def test_the_dictionary_is_loaded_for_russian_words_alone(command: str) -> None:
    code = f"import sys; {command}; sys.exit('pymorphy3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
