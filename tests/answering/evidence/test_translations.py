"""Which line answers a question of the other language, by everyday words that both have."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.evidence.translations import translated
from vaultrag.text.language import stem
from vaultrag.text.morphology import term_of

RUSSIAN = "Рыжий, весёлый.\n\nСпит на сервере.\n\nКорм кота – 52 г в сутки.\n\nБоится пылесоса.\n"
ENGLISH = "Ginger, cheerful.\n\nSleeps on the server.\n\nThe cat's food: 52 g a day.\n\nAfraid of the vacuum cleaner.\n"


@pytest.mark.parametrize(
    ("question", "text", "wanted"),
    [
        ("What food does the cat get?", RUSSIAN, "52 г"),
        ("What is he scared of?", RUSSIAN, "пылесоса"),
        ("Where does he sleep?", RUSSIAN, "сервере"),
        ("Какой корм у кота?", ENGLISH, "52 g"),
        ("Чего он боится?", ENGLISH, "vacuum"),
        ("Где он спит?", ENGLISH, "server"),
    ],
)
def test_a_line_in_the_other_language_is_told_by_its_words(question: str, text: str, wanted: str) -> None:
    evidence = Evidence(question, (passage("Бублик.md", text),), None)
    assert wanted in evidence.likely(1)[0].words


@pytest.mark.parametrize(
    ("word", "other"),
    [("bought", "купил"), ("children", "ребёнка"), ("keys", "ключами"), ("paid", "заплатили"), ("мамой", "mother")],
)
def test_irregular_and_declined_forms_are_known(word: str, other: str) -> None:
    assert stem(other) in translated(term_of(word))


def test_a_word_in_no_dictionary_has_no_translation() -> None:
    assert translated([stem("Tollbooth"), stem("варроатоз")]) == frozenset()


def test_each_row_of_the_dictionary_has_words_of_both_languages() -> None:
    text = resources.files("vaultrag.answering.evidence").joinpath("translations.txt").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row and not row.startswith("#")]
    assert len(rows) > 500
    assert [row for row in rows if not re.fullmatch(r"[a-z]+(?: [a-z]+)*: [а-яё]+(?: [а-яё]+)*", row)] == []
