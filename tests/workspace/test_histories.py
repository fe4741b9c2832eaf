"""A question of how something was is answered by the history's quotes, where it is sure; else as usual."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.contradictions.histories.indexed import indexed
from vaultrag.domain import Answer, AnswerReady, Manner
from vaultrag.workspace import Workspace
from vaultrag.workspace.asking import Terms

NOTES = {
    "Дом/Квартира.md": (
        "# Квартира\n\n## Аренда\n\n- с апреля 2022: 650 $\n- с мая 2023: 800 $\n- с января 2025: 950 $\n\n"
        "## Счётчики\n\nВода горячая.\n"
    ),
    "Chats/Rent.md": "# Chat\n\n**User:** Дорого?\n\n**ChatGPT:** Аренда такой квартиры в 2024 году – 1400 $.\n",
    "Journal/2024-06-20.md": "Thinking about the rebranding: a mistake, the logo was good.\n",
    "Journal/2024-11-02.md": "About the rebranding I have changed my mind: it was right, clients like it.\n",
    "Работа/Студия.md": "# Студия\n\nАренда студии: 300 $ в 2023. Аренда студии: 400 $ в 2023.\n",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("asked")
    with indexed(folder, NOTES) as made:
        yield made


def answered(workspace: Workspace, question: str, scope: str = "") -> Answer:
    terms = Terms(at=datetime(2026, 3, 1, tzinfo=UTC))
    for event in workspace.ask(question, manner=Manner(scope=scope), terms=terms):
        if isinstance(event, AnswerReady):
            return event.answer
    raise AssertionError("no answer")


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Какой была аренда квартиры в июне 2024?", "На 2024-06-30: 800 $ (с 2023-05-01) [2]"),
        ("Как менялась аренда квартиры?", "Последнее: 950 $ (с 2025-01-01) [3]"),
        ("С каких пор аренда квартиры 800 $?", "На 2023-05-01: 800 $ (с 2023-05-01) [2]"),
    ],
)
def test_value_of_a_day_is_told_with_what_was_before_and_after(workspace: Workspace, question: str, first: str) -> None:
    answer = answered(workspace, question)
    assert answer.text.splitlines()[:2] == [first, "Как менялось:"]
    assert [one.quote for one in answer.citations] == [
        "с апреля 2022: 650 $",
        "с мая 2023: 800 $",
        "с января 2025: 950 $",
    ]
    assert (answer.model, answer.style, answer.level) == ("", "quotes", "backed")


def test_cited_lines_stand_in_their_notes(workspace: Workspace) -> None:
    for citation in answered(workspace, "Как менялась аренда квартиры?").citations:
        line = NOTES[citation.path].split("\n")[citation.span.first_line - 1]
        assert line[citation.span.first_column - 1 : citation.span.last_column] == citation.quote


def test_thought_is_told_as_it_was_then(workspace: Workspace) -> None:
    answer = answered(workspace, "What did I think about the rebranding in August 2024?")
    assert answer.text.startswith("On 2024-08-31: ")
    assert "a mistake" in answer.text.splitlines()[0]


def test_two_values_of_one_time_are_not_sure(workspace: Workspace) -> None:
    assert "На 2023-12-31" not in answered(workspace, "Какой была аренда студии в 2023?").text


def test_scope_leaves_out_what_lies_elsewhere(workspace: Workspace) -> None:
    answer = answered(workspace, "Какой была аренда квартиры в июне 2024?", scope="path:Chats")
    assert not any(one.path.startswith("Дом") for one in answer.citations)
    assert "На 2024-06-30" not in answer.text


def test_question_of_now_is_answered_as_usual(workspace: Workspace) -> None:
    assert not answered(workspace, "Сколько стоит аренда квартиры?").text.startswith("Последнее")
