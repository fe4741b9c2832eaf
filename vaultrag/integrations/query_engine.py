"""llama-index's door to our answers: a query engine whose source nodes are the places that were cited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.schema import NodeWithScore, TextNode

from vaultrag.domain import Answer, AnswerEvent, AnswerReady, Citation


class VaultQueryEngine(CustomQueryEngine):
    """Answers from the vault. The response's metadata holds the status and each sentence's citations."""

    ask: Callable[[str], Iterator[AnswerEvent]]

    def custom_query(self, query_str: str) -> Response:
        answer = _finished(self.ask(query_str))
        return Response(
            response=answer.text,
            source_nodes=[_cited(citation) for citation in answer.citations],
            metadata=_metadata(answer),
        )


def _finished(events: Iterator[AnswerEvent]) -> Answer:
    for event in events:
        if isinstance(event, AnswerReady):
            return event.answer
    raise ValueError("an answer always ends with AnswerReady")


def _cited(citation: Citation) -> NodeWithScore:
    node = TextNode(
        text=citation.quote,
        metadata={
            "number": citation.number,
            "path": citation.path,
            "first_line": citation.span.first_line,
            "last_line": citation.span.last_line,
            "verified": citation.verified,
        },
    )
    return NodeWithScore(node=node, score=citation.score)


def _metadata(answer: Answer) -> dict[str, Any]:
    return {
        "status": str(answer.status),
        "model": answer.model,
        "sentences": [
            {"text": s.text, "state": str(s.state), "citations": list(s.citations)} for s in answer.sentences
        ],
    }
