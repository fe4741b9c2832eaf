"""Quotation marks within quotation marks, in both languages."""

from __future__ import annotations

import pytest

from vaultrag.text.quotation_marks import quoted, set_off


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Новый стоил 95 лари.", "«Новый стоил 95 лари.»"),
        ("«Гейзер» стоил 95 лари.", "«„Гейзер“ стоил 95 лари.»"),
        ("Поставили «Гейзер»", "«Поставили „Гейзер“»"),
        ("„Гейзер“ и “Aquaphor”", "«„Гейзер“ и „Aquaphor“»"),
        ('Он сказал "да".', "«Он сказал „да“.»"),
        ("Газета «Наш „Маяк“»", "«Газета „Наш «Маяк»“»"),
        ("«Рыба ушла.", "«„Рыба ушла.»"),  # a longer quotation, of which this is the first sentence
        ("И не вернулась в 2019».", "«И не вернулась в 2019“.»"),
        ("Д'Артаньян, 5\" и д’Арк", "«Д'Артаньян, 5\" и д’Арк»"),
        ("", "«»"),
    ],
)
def test_marks_in_russian_are_nested(text: str, told: str) -> None:
    assert quoted(text, "ru") == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("It cost 95 lari.", "“It cost 95 lari.”"),
        ("“Go,” she said.", "“‘Go,’ she said.”"),
        ('"Go," she said, "now"', "“‘Go,’ she said, ‘now’”"),
        ("He read «Маяк»", "“He read ‘Маяк’”"),
        ("“He said ‘no’ to me.”", "“‘He said “no” to me.’”"),
        ("I don’t, it’s the dogs’ bowl", "“I don’t, it’s the dogs’ bowl”"),
        ("‘Go,’ she said", "“‘Go,’ she said”"),
        ('a 5" pipe and a 3” one', '“a 5" pipe and a 3” one”'),
        ('yes."', "“yes.’”"),
        ("“And then", "“‘And then”"),
        ('`echo "x"` and {"a": "b"}', '“`echo "x"` and {"a": "b"}”'),
        ('say "', '“say "”'),
    ],
)
def test_marks_in_english_are_nested(text: str, told: str) -> None:
    assert quoted(text, "en") == told


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Go.", "“Go.”"), ("“Go,” she said", "‘“Go,” she said’"), ("«Гейзер» стоит", "“«Гейзер» стоит”")],
)
def test_words_as_they_stand_are_set_off_by_other_marks_than_theirs(text: str, shown: str) -> None:
    assert set_off(text) == shown


@pytest.mark.parametrize("text", ["«" * 20_000, "“‘" * 10_000, "»" * 20_000, "’" * 20_000, '" "' * 7_000])
def test_hostile_marks_take_no_time(text: str) -> None:
    assert len(quoted(text, "ru")) == len(text) + 2
