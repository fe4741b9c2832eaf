"""What only an assistant said is told as an assistant's, in a draft too, and Markdown in it is read."""

from __future__ import annotations

from dataclasses import replace

from vaultrag.answering.draft import Draft
from vaultrag.answering.prompt import Offered
from vaultrag.domain import Chunk, Passage, Span

TEXT = "Для теста нужно 315 граммов воды."
SAID = Chunk(
    "1",
    "Чат.md",
    (),
    Span(1, 1, 1, len(TEXT)),
    "",
    "assistant",
    TEXT,
    TEXT,
    "ru",
    "1",
    said="2025-06-11T06:42",
    model="o3",
)


def told(draft_text: str, *chunks: Chunk) -> list[str]:
    offered = [Offered(Passage(chunk, "Хлеб", 1.0, ()), 0, len(chunk.text)) for chunk in chunks]
    draft = Draft("Сколько воды?", offered)
    for _ in draft.add(draft_text):
        pass
    for _ in draft.finish(None):
        pass
    return [sentence.text for sentence in draft.prose().told]


def test_sentence_that_only_an_assistant_backs_says_so() -> None:
    assert told("Нужно 315 граммов воды [1].", SAID) == ["Ассистент сказал (o3, 2025-06-11): Нужно 315 граммов воды."]


def test_sentence_that_a_note_backs_is_told_as_it_is() -> None:
    own = replace(SAID, id="2", path="Хлеб.md", speaker="", said="", model="")
    assert told("Нужно 315 граммов воды [1].", own) == ["Нужно 315 граммов воды."]


def test_markdown_of_a_draft_is_read() -> None:
    own = replace(SAID, id="2", path="Хлеб.md", speaker="", said="", model="")
    assert told("Нужно **315** граммов [[Вода|воды]] [1].", own) == ["Нужно 315 граммов воды."]
