"""What is asked of a model beside its draft, by what was measured of it."""

from __future__ import annotations

import pytest

from tests.doubles import ScriptedModel
from vaultrag.answering.judging.calibration import UNCALIBRATED, Calibration, Thresholds
from vaultrag.answering.judging.checks import checks_by
from vaultrag.domain import AnswerStyle

LINES = Thresholds(-1.0, 1.0)


@pytest.mark.parametrize(
    ("calibration", "answers", "supports", "style"),
    [
        (UNCALIBRATED, False, False, AnswerStyle.PROSE),
        (Calibration({"": LINES}), True, False, AnswerStyle.PROSE),
        (Calibration({}, support=LINES), False, True, AnswerStyle.PROSE),
        (Calibration({"": LINES}, LINES, sentences=40, backed_sentences=20), True, True, AnswerStyle.QUOTES),
        (Calibration({"": LINES}, LINES, sentences=40, backed_sentences=30), True, True, AnswerStyle.PROSE),
    ],
)
def test_a_model_is_asked_what_was_measured_and_writes_where_enough_was_backed(
    calibration: Calibration, answers: bool, supports: bool, style: AnswerStyle
) -> None:
    checks = checks_by(ScriptedModel([]), calibration, lambda: 100.0)
    assert (checks.answers is not None, checks.supports is not None, checks.style) == (answers, supports, style)
