"""What a model's scores mean: lines drawn on known questions, and what they are worth."""

from __future__ import annotations

import math

import pytest

from vaultrag.answering.judging.calibration import (
    FARTHEST,
    LOST_AT_MOST,
    RISK_AT_MOST,
    UNCALIBRATED,
    Calibration,
    Scored,
    Thresholds,
    backing_of,
    balanced_line,
    curve,
    discrimination,
    draw_thresholds,
    level_of,
    point_at,
    shift_for,
)
from vaultrag.domain import AnswerStyle, Backing, Level, ProbeRecord

LINES = Thresholds(-1.0, 2.0)


@pytest.mark.parametrize(
    ("score", "level"), [(-1.1, Level.NOT_IN_VAULT), (-1.0, Level.WEAK), (1.9, Level.WEAK), (2.0, Level.BACKED)]
)
def test_two_lines_part_three_levels(score: float, level: Level) -> None:
    assert level_of(score, LINES) is level


@pytest.mark.parametrize("score", [-50.0, 50.0])
def test_nothing_is_certain_without_lines(score: float) -> None:
    assert level_of(score, UNCALIBRATED.thresholds_for("ru")) is Level.WEAK
    assert backing_of(score, UNCALIBRATED.support) is Backing.UNCHECKED


def test_nothing_is_certain_without_a_score() -> None:
    assert level_of(None, LINES) is Level.WEAK
    assert backing_of(None, LINES) is Backing.UNCHECKED


def test_a_question_is_judged_by_the_lines_of_its_language() -> None:
    calibration = Calibration({"ru": Thresholds(-2, 0), "": LINES})
    assert calibration.thresholds_for("ru") == Thresholds(-2, 0)
    assert calibration.thresholds_for("en") == LINES


def test_the_low_line_gives_up_few_true_answers_however_many_false_there_are() -> None:
    true = [Scored(float(score), true=True) for score in range(100)]
    few, many = ([Scored(score / n * 60, true=False) for score in range(n)] for n in (10, 1000))
    for untrue in (few, many):
        lines = draw_thresholds([*true, *untrue])
        assert lines is not None
        assert point_at(true, lines.low).kept >= 1 - LOST_AT_MOST


def test_above_the_high_line_little_is_untrue() -> None:
    scored = [Scored(float(score), true=True) for score in range(40)]
    scored += [Scored(float(score), true=False) for score in range(-20, 20)]
    lines = draw_thresholds(scored)
    assert lines is not None
    assert point_at(scored, lines.high).risk <= RISK_AT_MOST
    assert lines.low <= lines.high


def test_one_question_without_an_answer_makes_nothing_certain() -> None:
    true = [Scored(float(score), true=True) for score in (1, 2, 3)]
    one, many = (draw_thresholds([*true, *(Scored(0.0, true=False) for _ in range(count))]) for count in (1, 20))
    assert one is not None
    assert many is not None
    assert one.high == 3.0
    assert many.high == many.low < 3.0


def test_the_high_line_stands_above_everything_where_scores_tell_nothing() -> None:
    scored = [Scored(float(score), true=bool(score % 2)) for score in range(40)]
    lines = draw_thresholds(scored)
    assert lines is not None
    assert lines.high >= 39


@pytest.mark.parametrize("true", [True, False])
def test_no_line_is_drawn_on_one_kind_of_question(true: bool) -> None:
    assert draw_thresholds([Scored(1.0, true)]) is None
    assert balanced_line([Scored(1.0, true)]) is None


def test_curve_goes_from_answering_everything_to_refusing_everything() -> None:
    points = curve([Scored(0.0, true=False), Scored(1.0, true=True), Scored(2.0, true=True)])
    assert (points[0].coverage, points[0].risk, points[0].kept) == (1.0, 1 / 3, 1.0)
    assert (points[1].coverage, points[1].risk, points[1].refused_rightly, points[1].caught) == (2 / 3, 0.0, 1.0, 1.0)
    assert points[-1].coverage == 0.0
    assert math.isinf(points[-1].threshold)


def test_the_balanced_line_lies_between_the_two_kinds() -> None:
    scored = [Scored(-3.0, true=False), Scored(-1.0, true=False), Scored(2.0, true=True), Scored(5.0, true=True)]
    assert balanced_line(scored) == 0.5
    assert discrimination(scored) == 1.0


def test_a_vault_moves_the_lines_as_far_as_its_probes_weigh() -> None:
    def probes(count: int, true: float, untrue: float) -> list[Scored]:
        return [Scored(true, true=True)] * count + [Scored(untrue, true=False)] * count

    few, many = (shift_for(LINES, probes(count, 2.2, 0.2)) for count in (4, 400))
    assert 0 < few < many < 0.7  # their own line lies at 1.2, the model's middle at .5
    assert shift_for(LINES, probes(400, 90.0, 80.0)) == FARTHEST
    assert shift_for(LINES, []) == 0.0


def test_a_moved_calibration_says_what_it_meant_there() -> None:
    record = ProbeRecord(40, 34, 40, 31, of_this_vault=True)
    moved = Calibration({"en": LINES}, support=LINES).moved(0.5, record)
    assert moved.thresholds_for("en") == Thresholds(-0.5, 2.5)
    assert (moved.support, moved.record) == (LINES, record)


@pytest.mark.parametrize(
    ("sentences", "backed", "style"),
    [(0, 0, AnswerStyle.QUOTES), (100, 60, AnswerStyle.QUOTES), (100, 90, AnswerStyle.PROSE)],
)
def test_a_model_speaks_where_enough_of_its_sentences_are_backed(
    sentences: int, backed: int, style: AnswerStyle
) -> None:
    assert Calibration(sentences=sentences, backed_sentences=backed).style() is style
