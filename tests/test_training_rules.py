"""The rules that make training pairs: every wording can be said in both languages, and a label means what it says."""

from __future__ import annotations

import math
import random

import pytest
import torch

from training.judge import pair_loss
from training.pairs import CONTRADICTED, ENTAILED, MAKERS, NOT_ENTAILED, Claim, make_pairs
from training.values import draw, number, unlike, words_en, words_ru
from training.words import other, rules, things


def test_the_same_seed_makes_the_same_pairs() -> None:
    assert list(make_pairs(60, 1)) == list(make_pairs(60, 1))
    assert list(make_pairs(60, 1)) != list(make_pairs(60, 2))


def test_pairs_are_of_every_kind_and_language() -> None:
    pairs = list(make_pairs(800, 3))
    assert {pair.source for pair in pairs} == {f"rule_{name}" for name in MAKERS}
    assert {pair.lang for pair in pairs} == {"ru", "en", "x"}
    assert {ENTAILED, CONTRADICTED} <= {pair.label for pair in pairs}


def test_no_blank_is_left_open() -> None:
    for pair in [*make_pairs(400, 4), *make_pairs(200, 4, development=True)]:
        assert "{" not in pair.premise + pair.hypothesis


def test_rules_kept_for_development_make_no_training_pairs() -> None:
    trained = {pair.premise.lower() for pair in make_pairs(1000, 5)}
    kept = [pair for pair in make_pairs(300, 5, development=True) if pair.source in {"rule_differs", "rule_same"}]
    assert not trained & {pair.premise.lower() for pair in kept}


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_every_relation_says_thing_and_value(lang: str) -> None:
    chance = random.Random(0)
    for rule in rules("relations")["relation"]:
        thing, value = things(rule["of"])[0], draw(rule["value"], chance)
        for wording in rule[lang]:
            said = Claim({**rule, lang: [wording]}, {"s": thing, "v": value}).said(lang, chance)
            assert len(said) > len(wording) - 12


def test_another_value_is_never_the_same_in_other_words() -> None:
    chance = random.Random(1)
    for rule in rules("relations")["relation"]:
        value = draw(rule["value"], chance)
        assert not set(unlike(value, rule["value"], chance).en) & set(value.en)


def test_another_thing_is_mostly_one_of_the_same_name() -> None:
    chance = random.Random(2)
    shelf = next(thing for thing in things("furniture") if thing.ru == "верхняя полка")
    found = [other(shelf, "furniture", chance) for _ in range(100)]
    assert shelf not in found
    assert sum(thing.head == shelf.head for thing in found) > 50


@pytest.mark.parametrize(
    ("amount", "gender", "russian", "english"),
    [
        (2, "f", "две", "two"),
        (21, "f", "двадцать одна", "twenty-one"),
        (14, "m", "четырнадцать", "fourteen"),
        (305, "m", "триста пять", "three hundred and five"),
    ],
)
def test_numbers_in_words(amount: int, gender: str, russian: str, english: str) -> None:
    assert words_ru(amount, gender) == russian
    assert words_en(amount) == english


def test_units_agree_with_their_number() -> None:
    assert {"22 минуты", "двадцать две минуты"} <= set(number("minute", 22).ru)
    assert {"11 часов", "одиннадцать часов"} <= set(number("hour", 11).ru)
    assert {"half an hour", "30 minutes"} <= set(number("minute", 30).en)


def test_what_is_only_not_entailed_may_be_neutral_or_contradicted() -> None:
    neutral, contradicted = torch.tensor([[0.0, 9.0, 0.0]]), torch.tensor([[0.0, 0.0, 9.0]])
    label = torch.tensor([NOT_ENTAILED])
    assert float(pair_loss(neutral, label)) == pytest.approx(float(pair_loss(contradicted, label)), abs=1e-4)
    assert float(pair_loss(torch.tensor([[9.0, 0.0, 0.0]]), label)) > math.log(100)
