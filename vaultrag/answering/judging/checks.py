"""What a model judges of passages and of its own sentences, and how an answer is best told by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vaultrag.answering.judging.calibration import UNCALIBRATED, Calibration
from vaultrag.answering.judging.support import Statement, judge_support
from vaultrag.answering.judging.sureness import Answerability, Shown, affordable, judge_answerability
from vaultrag.domain import AnswerStyle, Backing, ChatModel

Answers: TypeAlias = Callable[[str, Sequence[Shown]], Answerability]
"""Whether excerpts, best first, answer a question."""

Supports: TypeAlias = Callable[[Sequence[Statement]], tuple[Backing, ...]]
"""Whether each sentence is supported by what it cites."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What is asked of a model beside the draft; nothing where nobody has measured what its judgement is worth."""

    answers: Answers | None = None
    supports: Supports | None = None
    style: AnswerStyle = AnswerStyle.PROSE


UNCHECKED = Checks()


def checks_by(model: ChatModel, calibration: Calibration, tokens_per_second: Callable[[], float]) -> Checks:
    """Return the checks that a model makes by its calibration, as many as a person waits for at its reading speed.

    A model that nobody has measured writes prose: that it writes badly is not known either.
    """
    if calibration == UNCALIBRATED:
        return UNCHECKED
    supports: Supports | None = None
    if calibration.support is not None:

        def supports(statements: Sequence[Statement]) -> tuple[Backing, ...]:
            return judge_support(statements, model, calibration)

    def answers(question: str, excerpts: Sequence[Shown]) -> Answerability:
        read = affordable(question, excerpts, tokens_per_second())
        return judge_answerability(question, excerpts, model, calibration, read)

    style = calibration.style() if calibration.sentences else AnswerStyle.PROSE
    return Checks(answers if calibration.answerable else None, supports, style)
