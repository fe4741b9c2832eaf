"""Names in the other script: what people write of «Виктор», and what is left alone."""

from __future__ import annotations

import pytest

from vaultrag.text.transliteration import MOST_VARIANTS, transliterations


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Viktor", "виктор"),
        ("Sonya", "соня"),
        ("mayak", "маяк"),
        ("Shchukin", "щукин"),
        ("Chekhov", "чехов"),
        ("Andrey", "андрей"),
        ("Томаш", "tomash"),
        ("рестик", "restic"),
        ("Маяк", "mayak"),
        ("Юлия", "yuliya"),
        ("Андреи\u0306", "andrey"),
    ],
)
def test_a_name_is_found_as_the_other_script_writes_it(written: str, meant: str) -> None:
    assert meant in transliterations(written)


@pytest.mark.parametrize("word", ["a", "по", "gpt-4o", "10.0.0.5", "смешaнное", "", "日本語", "fıstık", "ſimon"])
def test_short_words_identifiers_and_other_scripts_give_nothing(word: str) -> None:
    assert transliterations(word) == ()


def test_ambiguous_words_stay_bounded() -> None:
    assert len(transliterations("yyyyyyyyyyyyyyyyyyyyyyyyyyyy")) <= MOST_VARIANTS
    assert len(transliterations("е" * 200)) <= MOST_VARIANTS
