"""A model that is asked, and what becomes of its events where another one speaks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from vaultrag.answering.answer import Answerer
from vaultrag.answering.judging.checks import Supports
from vaultrag.answering.judging.support import Premise, Statement
from vaultrag.answering.longer.steps import told
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    Backing,
    Manner,
    ModelLoading,
    SearchResult,
    TextPiece,
)
from vaultrag.errors import ModelError


@dataclass(frozen=True, slots=True)
class Witness:
    """A model by its name, and how it answers from passages that are found already. Asking raises ModelError."""

    name: str
    answerer: Callable[[], Answerer]

    def answer(
        self, question: str, found: SearchResult, manner: Manner, *, aloud: bool
    ) -> Generator[AnswerEvent, None, Answer]:
        """Yield the events of its answer, and return that. One that is not asked aloud shows that it lives, no more."""
        answerer = replace(self.answerer(), search=lambda *_: found)
        events = answerer.answer(question, manner)
        try:
            for event in events:
                if isinstance(event, AnswerReady):
                    return event.answer
                yield event if aloud or isinstance(event, ModelLoading) else TextPiece("")
        finally:
            events.close()
        raise AssertionError("an answer always ends with AnswerReady")

    def backings(self, question: str, answer: Answer) -> tuple[Backing, ...]:
        """Judge the sentences of an answer by the lines that they cite; unchecked where it cannot judge.

        Raises ModelError.
        """
        supports = self.supports()
        statements = statements_of(question, answer)
        return supports(statements) if supports is not None else (Backing.UNCHECKED,) * len(statements)

    def supports(self) -> Supports | None:
        """Return how it judges whether lines support a sentence; None where nobody measured what that is worth."""
        return self.answerer().checks().supports


def statements_of(question: str, answer: Answer) -> list[Statement]:
    """Return what an answer tells, each sentence with the lines that it cites."""
    titles = {passage.chunk.path: passage.title for passage in answer.passages}
    cited = {one.number: Premise(titles.get(one.path, one.path), one.quote) for one in answer.citations}
    return [
        Statement(one.text, tuple(cited[number] for number in one.citations if number in cited), question)
        for one in told(answer)
    ]


def named(models: Sequence[str]) -> str:
    """Return the names of models as an answer is signed with them."""
    return " + ".join(dict.fromkeys(name for name in models if name))


Lost = tuple[str, ModelError]
"""A model that could not answer, and why."""
