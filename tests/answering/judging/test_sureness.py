"""Whether the passages answer a question, by the likelihood of Yes and No."""

from __future__ import annotations

import pytest

from tests.doubles import LeaningModel, ScriptedModel
from vaultrag.answering.judging.calibration import UNCALIBRATED, Calibration, Thresholds
from vaultrag.answering.judging.sureness import (
    BEST,
    EXCERPT,
    Shown,
    affordable,
    around,
    judge_answerability,
    prompt_for,
    shown,
)
from vaultrag.answering.judging.unsaid import NAME_COST, NUMBER_COST
from vaultrag.domain import ChatModel, Chunk, Level, Passage, ProbeRecord, Span

CALIBRATED = Calibration(
    {"ru": Thresholds(-1, 1), "en": Thresholds(-2, 2)}, record=ProbeRecord(9, 8, 9, 7, of_this_vault=False)
)
PASSAGES = (Shown("Boiler", "It broke."), Shown("Boiler", "Repaired in May."), Shown("Cat", "Sleeps."))


def leaning(*values: float, calibrated: bool = True) -> LeaningModel:
    """Return a model that leans so far to Yes for each of PASSAGES."""
    texts = [passage.text for passage in PASSAGES]
    return LeaningModel(dict(zip(texts, values, strict=True)), calibrated)


@pytest.mark.parametrize(
    ("question", "best", "level"),
    [
        ("When was the boiler repaired?", 2.5, Level.BACKED),
        ("When was the boiler repaired?", 1.5, Level.WEAK),
        ("When was the boiler repaired?", -2.5, Level.NOT_IN_VAULT),
        ("Когда чинили бойлер?", 1.5, Level.BACKED),
        ("Когда чинили бойлер?", -1.5, Level.NOT_IN_VAULT),
    ],
)
def test_the_likeliest_passage_decides_by_the_lines_of_the_language(question: str, best: float, level: Level) -> None:
    found = judge_answerability(question, PASSAGES, leaning(-3, best, -4), CALIBRATED)
    assert found.sureness.level is level
    assert found.sureness.calibrated
    assert found.sureness.score == pytest.approx(best)
    assert found.sureness.record == CALIBRATED.record


def test_only_the_first_passages_are_read() -> None:
    more = (*PASSAGES, Shown("Fourth", "Never read."))
    assert judge_answerability("When?", more, leaning(-3, 2, -1), CALIBRATED).scores == pytest.approx((-3, 2, -1))


def test_nothing_is_certain_with_a_model_whose_scores_nobody_measured() -> None:
    for value in (-20.0, 20.0):
        sureness = judge_answerability("When?", PASSAGES, leaning(value, value, value), UNCALIBRATED).sureness
        assert (sureness.level, sureness.calibrated, sureness.threshold) == (Level.WEAK, False, None)


def test_nothing_is_certain_where_a_server_gives_no_probabilities() -> None:
    found = judge_answerability("When?", PASSAGES, leaning(9, 9, 9, calibrated=False), CALIBRATED)
    assert (found.sureness.level, found.sureness.score, found.scores) == (Level.WEAK, None, ())


def test_no_passage_answers_nothing_and_the_model_is_not_asked() -> None:
    model: ChatModel = ScriptedModel(["Yes"])
    assert judge_answerability("When?", (), model, CALIBRATED).sureness.level is Level.NOT_IN_VAULT


def test_each_passage_is_asked_alone_under_its_title() -> None:
    model = leaning(0, 0, 0)
    judge_answerability("When?", PASSAGES, model, CALIBRATED, read=2)
    assert model.prompts == [prompt_for("When?", passage) for passage in PASSAGES[:2]]


@pytest.mark.parametrize(
    ("question", "cost"),
    [
        ("What happened to Viktor in 2024?", NUMBER_COST + NAME_COST),
        ("Что было у Виктора в 2024?", NUMBER_COST + NAME_COST),
        ("What about {braces}?", 0),
    ],
)
def test_a_passage_that_lacks_what_the_question_names_answers_less_likely(question: str, cost: float) -> None:
    found = judge_answerability(question, PASSAGES, leaning(0, 1, 0), CALIBRATED)
    assert list(found.scores) == pytest.approx([-cost, 1 - cost, -cost])


@pytest.mark.parametrize("sentence", ["It broke again. ", "Он опять сломался. "])
def test_slow_machines_read_only_the_best_passage(sentence: str) -> None:
    long = [Shown("Boiler", sentence * (400 // len(sentence)))] * 5
    assert [affordable("When was it repaired?", long, speed) for speed in (10, 40, 120, 10_000)] == [1, 1, BEST, BEST]


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"{name} of them{' all' * 40}." for name in ("First", "Second", "Third", "Fourth", "Fifth")),
        " ".join(f"{name} дело{' тут' * 40}." for name in ("Первое", "Второе", "Третье", "Четвёртое", "Пятое")),
    ],
)
def test_the_part_round_a_place_holds_whole_sentences(text: str) -> None:
    place = text.index("Third") if "Third" in text else text.index("Третье")
    first, last = around(text, place, place + 3)
    part = text[first:last]
    assert EXCERPT / 2 < len(part) <= EXCERPT
    assert part[0].isupper()
    assert part.endswith(".")
    assert first <= place < last


def test_a_sentence_longer_than_the_part_is_kept_whole() -> None:
    text = "Short. Long" + " and long" * 100 + ". Short."
    assert around(text, 10, 20) == (7, len(text) - 7)


def test_a_passage_is_shown_as_its_reader_sees_it_under_its_place_and_day() -> None:
    text = "Nothing here. ~~6500~~ Now it costs 7000, says [[Viktor|he]]. Nothing there."
    span = Span(1, 1, 1, len(text))
    chunk = Chunk("1", "Gate.md", ("Gate", "Price"), span, "", "", text, text, "en", "", date="2024-05-12")
    place = text.index("Now")
    part = shown(Passage(chunk, "Gate", 1.0, ()), place, place + 3)
    assert part.title == "Gate › Price (note of 2024-05-12)"
    assert "(crossed out: 6500) Now it costs 7000, says he." in part.text
