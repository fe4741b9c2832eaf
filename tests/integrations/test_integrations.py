"""The llama-index adapters over a real index: what a program built on llama-index gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.retrievers import BaseRetriever

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.integrations.query_engine import VaultQueryEngine
from vaultrag.integrations.retriever import VaultRetriever
from vaultrag.workspace import Ownership, Workspace

NOTES = {
    "Маяк.md": "# Маяк\n\nВ сервере 64 ГБ памяти.\n",
    "A.md": "Одинаковый текст про хлеб.\n",
    "B.md": "Одинаковый текст про хлеб.\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    vault = tmp_path / "vault"
    vault.mkdir()
    for name, text in NOTES.items():
        (vault / name).write_text(text, encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    model = ScriptedModel(["В сервере 64 ГБ памяти."])
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), model) as opened:
        opened.index(lambda *_: None, DeletionPolicy.GUARD)
        yield opened


@pytest.mark.slow
def test_retriever_returns_nodes_that_know_their_lines(workspace: Workspace) -> None:
    retriever = VaultRetriever(workspace.search, 5)
    assert isinstance(retriever, BaseRetriever)
    node = retriever.retrieve("сколько памяти в сервере")[0]
    assert (node.metadata["path"], node.metadata["heading"]) == ("Маяк.md", "Маяк")
    lines = NOTES["Маяк.md"].split("\n")
    shown = "\n".join(lines[node.metadata["first_line"] - 1 : node.metadata["last_line"]])
    assert node.text in shown


@pytest.mark.slow
def test_equal_text_in_two_notes_stays_two_nodes(workspace: Workspace) -> None:
    found = VaultRetriever(workspace.search, 5).retrieve("одинаковый текст про хлеб")
    assert {"A.md", "B.md"} <= {node.metadata["path"] for node in found}
    assert len({node.node_id for node in found}) == len(found)


@pytest.mark.slow
def test_query_engine_gives_the_cited_places_as_sources(workspace: Workspace) -> None:
    engine = VaultQueryEngine(ask=workspace.ask)
    assert isinstance(engine, BaseQueryEngine)
    response = engine.query("Сколько памяти в сервере?")
    assert str(response) == "В сервере 64 ГБ памяти [1]."
    assert response.source_nodes[0].text == "В сервере 64 ГБ памяти."
    assert response.metadata is not None
    assert response.metadata["status"] == "answered"
