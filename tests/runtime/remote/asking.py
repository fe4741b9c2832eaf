"""A question to a model of another server, and the answer in its parts."""

from __future__ import annotations

from vaultrag.config import RemoteSection
from vaultrag.domain import Generation, Message, Sampling, Thought
from vaultrag.runtime.remote.model import RemoteModel

QUESTION = [Message("system", "Отвечай кратко."), Message("user", "Где лежат ключи от сарая?")]
CHAT = "/v1/chat/completions"
OPTIONS = ("да", "нет")


def remote(url: str, model: str = "", timeout: float = 20.0, **settings: str | int) -> RemoteModel:
    return RemoteModel(RemoteSection.model_validate({"url": url, **settings}), model, timeout)


def ask(model: RemoteModel, sampling: Sampling | None = None) -> tuple[list[str], list[str], Generation]:
    """Return the pieces of the answer, those of the thought, and the figures."""
    pieces = list(model.generate(QUESTION, sampling or Sampling(max_tokens=50)))
    *rest, last = pieces
    assert isinstance(last, Generation)
    texts = [piece for piece in rest if isinstance(piece, str) and piece]
    thoughts = [piece.text for piece in rest if isinstance(piece, Thought)]
    assert (last.text, last.thought) == ("".join(texts), "".join(thoughts))
    return texts, thoughts, last
