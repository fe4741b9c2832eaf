"""One number, many spellings."""

from __future__ import annotations

import pytest

from vaultrag.text.morphology import stems_of_terms
from vaultrag.text.numbers import canonical_numbers, find_numbers
from vaultrag.text.terms import index_terms, question_terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 500", "1500"), ("1,500", "1500"), ("«1 500 ₽»", "1500"), ("1\u00a0500 руб.", "$1,500"), ("0,5", "0.5"),
        ("1 500,50", "1500.5"), ("1,500.50", "1 500,50"), ("2,50", "2.5"), ("12 345 678", "12,345,678"),
        ("1,125", "1125"), ("1,125", "1.125"), ("0,125", "0.125"), ("10кг", "10 кг"), ("500р", "500 ₽"),
        ("2024г", "2024"), ("03:30", "3:30"), ("+7 912 345-67-89", "89123456789"),
        ("8 (912) 345-67-89", "+7 912 345 67 89"), ("5,5", "−5,50"), ("1\u2009500", "1500"),
        ("4111 1111 1111 1111", "4111111111111111"), ("4111-1111-1111-1111", "4111 1111 1111 1111"),
        ("978-5-17-080115-2", "9785170801152"), ("123-456-789 00", "12345678900"), ("555-35-35", "5553535"),
        ("+44 20 7946 0958", "+442079460958"), ("+49 (30) 901820", "4930901820"), ("45 10 123456", "4510123456"),
        ("+375 29 123-45-67", "375291234567"), ("8 912 345 67 05", "+79123456705"),
    ],
)  # fmt: skip
def test_two_spellings_find_each_other(one: str, other: str) -> None:
    assert set(stems_of_terms(question_terms(one))) & set(index_terms(f"всего {other} и")) & set(index_terms(other))
    assert set(stems_of_terms(question_terms(other))) & set(index_terms(f"(всего {one})"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 500", "15 000"),
        ("0,5", "5"),
        ("5, 10, 15", "5.1"),
        ("1, 500", "1500"),
        ("2024 500", "2024500"),
        ("11 22 33 44 55 66 77 88 99", "11223344556677"),
        ("10-20-30", "102030"),
        ("11 22 33 44,5", "11223344"),
    ],
)
def test_other_numbers_stay_apart(one: str, other: str) -> None:
    assert not set(stems_of_terms(question_terms(other))) & set(index_terms(one)) - {"5"}


@pytest.mark.parametrize(
    "text", ["1500", "10.0.0.5", "1.2.3", "i7", "4090s", "1-2", "2024-01-05", "v2.50", "50 %", "10x"]
)
def test_what_has_one_spelling_is_left_to_the_words(text: str) -> None:
    assert not find_numbers(text)


def test_a_number_with_a_letter_is_more_than_the_number() -> None:
    assert "5g" in stems_of_terms(question_terms("5G"))


@pytest.mark.parametrize(
    ("written", "plain"),
    [("1 200 рублей", "1200 рублей"), ("1,200,000", "1200000"), ("1,5 кг", "1.5 кг"), ("30-го", "30"),
     ("в 03:30", "в 3:30"),
     ("16GB", "16 GB"), ("5G", "5G"), ("в 2024 500 штук", "в 2024 500 штук")],
)  # fmt: skip
def test_citations_compare_one_spelling(written: str, plain: str) -> None:
    assert canonical_numbers(written) == plain
