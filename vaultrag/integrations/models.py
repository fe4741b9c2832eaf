"""llama-index's doors to our models: a language model and an embedder, for programs that are built on llama-index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding, Embedding
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM

from vaultrag.domain import ChatModel, Embedder, Generation, Message, Sampling, Thought

ROLES = {MessageRole.SYSTEM: "system", MessageRole.DEVELOPER: "system", MessageRole.ASSISTANT: "assistant"}
"""What our models call the roles of messages; every other one is the user's."""


class VaultLLM(CustomLLM):
    """A chat model of ours. Messages go to it as they are, by its own template; thoughts are left out.

    Of a call's settings `max_tokens`, `temperature`, `stop` and `seed` count; others are refused with TypeError, since
    one that is dropped unseen would be worse. What our models raise (ModelError) passes through.
    """

    model: Any  # a ChatModel: pydantic cannot check a protocol
    sampling: Any = Sampling()

    @classmethod
    def class_name(cls) -> str:
        return "VaultLLM"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self._chat.context_length,
            num_output=self.sampling.max_tokens,
            is_chat_model=True,
            model_name=self._chat.name,
        )

    @llm_chat_callback()  # type: ignore[untyped-decorator]  # llama-index's own
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        text, raw = self._whole([_message(one) for one in messages], kwargs)
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), raw=raw)

    @llm_chat_callback()  # type: ignore[untyped-decorator]  # llama-index's own
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        pieces = self._pieces([_message(one) for one in messages], kwargs)

        def responses() -> ChatResponseGen:
            said = ""
            for piece in pieces:
                said += piece
                yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=said), delta=piece)

        return responses()

    @llm_completion_callback()  # type: ignore[untyped-decorator]  # llama-index's own
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        del formatted  # a formatted prompt is sent as it is, too
        text, raw = self._whole([Message("user", prompt)], kwargs)
        return CompletionResponse(text=text, raw=raw)

    @llm_completion_callback()  # type: ignore[untyped-decorator]  # llama-index's own
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        del formatted  # a formatted prompt is sent as it is, too
        pieces = self._pieces([Message("user", prompt)], kwargs)

        def responses() -> CompletionResponseGen:
            said = ""
            for piece in pieces:
                said += piece
                yield CompletionResponse(text=said, delta=piece)

        return responses()

    @property
    def _chat(self) -> ChatModel:
        chat: ChatModel = self.model
        return chat

    def _whole(self, messages: Sequence[Message], settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        for piece in self._chat.generate(messages, _sampling(self.sampling, settings)):
            if isinstance(piece, Generation):
                counts = {"prompt_tokens": piece.prompt_tokens, "completion_tokens": piece.completion_tokens}
                return piece.text, {"finish": piece.finish, **counts}
        raise ValueError("a model always ends with its generation")

    def _pieces(self, messages: Sequence[Message], settings: dict[str, Any]) -> Iterator[str]:
        generated = self._chat.generate(messages, _sampling(self.sampling, settings))
        return (piece for piece in generated if piece and not isinstance(piece, Generation | Thought))


class VaultEmbedding(BaseEmbedding):
    """The embedder that the vault is searched by: unit vectors, questions and texts each with their own prefix."""

    embedder: Any  # an Embedder: pydantic cannot check a protocol

    @classmethod
    def class_name(cls) -> str:
        return "VaultEmbedding"

    def _get_query_embedding(self, query: str) -> Embedding:
        return [float(value) for value in self._ours.embed_query(query)]

    def _get_text_embedding(self, text: str) -> Embedding:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return [[float(value) for value in row] for row in self._ours.embed_passages(texts)]

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return self._get_query_embedding(query)

    @property
    def _ours(self) -> Embedder:
        ours: Embedder = self.embedder
        return ours


def _message(message: ChatMessage) -> Message:
    return Message(ROLES.get(MessageRole(message.role), "user"), message.content or "")


def _sampling(usual: Sampling, settings: dict[str, Any]) -> Sampling:
    known: dict[str, Any] = {name: settings[name] for name in ("max_tokens", "temperature", "seed") if name in settings}
    stop = settings.get("stop")
    if stop is not None:
        known["stop"] = (stop,) if isinstance(stop, str) else tuple(stop)
    unknown = settings.keys() - known.keys() - {"stop"}
    if unknown:
        raise TypeError(f"{', '.join(sorted(unknown))}: no setting of our models")
    return replace(usual, **known)
