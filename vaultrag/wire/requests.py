"""What is asked of the server."""

from __future__ import annotations

from pydantic import Field

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
    """`save` keeps the answer; `chat` keeps it in the conversation of that name."""

    question: str = Field(min_length=1, max_length=QUESTION_LENGTH, pattern=WORDED)
    save: bool = False
    chat: str = Field("", max_length=CHAT_NAME_LENGTH)


class IndexRequest(Request):
    deletions: str = Field("guard", pattern="^(guard|accept)$")


class ForgetRequest(Request):
    """`path` names a note, or a folder of the vault."""

    path: str = Field(min_length=1, max_length=PATH_LENGTH, pattern=WORDED)
