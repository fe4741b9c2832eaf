"""What is asked of the server."""

from __future__ import annotations

from pydantic import Field

from vaultrag.domain import AnswerStyle, Manner, Mode
from vaultrag.wire.shapes import WORDED, Request

QUESTION_LENGTH = 4_000  # characters; longer is a pasted document, which costs seconds in every lane


CHAT_NAME_LENGTH = 200


PATH_LENGTH = 4_096


PASSAGES_MOST = 100


class SearchRequest(Request):
    query: str = Field(min_length=1, max_length=QUESTION_LENGTH, pattern=WORDED)
    k: int | None = Field(None, ge=1, le=PASSAGES_MOST)
    reach: str = Field("full", pattern="^(full|words)$")


class AskRequest(Request):
    """`save` keeps the answer; `chat` keeps it in the conversation of that name. `scope` holds filters of a search."""

    question: str = Field(min_length=1, max_length=QUESTION_LENGTH, pattern=WORDED)
    save: bool = False
    chat: str = Field("", max_length=CHAT_NAME_LENGTH)
    scope: str = Field("", max_length=QUESTION_LENGTH)
    style: str = Field("", pattern=f"^({'|'.join(AnswerStyle)})?$")
    mode: str = Field(Mode.QUICK.value, pattern=f"^({'|'.join(Mode)})$")

    def manner(self) -> Manner:
        """Return how the question is to be answered."""
        return Manner(self.scope, AnswerStyle(self.style) if self.style else None, Mode(self.mode))


class IndexRequest(Request):
    deletions: str = Field("guard", pattern="^(guard|accept)$")


class ForgetRequest(Request):
    """`path` names a note, or a folder of the vault."""

    path: str = Field(min_length=1, max_length=PATH_LENGTH, pattern=WORDED)
