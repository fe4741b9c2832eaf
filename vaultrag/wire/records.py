"""The JSON of what the user keeps: saved answers and chats, as printed and sent. As in `vaultrag.wire`."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from vaultrag import domain
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

    @classmethod
    def values_of(cls, noun: Iterable[domain.SavedAnswer]) -> dict[str, object]:
        return {"answers": list(noun)}


class SourceState(Shape):
    """How a citation stands now: `stands`, `moved` (to `lines`), `changed`, `gone` or `unreadable`.

    Where it changed, `now` is what the line that comes nearest to it says, and `lines` where; empty where none does.
    Where it moved, `under` is the heading that it stands under now.
    """

    number: int
    state: str
    lines: tuple[int, int] | None = None
    now: str = ""
    under: str = ""


class ShownAnswer(Shape):
    """`fate` says whether the answer as a whole still holds, as in `LivingSource`; empty where that was not asked."""

    saved: SavedAnswer
    sources: list[SourceState]
    fate: str = ""


class LivingSource(Shape):
    """What became of one citation: `holds`, `changed`, `gone`, or `not_judged`.

    `said` was cited; `now` is what the line that comes nearest to it says, in `lines`; empty where the words stand as
    they were, and where nothing is like them. `doubtful` are sentences of which it must be understood whether it says
    them.
    """

    number: int
    path: str
    fate: str
    said: str
    now: str = ""
    lines: tuple[int, int] | None = None
    doubtful: list[str] = []


class LivingAnswer(Shape):
    """A saved answer held against the notes as they are now; `fate` is the worst of its sources'."""

    id: str
    about: str
    at: str
    fate: str
    sources: list[LivingSource]


class CheckedAnswers(Shape):
    answers: list[LivingAnswer]

    @classmethod
    def values_of(cls, noun: Iterable[domain.LivingAnswer]) -> dict[str, object]:
        return {"answers": list(noun)}


class Chat(Shape):
    name: str
    turns: int
    first_at: str
    last_at: str


class Chats(Shape):
    chats: list[Chat]

    @classmethod
    def values_of(cls, noun: Iterable[domain.Chat]) -> dict[str, object]:
        return {"chats": list(noun)}


class TraceStep(Shape):
    at: str
    step: str
    detail: str


class Trace(Shape):
    """How a longer answer was come by. Not `ended`: it was killed, or is still being worked at."""

    id: str
    at: str
    mode: str
    question: str
    steps: list[TraceStep]
    ended: bool


class Traces(Shape):
    traces: list[Trace]

    @classmethod
    def values_of(cls, noun: Iterable[domain.Trace]) -> dict[str, object]:
        return {"traces": list(noun)}


class Exported(Shape):
    file: str
    answers: int
    verdicts: int
    exclusions: int
    settings: bool
    bytes: int
    jobs: int = 0


class Imported(Shape):
    """What an import did, or with `dry_run` would do.

    `settings`: absent, taken, same, kept (yours differ and stay), unfit (not understood, and
    left out), or held: they would send notes to the server `sends_to`, by the settings `sending`, and were left out.
    """

    added: int
    replaced: int
    deleted: int
    known: int
    refused: int
    exclusions: int
    settings: str
    dry_run: bool
    sends_to: str = ""
    sending: list[str] = []


class Deleted(Shape):
    deleted: int


class AnswerRequest(Request):
    """`id` may be the beginning of one."""

    id: str = Field(min_length=1, max_length=64)


class TraceRequest(Request):
    """`id` may be the beginning of one; empty: the latest."""

    id: str = Field("", max_length=64)


class ChatRequest(Request):
    name: str = Field(min_length=1, max_length=CHAT_NAME_LENGTH, pattern=WORDED)
