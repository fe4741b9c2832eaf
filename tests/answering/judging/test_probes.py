"""Questions made from a vault whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.doubles import ScriptedModel
from vaultrag.answering.judging.probes import (
    UNTOLD,
    Probe,
    ProbeKind,
    Seed,
    coined_name,
    coined_probe,
    known_probe,
    seeds,
    untold_probe,
)
from vaultrag.domain import Chunk, Span
from vaultrag.text.language import stems

RUSSIAN = Seed("c1", "Бойлер", "Картридж бойлера поменял 12 мая, Виктор помогал.")
ENGLISH = Seed("c2", "Garden gate", "The gate got a new lock on 12 May, Viktor helped.")


def never(_stem: str) -> bool:
    return False


def chunk(path: str, text: str) -> Chunk:
    return Chunk(f"id of {path}", path, (), Span(1, 1, 1, len(text)), "", "", text, text, "en", "")


@pytest.mark.parametrize(
    ("seed", "question"),
    [(RUSSIAN, "Когда меняли картридж бойлера?"), (ENGLISH, "When did the garden gate get a new lock?")],
)
def test_the_model_asks_for_what_a_sentence_says(seed: Seed, question: str) -> None:
    assert known_probe(seed, ScriptedModel([question])) == Probe(ProbeKind.KNOWN, question, seed.chunk_id)


@pytest.mark.parametrize(
    "written",
    ["The gate got a new lock.", "When?", "Когда воротам поставили замок?", "Is it so that " + ENGLISH.sentence + "?"],
)
def test_what_is_no_question_or_tells_its_answer_is_not_asked(written: str) -> None:
    assert known_probe(ENGLISH, ScriptedModel([written])) is None


@pytest.mark.parametrize(
    ("seed", "question", "gone"),
    [
        (RUSSIAN, "Когда меняли картридж бойлера?", "бойлер"),
        (ENGLISH, "When did the garden gate get a new lock?", "garden gate"),
        (Seed("c3", "2024-05-12", "Viktor brought 12 kg of honey."), "How much honey did Viktor bring?", "Viktor"),
    ],
)
def test_a_coined_subject_is_asked_the_same(seed: Seed, question: str, gone: str) -> None:
    known = Probe(ProbeKind.KNOWN, question, seed.chunk_id)
    coined = coined_probe(seed, known, never)
    assert coined is not None
    assert not coined.answerable
    assert gone not in coined.question
    assert coined.question.split()[0] == question.split(maxsplit=1)[0]
    assert coined_probe(seed, known, never) == coined


def test_a_question_without_a_subject_is_not_coined_away() -> None:
    assert coined_probe(ENGLISH, Probe(ProbeKind.KNOWN, "What is new here?"), never) is None


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_coined_name_is_in_no_note(language: str) -> None:
    first = coined_name("key", language, never)
    assert coined_name("key", language, lambda stem: stem in stems(first)) != first


@pytest.mark.parametrize("seed", [RUSSIAN, ENGLISH])
def test_what_a_note_tells_is_not_asked_as_untold(seed: Seed) -> None:
    words = [word for word, _ in UNTOLD[seed.language]]
    asked = untold_probe(seed, frozenset(stem for word in words[1:] for stem in stems(word)))
    assert asked is not None
    assert asked.question == UNTOLD[seed.language][0][1].format(subject=seed.title)
    assert untold_probe(seed, frozenset(stem for word in words for stem in stems(word))) is None


def test_a_title_that_is_a_date_is_no_subject() -> None:
    assert untold_probe(replace(ENGLISH, title="2024-05-12"), frozenset()) is None


def test_seeds_take_one_sentence_of_each_note_before_a_second() -> None:
    long = "We paid 40 euros for the blue paint. Then Viktor came at 12 and painted the whole fence. "
    chunks = [("A", chunk("A.md", long * 3)), ("B", chunk("B.md", "Nothing else but this: it weighs 17 kg by now."))]
    chosen = seeds(chunks, 2)
    assert {seed.title for seed in chosen} == {"A", "B"}
    assert seeds(chunks[::-1], 2) == chosen


@pytest.mark.parametrize(
    "text", ["| a | table of 40 rows and more cells to read |", "Short 4.", "what was it all about 40?"]
)
def test_rows_fragments_and_questions_are_no_seeds(text: str) -> None:
    assert seeds([("A", chunk("A.md", text))], 5) == []
