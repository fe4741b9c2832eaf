"""The chat model as judge by the likelihood of its answers: what counts, in which language, and what does not."""

from __future__ import annotations

import math

import pytest

from tests.doubles import LeaningModel, ScriptedModel
from vaultrag.answering.judging.calibration import NO_LINES, PairLines
from vaultrag.contradictions.decision import FOLLOWS, POSSIBLE
from vaultrag.contradictions.questions import QuestionJudge, languages_of
from vaultrag.domain import Priority

PAIRS = {
    "ru": ("Не пьёт с 2011 года.", "С 2011-го он не пьёт совсем."),
    "en": ("112 routes under a low bridge.", "Of 20,000 routes, 112 went under a low bridge."),
    "across": ("Операций не было.", "Surgery: none"),
}


@pytest.mark.parametrize("language", ["ru", "en", "across"])
def test_what_the_model_takes_to_follow_counts_from_its_languages_line_on(language: str) -> None:
    one, two = PAIRS[language]
    lines = PairLines(follows={"ru": 2.0, "en": 2.0, "across": 2.0} | {language: 1.0})
    for leaning, follows in ((1.5, True), (0.5, False)):
        model = LeaningModel({f"Hypothesis: {two}": leaning, f"Hypothesis: {one}": -3.0})
        [told] = QuestionJudge(model, lines, "leaning").judge_pairs([(one, two)])
        assert (told.entailment >= FOLLOWS) is follows
        assert told.contradiction == 0.0


def test_either_order_is_enough() -> None:
    one, two = PAIRS["ru"]
    model = LeaningModel({f"Hypothesis: {one}": 3.0, f"Hypothesis: {two}": -3.0})
    [told] = QuestionJudge(model, PairLines(follows={"": 1.0}), "leaning").judge_pairs([(one, two)])
    assert told.entailment > FOLLOWS


def test_model_that_nobody_measured_is_asked_nothing_and_says_nothing() -> None:
    model = LeaningModel({"": 9.0})
    [told] = QuestionJudge(model, NO_LINES, "leaning").judge_pairs([PAIRS["en"]])
    assert (told.contradiction, told.entailment, model.prompts) == (0.0, 0.0, [])


def test_language_without_a_line_is_not_asked_about() -> None:
    model = LeaningModel({"": 9.0})
    judge = QuestionJudge(model, PairLines(follows={"ru": 1.0}), "leaning")
    russian, english = judge.judge_pairs([PAIRS["ru"], PAIRS["en"]])
    assert (russian.entailment > FOLLOWS, english.entailment) == (True, 0.0)
    assert len(model.prompts) == 2


def test_server_without_probabilities_has_not_judged() -> None:
    model = LeaningModel({"": 9.0}, calibrated=False)
    [told] = QuestionJudge(model, PairLines(follows={"": 1.0}), "leaning").judge_pairs([PAIRS["en"]])
    assert math.isnan(told.entailment)


def test_other_lines_make_another_judge() -> None:
    judges = [QuestionJudge(LeaningModel({}), PairLines(follows={"": line}), "leaning") for line in (1.0, 2.0)]
    assert judges[0].fingerprint != judges[1].fingerprint


def test_languages_of_a_pair() -> None:
    assert [languages_of(pair) for pair in PAIRS.values()] == list(PAIRS)


@pytest.mark.parametrize("language", ["ru", "en", "across"])
@pytest.mark.parametrize(("said", "proposes"), [(("Нет", "Нет"), True), (("Да", "Да"), False), (("Нет", "Да"), False)])
def test_where_it_was_measured_the_model_proposes_what_cannot_both_be_true(
    language: str, said: tuple[str, ...], proposes: bool
) -> None:
    model = ScriptedModel(said)
    [told] = QuestionJudge(model, PairLines(contradicts={language: 1.0}), "scripted").judge_pairs([PAIRS[language]])
    assert (told.contradiction >= POSSIBLE) is proposes
    assert {sampling.priority for sampling in model.samplings} == {Priority.NIGHT}
