"""Our models as llama-index sees them, and the program of the documentation that uses all four adapters."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole

from tests.doubles import HashEmbedder, ScriptedModel
from vaultrag.config import Config, Settings
from vaultrag.domain import Message, Sampling
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.integrations.models import VaultEmbedding, VaultLLM
from vaultrag.workspace import Ownership, Workspace

EXAMPLE = Path(__file__).parents[2] / "docs" / "llama_index" / "example.py"
REPLY = "В сервере 64 ГБ памяти."


def test_messages_reach_the_model_with_their_roles() -> None:
    model = ScriptedModel([REPLY])
    said = VaultLLM(model=model).chat(
        [
            ChatMessage(role=MessageRole.SYSTEM, content="Кратко."),
            ChatMessage(role=MessageRole.USER, content="Сколько?"),
        ]
    )
    assert (said.message.role, said.message.content) == (MessageRole.ASSISTANT, REPLY)
    assert model.prompts == [(Message("system", "Кратко."), Message("user", "Сколько?"))]


def test_stream_grows_to_the_whole_answer() -> None:
    llm = VaultLLM(model=ScriptedModel([REPLY]))
    pieces = list(llm.stream_complete("Сколько?"))
    assert len(pieces) > 1
    assert "".join(piece.delta or "" for piece in pieces) == pieces[-1].text == REPLY
    chat = list(llm.stream_chat([ChatMessage(content="Сколько?")]))
    assert chat[-1].message.content == REPLY


def test_settings_of_a_call_count_and_unknown_ones_are_refused() -> None:
    model = ScriptedModel([REPLY])
    llm = VaultLLM(model=model, sampling=Sampling(max_tokens=100))
    llm.complete("Сколько?", max_tokens=2, stop="\n")
    assert (model.samplings[0].max_tokens, model.samplings[0].stop) == (2, ("\n",))
    with pytest.raises(TypeError, match="logit_bias"):
        llm.complete("Сколько?", logit_bias={})
    assert (llm.metadata.context_window, llm.metadata.num_output) == (model.context_length, 100)


def test_embedder_gives_unit_vectors_of_its_own() -> None:
    embedder = HashEmbedder()
    embedding = VaultEmbedding(embedder=embedder)
    texts = ["Бойлер течёт.", "The boiler leaks."]
    assert embedding.get_text_embedding_batch(texts) == embedder.embed_passages(texts).tolist()
    assert embedding.get_query_embedding("бойлер") == embedder.embed_query("бойлер").tolist()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Маяк.md").write_text(f"# Маяк\n\n{REPLY}\n", encoding="utf-8")
    config = Config(vault=vault, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), ScriptedModel([REPLY])) as opened:
        opened.index(lambda *_: None, DeletionPolicy.GUARD)
        yield opened


@pytest.mark.slow
def test_program_of_the_documentation_uses_all_four_adapters(workspace: Workspace) -> None:
    example: dict[str, Any] = runpy.run_path(str(EXAMPLE))
    question = "Сколько памяти в сервере?"
    answer = example["cited_answer"](workspace, question)
    assert "64 ГБ" in answer
    assert answer.splitlines()[-1] == "Маяк.md:3"
    assert example["own_synthesis"](workspace, question) == REPLY
    assert example["nearest_of"](workspace, ["Кошка спит.", "Память сервера"], question) == "Память сервера"
