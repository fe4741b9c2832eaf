"""Chats with an AI in any form, as passages that know who said them. The forms stand in tests/cases/dialogues.md."""

from __future__ import annotations

import pytest

from tests.doubles import count_words
from vaultrag.answering.witness import told_by
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.parsing.parse import parse_note

DAY = """---
date: 2025-03-15
---
# Суббота

## Чат про рис
**Я:** Сколько варить рис?

**ChatGPT:** 15 минут.

## Вечер
Варил 20 минут, вышло лучше.
"""


def test_each_passage_knows_who_said_it_and_the_own_words_stay_own() -> None:
    chunks = chunk_note(parse_note("Журнал/2025-03-15.md", DAY), count_words, 300, 420)
    assert [(chunk.speaker, chunk.text.rpartition("\n")[2]) for chunk in chunks] == [
        ("", "## Чат про рис"),
        ("user", "**Я:** Сколько варить рис?"),
        ("assistant", "**ChatGPT:** 15 минут."),
        ("", "Варил 20 минут, вышло лучше."),
    ]
    assert told_by(chunks[2]) == "сказал ассистент, ChatGPT, 2025-03-15"
    assert chunks[2].heading_path == ("Суббота", "Чат про рис")
    assert chunks[2].embedded == "Суббота > Чат про рис\n15 минут."


def test_a_note_keeps_its_name_whatever_chat_it_holds() -> None:
    assert parse_note("Журнал/2025-03-15.md", DAY).title == "2025-03-15"


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_turns_do_not_depend_on_line_endings(newline: str) -> None:
    turns = parse_note("n.md", DAY.replace("\n", newline)).turns
    assert [(turn.speaker, turn.model) for turn in turns] == [("user", ""), ("assistant", "ChatGPT")]


def test_code_that_opens_an_answer_hides_no_further_message() -> None:
    text = "**Я:** покажи\n\n**Бот:** ```sh\n**Я:** ls\n```\n\n**Я:** спасибо\n\n**Бот:** пожалуйста\n"
    note = parse_note("n.md", text)
    begins = [text[turn.body : turn.end].partition("\n")[0] for turn in note.turns]
    assert begins == ["покажи", "```sh", "спасибо", "пожалуйста"]
    assert [block.kind.value for block in note.blocks if block.turn == 1] == ["turn", "code"]
