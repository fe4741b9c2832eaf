"""Imported chats among own notes: they give way within a margin, answer where nobody else does, can be left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.retrieval.filters import parse_scope, without_chats
from vaultrag.workspace import Ownership, Reach, Workspace


def chat(question: str, answer: str) -> str:
    return (
        f">[!nexus_user] **User** - 10.06.2025 at 6:41\n> {question}\n<!-- UID: 1 -->\n"
        f">[!nexus_agent] **Assistant · gpt-4o** - 10.06.2025 at 6:42\n> {answer}\n<!-- UID: 2 -->\n"
    )


NOTES = {
    "A чат.md": chat("Как быть?", "Мачта антенны стоит на коньке крыши, высота семь метров."),
    "Двор.md": "Мачта антенны стоит за сараем, высота пять метров.\n",
    "B chat.md": chat("What now?", "The autovacuum of the queue table runs each minute."),
    "Garden.md": "The garden is watered each evening.\n",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder: Path = tmp_path_factory.mktemp("chats")
    for name, text in NOTES.items():
        (folder / "vault").mkdir(exist_ok=True)
        (folder / "vault" / name).write_text(text, encoding="utf-8")
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as opened:
        opened.index(lambda *_: None, DeletionPolicy.GUARD)
        yield opened


def found(workspace: Workspace, query: str) -> list[str]:
    return [passage.chunk.path for passage in workspace.search(query, 3, Reach.WORDS).passages]


def test_own_note_comes_before_a_chat_that_says_as_much(workspace: Workspace) -> None:
    assert found(workspace, "высота мачты антенны")[:2] == ["Двор.md", "A чат.md"]


def test_a_chat_that_says_more_comes_first(workspace: Workspace) -> None:
    assert found(workspace, "мачта на коньке крыши")[0] == "A чат.md"


def test_where_only_a_chat_answers_it_is_found_and_says_who_spoke(workspace: Workspace) -> None:
    first = workspace.search("autovacuum of the queue", 3, Reach.WORDS).passages[0].chunk
    assert (first.path, first.speaker, first.model, first.said) == (
        "B chat.md",
        "assistant",
        "gpt-4o",
        "2025-06-10T06:42",
    )


@pytest.mark.parametrize("filters", [without_chats(""), "-speaker:assistant -speaker:user"])
def test_chats_are_left_out_where_that_is_asked_for(workspace: Workspace, filters: str) -> None:
    assert found(workspace, f"высота мачты антенны {filters}") == ["Двор.md"]
    assert found(workspace, f"autovacuum of the queue {filters}") == []


def test_what_leaves_chats_out_is_a_scope() -> None:
    assert parse_scope(without_chats('path:"Дом"')) == parse_scope('path:"Дом" speaker:me')
    assert without_chats("") == "speaker:me"
