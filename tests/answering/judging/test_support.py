"""Whether cited lines support a sentence, by the likelihood of Yes and No, with numbers checked by code."""

from __future__ import annotations

import pytest

from tests.doubles import LeaningModel
from vaultrag.answering.judging.calibration import UNCALIBRATED, Calibration, Thresholds
from vaultrag.answering.judging.support import (
    NAME_COST,
    Premise,
    Statement,
    holds_numbers,
    judge_support,
    support_scores,
)
from vaultrag.domain import Backing

CALIBRATED = Calibration(support=Thresholds(0.0, 2.0))
LINES = Premise("Boiler", "Repaired on 12 May 2024. It took two hours.")


@pytest.mark.parametrize(
    ("leaning", "backing"), [(3.0, Backing.BACKED), (1.0, Backing.PARTLY), (-1.0, Backing.NOT_BACKED)]
)
def test_a_sentence_is_backed_by_how_far_its_lines_move_the_model(leaning: float, backing: Backing) -> None:
    model = LeaningModel({"(empty)": 0.0, LINES.lines: leaning})
    assert judge_support([Statement("It was repaired in May.", (LINES,))], model, CALIBRATED) == (backing,)


def test_what_pleases_the_model_without_lines_backs_nothing() -> None:
    model = LeaningModel({"(empty)": 5.0, LINES.lines: 5.5})
    assert support_scores([Statement("Water is wet.", (LINES,))], model) == [pytest.approx(0.5)]


def test_nothing_is_called_backed_with_a_model_whose_scores_nobody_measured() -> None:
    model = LeaningModel({"(empty)": 0.0, LINES.lines: 30.0})
    assert judge_support([Statement("Repaired in May.", (LINES,))], model, UNCALIBRATED) == (Backing.UNCHECKED,)
    assert model.prompts == []


def test_nothing_is_called_backed_where_a_server_gives_no_probabilities() -> None:
    model = LeaningModel({"(empty)": 0.0, LINES.lines: 30.0}, calibrated=False)
    assert judge_support([Statement("Repaired in May.", (LINES,))], model, CALIBRATED) == (Backing.UNCHECKED,)


def test_a_sentence_without_a_source_is_not_backed_whatever_the_model_thinks() -> None:
    model = LeaningModel({"": 30.0})
    assert judge_support([Statement("Repaired in May.", ())], model, CALIBRATED) == (Backing.NOT_BACKED,)


@pytest.mark.parametrize(
    ("lines", "sentence", "holds"),
    [
        ("Repaired on 12 May 2024.", "The boiler was repaired on 2024-05-12.", True),
        ("Repaired on 12 May 2024.", "The boiler was repaired on 13 May 2024.", False),
        ("Цена 6 500 ₽ за метр.", "Метр стоит 6500 рублей.", True),
        ("Цена 6 500 ₽ за метр.", "Метр стоит 5600 рублей.", False),
        ("Вес: 5,1 кг.", "It weighs 5.1 kg.", True),
        ("Never set HX711_TIMEOUT.", "Set HX711_DELAY first.", False),
    ],
)
def test_a_number_that_no_line_holds_ends_it(lines: str, sentence: str, holds: bool) -> None:
    statement = Statement(sentence, (Premise("Note", lines),))
    model = LeaningModel({"(empty)": 0.0, lines: 30.0})
    assert holds_numbers(statement) is holds
    expected = Backing.BACKED if holds else Backing.NOT_BACKED
    assert judge_support([statement], model, CALIBRATED) == (expected,)


@pytest.mark.parametrize(
    ("sentence", "question", "cost"),
    [
        ("It was Viktor who repaired it.", "Who repaired it?", 0),
        ("It was Kostya who repaired it.", "Who repaired it?", NAME_COST),
        ("It was Kostya who repaired it.", "Did Kostya repair it?", 0),
        ("Его чинил Виктор.", "Кто чинил?", 0),
        ("Его чинил Костя.", "Кто чинил?", NAME_COST),
        ("It was repaired on a Monday in May.", "When?", 0),
    ],
)
def test_a_name_that_neither_lines_nor_question_hold_makes_a_sentence_less_likely(
    sentence: str, question: str, cost: float
) -> None:
    lines = Premise("Boiler", "Repaired by Виктор, at last.")
    model = LeaningModel({"(empty)": 0.0, lines.lines: 1.0})
    assert support_scores([Statement(sentence, (lines,), question)], model) == [pytest.approx(1.0 - cost)]


def test_a_number_of_the_question_needs_no_line() -> None:
    lines = Premise("Bees", "The honey was little: frost in May.")
    asked = "Why was there so little honey in 2024?"
    assert holds_numbers(Statement("In 2024 the frost took it.", (lines,), asked))
    assert not holds_numbers(Statement("In 2023 the frost took it.", (lines,), asked))


def test_sentences_that_stand_on_several_notes_name_each() -> None:
    model = LeaningModel({"Boiler": 1.0})
    statement = Statement("Repaired in May by Viktor.", (LINES, Premise("Viktor", "He came in May.")))
    support_scores([statement], model)
    assert "Viktor:\nHe came in May." in model.prompts[0]
