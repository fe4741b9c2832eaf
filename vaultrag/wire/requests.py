"""What is asked of the server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vaultrag import domain
from vaultrag.domain import AnswerStyle, Manner, Mode
from vaultrag.wire.shapes import WORDED, Request

QUESTION_LENGTH = 4_000  # characters; longer is a pasted document, which costs seconds in every lane


ANSWER_LENGTH = 40_000  # characters of an earlier answer, of which only its names are read; long lists have more


EXCHANGES_MOST = 50  # the last few count


CHAT_NAME_LENGTH = 200


PATH_LENGTH = 4_096


PATHS_MOST = 1_000  # notes of an earlier answer: a listing names hundreds


PASSAGES_MOST = 100


class SearchRequest(Request):
    query: str = Field(min_length=1, max_length=QUESTION_LENGTH, pattern=WORDED)
    k: int | None = Field(None, ge=1, le=PASSAGES_MOST)
    reach: str = Field("full", pattern="^(full|words)$")


class Exchange(Request):
    """A question of the conversation so far, the text that answered it, and the notes that this was taken from.

    A trace that holds words of that text goes when one of these notes is forgotten.
    """

    question: str = Field(max_length=QUESTION_LENGTH)
    answer: str = Field("", max_length=ANSWER_LENGTH)
    paths: list[Annotated[str, Field(max_length=PATH_LENGTH)]] = Field([], max_length=PATHS_MOST)

    def noun(self) -> domain.Exchange:
        return domain.Exchange(self.question, self.answer, tuple(self.paths))


class AskRequest(Request):
    """`save` keeps the answer; `chat` keeps it in the conversation of that name. `scope` holds filters of a search.

    `earlier` are the exchanges that the question may lean on, the first one first; without them those of
    the chat; none at all where the list is empty.
    """

    question: str = Field(min_length=1, max_length=QUESTION_LENGTH, pattern=WORDED)
    save: bool = False
    chat: str = Field("", max_length=CHAT_NAME_LENGTH)
    scope: str = Field("", max_length=QUESTION_LENGTH)
    style: str = Field("", pattern=f"^({'|'.join(AnswerStyle)})?$")
    mode: str = Field(Mode.QUICK.value, pattern=f"^({'|'.join(Mode)})$")

    earlier: list[Exchange] | None = Field(None, max_length=EXCHANGES_MOST)

    def manner(self) -> Manner:
        """Return how the question is to be answered."""
        earlier = None if self.earlier is None else tuple(one.noun() for one in self.earlier)
        return Manner(self.scope, AnswerStyle(self.style) if self.style else None, Mode(self.mode), earlier)


class IndexRequest(Request):
    deletions: str = Field("guard", pattern="^(guard|accept)$")


class ForgetRequest(Request):
    """`path` names a note, or a folder of the vault."""

    path: str = Field(min_length=1, max_length=PATH_LENGTH, pattern=WORDED)
