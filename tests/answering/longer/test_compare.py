"""Whether two answers say the same: by numbers, days and names of both scripts, whatever the words."""

from __future__ import annotations

import pytest

from vaultrag.answering.longer.compare import Standing, compare
from vaultrag.domain import Answer, AnswerStatus, Sentence, SentenceState


def said(text: str, status: AnswerStatus = AnswerStatus.ANSWERED) -> Answer:
    sentence = Sentence(1, text, SentenceState.CITED, ())
    return Answer("", status, text, (sentence,), (), (), "", {}, {})


@pytest.mark.parametrize(
    ("question", "one", "other", "verdict"),
    [
        ("When?", "It was mended on 12 May 2024.", "They mended it 2024-05-12.", Standing.SAME),
        ("Когда?", "Починили 12 мая 2024 года.", "Это было 12.05.2024, чинил Виктор.", Standing.SAME),
        ("Who mended it?", "Viktor did.", "It was done by Виктор.", Standing.UNSETTLED),
        ("Who mended it?", "It was Viktor.", "It was done by Виктор.", Standing.SAME),
        ("Кто чинил?", "Чинил его Виктор.", "Чинила его Марина.", Standing.DIFFERENT),
        ("What is the price?", "It costs 300 euros.", "It costs 350 euros.", Standing.DIFFERENT),
        ("Какой порт открыт?", "Порт 80 открыт.", "Порт 80 не открыт.", Standing.UNSETTLED),
        ("Which port is open?", "Port 80 is open.", "Port 80 isn't open.", Standing.UNSETTLED),
        ("What do cats do?", "They sleep.", "They rest.", Standing.UNSETTLED),
    ],
)
def test_values_tell_whether_two_answers_are_one(question: str, one: str, other: str, verdict: Standing) -> None:
    assert compare(question, said(one), said(other), None).verdict is verdict
    assert compare(question, said(other), said(one), None).verdict is verdict


def test_silence_is_told_from_an_answer() -> None:
    silent, speaking = said("The notes do not say.", AnswerStatus.NOT_IN_VAULT), said("It costs 300 euros.")
    assert compare("", silent, silent, None).verdict is Standing.NEITHER
    assert compare("", silent, speaking, None).verdict is Standing.ONE_ONLY
