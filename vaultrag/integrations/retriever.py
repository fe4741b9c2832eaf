"""llama-index's door to our search: a retriever over the same passages, for programs that are built on llama-index."""

from __future__ import annotations

from collections.abc import Callable

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from vaultrag.domain import Passage, SearchResult


class VaultRetriever(BaseRetriever):
    """Retrieves passages of the vault as nodes that keep path, heading, lines and columns."""

    def __init__(self, search: Callable[[str, int], SearchResult], k: int) -> None:
        self._search = search
        self._k = k
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._search(query_bundle.query_str, self._k)
        return [node_of(passage) for passage in found.passages]


def node_of(passage: Passage) -> NodeWithScore:
    """Return a passage as llama-index sees it; equal texts in two notes stay two nodes, by the chunk's id."""
    chunk = passage.chunk
    node = TextNode(
        id_=chunk.id,
        text=chunk.text,
        metadata={
            "path": chunk.path,
            "title": passage.title,
            "heading": " > ".join(chunk.heading_path),
            "first_line": chunk.span.first_line,
            "last_line": chunk.span.last_line,
            "block": chunk.block_id,
            "speaker": chunk.speaker,
        },
        excluded_embed_metadata_keys=["path", "first_line", "last_line", "block"],
    )
    return NodeWithScore(node=node, score=passage.score)
