"""A small model answers; a larger one is asked where the checks of that answer fail, and is handed its evidence."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from vaultrag.answering.longer.steps import Tell, told, worth
from vaultrag.answering.longer.witness import Witness
from vaultrag.domain import (
    USUAL,
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    Backing,
    Level,
    Manner,
    SearchResult,
)
from vaultrag.errors import ModelError


@dataclass(frozen=True, slots=True)
class CascadingAnswerer:
    """Asks the small model, and the large one where need be."""

    search: Callable[[str], SearchResult]
    small: Witness
    large: Witness
    tell: Tell

    def answer(self, question: str, manner: Manner = USUAL) -> Generator[AnswerEvent, None, None]:
        """Yield the events of the answers, each step, and the better answer. Raises ModelError where both are lost."""
        found = self.search(question)
        yield self.tell("search", question, {one.chunk.path for one in found.passages})
        answer = yield from self._answered(question, found, manner)
        yield AnswerReady(answer)

    def _answered(self, question: str, found: SearchResult, manner: Manner) -> Generator[AnswerEvent, None, Answer]:
        yield self.tell("ask", self.small.name)
        try:
            answer = yield from self.small.answer(question, found, manner, aloud=True)
        except ModelError as error:
            yield self.tell("lost", f"{self.small.name}: {error.message}")
            said = f"{self.small.name} was lost: {error.message} {self.large.name} answered instead."
            large = yield from self._asked(question, found, manner)
            return replace(large, warnings=(*large.warnings, said))
        yield self.tell("said", answer.text, {one.path for one in answer.citations})
        why = failed_check(answer)
        if not why:
            yield self.tell("check", "Every check holds: nobody else is asked.")
            return answer
        yield self.tell("hand over", f"{why} {self.large.name} is asked, with the same evidence.")
        return (yield from self._second_opinion(question, _cited_first(found, answer), manner, answer))

    def _second_opinion(
        self, question: str, found: SearchResult, manner: Manner, answer: Answer
    ) -> Generator[AnswerEvent, None, Answer]:
        try:
            large = yield from self._asked(question, found, manner)
        except ModelError as error:
            yield self.tell("lost", f"{self.large.name}: {error.message}")
            said = f"{self.large.name} was to be asked and was lost: {error.message}"
            return replace(answer, warnings=(*answer.warnings, said), stopped=f"{self.large.name} was lost.")
        yield self.tell("said", large.text, {one.path for one in large.citations})
        return max((large, answer), key=worth)  # the large model's of equals

    def _asked(self, question: str, found: SearchResult, manner: Manner) -> Generator[AnswerEvent, None, Answer]:
        yield self.tell("revise", self.large.name)
        return (yield from self.large.answer(question, found, manner, aloud=True))


def failed_check(answer: Answer) -> str:
    """Return which check of an answer fails, as a sentence; empty where all hold, or where nothing was found at all."""
    if answer.status is AnswerStatus.NOT_IN_VAULT:
        return "It found no answer in the passages." if answer.passages and answer.quotes else ""
    if any(one.support is Backing.NOT_BACKED for one in answer.sentences):
        return "Not every sentence has its source in the notes."
    if answer.missing:
        return "A part of the question has no answer."
    if answer.status is not AnswerStatus.ANSWERED or not told(answer):
        return "It is no whole answer."
    if answer.level is not Level.BACKED and answer.sureness is not None and answer.sureness.calibrated:
        return "It is not sure."
    return answer.stopped


def _cited_first(found: SearchResult, answer: Answer) -> SearchResult:
    """Hand over what was found, the evidence of the first answer at the front."""
    cited = {one.path for one in (*answer.citations, *answer.quotes)}
    ordered = sorted(found.passages, key=lambda passage: passage.chunk.path not in cited)
    return replace(found, passages=tuple(ordered))
