"""Who said it is told with what was said: an assistant's words are never told as the user's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaultrag.answering.witness import attributed, told_by
from vaultrag.domain import Chunk, Span

NOTE = Chunk("1", "Хлеб.md", (), Span(1, 1, 1, 1), "", "", "Вода 315 г", "Вода 315 г", "ru", "1", date="2025-06-12")
SAID = replace(NOTE, id="2", speaker="assistant", model="gpt-4o", said="2025-06-11T06:42")
ASKED = replace(NOTE, id="3", speaker="user", said="2025-06-10T06:41")


def test_speaker_is_told_in_the_language_that_is_asked_for() -> None:
    assert told_by(SAID) == "сказал ассистент, gpt-4o, 2025-06-11"
    assert told_by(replace(SAID, language="en")) == "an assistant said, gpt-4o, 2025-06-11"
    assert told_by(replace(ASKED, language="en")) == "the user wrote to an assistant, 2025-06-10"
    assert told_by(replace(SAID, model="", said="")) == "сказал ассистент"
    assert told_by(NOTE) == ""


@pytest.mark.parametrize(
    ("backing", "language", "told"),
    [
        ([SAID], "ru", "Ассистент сказал (gpt-4o, 2025-06-11): Воды 315 г."),
        ([SAID], "en", "An assistant said (gpt-4o, 2025-06-11): Воды 315 г."),
        ([ASKED], "ru", "Вы написали ассистенту (2025-06-10): Воды 315 г."),
        ([ASKED, SAID], "ru", "Ассистент сказал (gpt-4o, 2025-06-11): Воды 315 г."),
        ([replace(SAID, model="", said="")], "en", "An assistant said: Воды 315 г."),
        ([SAID, NOTE], "ru", "Воды 315 г."),
        ([NOTE], "ru", "Воды 315 г."),
        ([], "ru", "Воды 315 г."),
    ],
)
def test_a_sentence_that_only_chats_back_says_who_said_it(backing: list[Chunk], language: str, told: str) -> None:
    assert attributed("Воды 315 г.", backing, language) == told


@pytest.mark.parametrize("sentence", ["Ассистент советовал 315 г.", "ChatGPT said 315 g.", "An assistant said 315 g."])
def test_a_sentence_that_names_the_assistant_is_left(sentence: str) -> None:
    assert attributed(sentence, [SAID], "en") == sentence
