"""Words meet across their forms, across scripts and across two languages."""

from __future__ import annotations

import pytest

from vaultrag.contradictions.comparing.concepts import WordSet, are_alike, read_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("колодец", "колодца"),
        ("рост", "height"),
        ("Тимуром", "Timur"),
        ("роутера", "router"),
        ("продали", "продаже"),
        ("insured", "insurance"),
        ("лицензия", "Licence"),
    ],
)
def test_words_of_one_meaning_are_alike(one: str, other: str) -> None:
    [first], [second] = read_words(one), read_words(other)
    assert are_alike(first, second)
    assert WordSet([first]).has(second)


@pytest.mark.parametrize(
    ("one", "other"), [("полка", "полковник"), ("вес", "весна"), ("Anna", "Анатолий"), ("80", "800")]
)
def test_words_that_only_begin_alike_are_not(one: str, other: str) -> None:
    [first], [second] = read_words(one), read_words(other)
    assert not are_alike(first, second)


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("метки на рамке нет", ["рамке"]),
        ("Surgery: none", ["Surgery"]),
        ("операций не было", ["операций"]),
        ("Never restart the relay", ["restart"]),
        ("без общей сетки", ["общей", "сетки"]),
        ("не больше 20 минут", []),
        ("no later than Friday", []),
        ("a draft isn't a decision", ["decision"]),
    ],
)
def test_what_a_clause_denies_is_known(text: str, denied: list[str]) -> None:
    found = [word.text for word in read_words(text) if word.is_denied]
    assert [word for word in denied if word not in found] == []
    assert bool(found) == bool(denied)
