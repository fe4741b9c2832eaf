"""A llama-index program over a vault, with all four adapters of VaultRAG.

usage: python example.py VAULT "QUESTION"

The vault must be indexed (`vaultrag index`) and the models there (`vaultrag models download`). Nothing leaves this
machine: llama-index is given our models everywhere, and its own defaults are never used.
"""

from __future__ import annotations

import sys
from pathlib import Path

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer

from vaultrag.config import load_config
from vaultrag.domain import Role
from vaultrag.integrations.models import VaultEmbedding, VaultLLM
from vaultrag.integrations.query_engine import VaultQueryEngine
from vaultrag.integrations.retriever import VaultRetriever
from vaultrag.workspace import Ownership, Workspace


def cited_answer(workspace: Workspace, question: str) -> str:
    """Ask the vault as `vaultrag ask` does: each source node is a place that was cited, with path and lines."""
    response = VaultQueryEngine(ask=workspace.ask).query(question)
    sources = [f"{node.metadata['path']}:{node.metadata['first_line']}" for node in response.source_nodes]
    return "\n".join([str(response), *sources])


def own_synthesis(workspace: Workspace, question: str) -> str:
    """Let llama-index write from our passages with our model: what is written is not checked against the notes."""
    llm = VaultLLM(model=workspace.models.chat(Role.ANSWER))
    engine = RetrieverQueryEngine(
        VaultRetriever(workspace.search, k=3),
        get_response_synthesizer(llm=llm, response_mode=ResponseMode.COMPACT),
    )
    return str(engine.query(question))


def nearest_of(workspace: Workspace, texts: list[str], question: str) -> str:
    """Search texts that are not in the vault by the vault's own embedder, in memory."""
    embedding = VaultEmbedding(embedder=workspace.models.embedder())
    index = VectorStoreIndex.from_documents([Document(text=text) for text in texts], embed_model=embedding)
    return index.as_retriever(similarity_top_k=1).retrieve(question)[0].text


def main(vault: str, question: str) -> None:
    with Workspace.open(load_config(Path(vault)), Ownership.READ) as workspace:
        print(cited_answer(workspace, question))
        print(own_synthesis(workspace, question))
        print(nearest_of(workspace, ["Кошка спит на окне.", "The boiler shows an error."], question))


if __name__ == "__main__":
    main(*sys.argv[1:])
