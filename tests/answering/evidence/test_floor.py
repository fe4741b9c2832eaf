"""Below which the notes do not speak of a question: no likeness in meaning, and none of its words, in any language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.passages import passage
from vaultrag.answering.evidence.floor import enough_evidence
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.config import AnsweringSection
from vaultrag.domain import SearchResult

FILTER = "The washing machine's pump filter clogs. Last cleaned 14 April 2025."
TYRES = "Зимняя резина: поставили 8 ноября 2025."


def is_enough(question: str, text: str, similarity: float = 0.79, coverage: float = 0.1) -> bool:
    passages = (replace(passage("a.md", text), similarity=similarity),)
    found = SearchResult(question, passages, (), (), {}, coverage)
    return enough_evidence(found, AnsweringSection(), Evidence(question, passages, None).said_across)


@pytest.mark.parametrize(
    ("question", "text"),
    [("Когда чистили фильтр стиральной машины?", FILTER), ("When were the winter tyres put on?", TYRES)],
)
def test_line_that_says_the_question_in_the_other_language_is_enough(question: str, text: str) -> None:
    assert is_enough(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [("Кто настраивал пианино?", FILTER), ("Who tuned the piano?", TYRES), ("Кто настраивал пианино?", TYRES)],
)
def test_question_of_another_world_is_turned_away(question: str, text: str) -> None:
    assert not is_enough(question, text)
    assert is_enough(question, text, similarity=0.83)
    assert is_enough(question, text, coverage=0.3)
