"""The JSON of what the user keeps: saved answers and chats, as they are stored, printed and sent. As in `wire`."""

from __future__ import annotations

from pydantic import Field

from vaultrag.wire import CHAT_NAME_LENGTH, WORDED, Answer, Request, Shape


class SavedAnswer(Shape):
    """`paths` are all notes that the model was given; passages are not kept. `chat` is empty outside of one."""

    id: str
    saved_at: str
    chat: str
    answer: Answer
    paths: list[str]


class SavedAnswers(Shape):
    answers: list[SavedAnswer]


class SourceState(Shape):
    """How a citation stands now: `stands`, `moved` (to `lines`), `changed`, `gone` or `unreadable`."""

    number: int
    state: str
    lines: tuple[int, int] | None = None


class ShownAnswer(Shape):
    saved: SavedAnswer
    sources: list[SourceState]


class Chat(Shape):
    name: str
    turns: int
    first_at: str
    last_at: str


class Chats(Shape):
    chats: list[Chat]


class Deleted(Shape):
    deleted: int


class AnswerRequest(Request):
    """`id` may be the beginning of one."""

    id: str = Field(min_length=1, max_length=64)


class ChatRequest(Request):
    name: str = Field(min_length=1, max_length=CHAT_NAME_LENGTH, pattern=WORDED)
