"""Two models answer from the same passages, and what they say is compared.

That both say it raises confidence. Where they differ the difference is shown and cross-examined: by a third model, or
each by the other over the lines that it cites. A model that is lost leaves the other's answer, with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.longer.compare import Comparison, Standing, compare, share_a_place
from vaultrag.answering.longer.steps import Tell, joined, told, worth
from vaultrag.answering.longer.witness import Lost, Witness, named
from vaultrag.domain import (
    USUAL,
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    Backing,
    Dispute,
    Level,
    Manner,
    SearchResult,
)
from vaultrag.errors import ModelError


@dataclass(frozen=True, slots=True)
class AgreeingAnswerer:
    """Asks two models. `third` examines them where they differ; without one they examine each other."""

    search: Callable[[str], SearchResult]
    first: Witness
    second: Witness
    third: Witness | None
    tell: Tell

    def answer(self, question: str, manner: Manner = USUAL) -> Generator[AnswerEvent, None, None]:
        """Yield the events of the first model's answer, each step, and the answer that both give.

        Raises ModelError where both are lost.
        """
        return _Hearing(self, question, manner).events()


@dataclass(slots=True)
class _Hearing:
    by: AgreeingAnswerer
    question: str
    manner: Manner
    lost: list[Lost] = field(default_factory=list)

    def events(self) -> Generator[AnswerEvent, None, None]:
        found = self.by.search(self.question)
        yield self.by.tell("search", self.question, {one.chunk.path for one in found.passages})
        answers: list[tuple[Witness, Answer]] = []
        for witness in (self.by.first, self.by.second):
            yield self.by.tell("ask", witness.name)
            answer = yield from self._heard(witness, found)
            if answer is not None:
                yield self.by.tell("said", answer.text, {one.path for one in answer.citations})
                answers.append((witness, answer))
        if not answers:
            raise self.lost[0][1]
        answer = yield from self._settled(answers)
        yield AnswerReady(answer)

    def _heard(self, witness: Witness, found: SearchResult) -> Generator[AnswerEvent, None, Answer | None]:
        try:
            return (yield from witness.answer(self.question, found, self.manner, aloud=witness is self.by.first))
        except ModelError as error:
            self.lost.append((witness.name, error))
            yield self.by.tell("lost", f"{witness.name}: {error.message}")
            return None

    def _settled(self, answers: Sequence[tuple[Witness, Answer]]) -> Generator[AnswerEvent, None, Answer]:
        if len(answers) == 1:
            (witness, answer), (name, error) = answers[0], self.lost[0]
            said = f"{name} was lost: {error.message} The answer is of {witness.name} alone; nothing was compared."
            return replace(answer, warnings=(*answer.warnings, said), stopped=f"{name} was lost.")
        (first, one), (second, other) = answers
        comparison = self._compared(one, other)
        yield self.by.tell("compare", f"{comparison.verdict}: {comparison.why}")
        names = named((one.model or first.name, other.model or second.name))
        if comparison.verdict in (Standing.SAME, Standing.NEITHER):
            return replace(_agreed(one, other), model=names)
        answer = yield from self._examined(answers, comparison)
        return replace(answer, model=names)

    def _compared(self, one: Answer, other: Answer) -> Comparison:
        try:
            return compare(self.question, one, other, self._judge().supports())
        except ModelError:
            return compare(self.question, one, other, None)

    def _judge(self) -> Witness:
        return self.by.third or self.by.second

    def _examined(
        self, answers: Sequence[tuple[Witness, Answer]], comparison: Comparison
    ) -> Generator[AnswerEvent, None, Answer]:
        """Have each answer judged by who did not give it; return the one that stands, with what the other says."""
        (first, one), (second, other) = answers
        stands: list[bool | None] = []
        for examiner, answer in ((self.by.third or second, one), (self.by.third or first, other)):
            stood = self._stands(examiner, answer)
            stands.append(stood)
            yield self.by.tell("examine", f"{examiner.name}: {_verdict(stood)} {answer.text}")
        if comparison.verdict is Standing.ONE_ONLY:
            return _of_one(answers, stands)
        kept, left = (other, one) if stands == [False, True] else (one, other)
        is_settled = set(stands) == {True, False}
        return _disputed(
            kept, left, (first.name, second.name) if kept is one else (second.name, first.name), is_settled
        )

    def _stands(self, examiner: Witness, answer: Answer) -> bool | None:
        """Tell whether an examiner finds every sentence in the lines that it cites; None where it cannot say."""
        if answer.status is AnswerStatus.NOT_IN_VAULT:
            return None
        try:
            backings = examiner.backings(self.question, answer)
        except ModelError:
            return None
        if not backings or Backing.UNCHECKED in backings:
            return None
        return all(backing is Backing.BACKED for backing in backings)


def _agreed(one: Answer, other: Answer) -> Answer:
    """Return the better of two answers that say the same. It is surer where both stand on the same lines.

    A model that nobody has measured makes nothing certain, and two do not either; nor are they sure of what the notes
    themselves dispute.
    """
    best = max((one, other), key=worth)
    disputed = bool(one.disputes or other.disputes)
    measured = any(answer.sureness is not None and answer.sureness.calibrated for answer in (one, other))
    unbacked = any(sentence.support is Backing.NOT_BACKED for sentence in told(best))
    if best.level is Level.WEAK and measured and not unbacked and not disputed and share_a_place(one, other):
        return replace(best, level=Level.BACKED)
    return best


def _of_one(answers: Sequence[tuple[Witness, Answer]], stands: Sequence[bool | None]) -> Answer:
    """Return the answer that only one gives: as sure as it was, where the other finds it in its lines after all."""
    index = 0 if answers[1][1].status is AnswerStatus.NOT_IN_VAULT else 1
    answer, silent = answers[index][1], answers[1 - index][0].name
    if stands[index]:
        return replace(answer, warnings=(*answer.warnings, f"{silent} found this only when it was shown the lines."))
    said = f"{silent} did not find that the notes say this."
    return replace(answer, level=_at_most_weak(answer), warnings=(*answer.warnings, said))


def _disputed(kept: Answer, left: Answer, names: tuple[str, str], is_settled: bool) -> Answer:
    """Return an answer with what another model says against it, both sides cited; the lines may settle it."""
    citations, numbers = joined(kept.citations, left.citations)
    mine = tuple(citation.number for citation in kept.citations)
    said = f"{names[0]}: {_plain(kept)} — {names[1]}: {_plain(left)}"
    fate = (
        f"The models differ; only what {names[0]} says was found in the lines that it cites."
        if is_settled
        else "The models differ, and the lines that they cite do not settle it."
    )
    return replace(
        kept,
        citations=citations,
        disputes=(*kept.disputes, Dispute(said, tuple(dict.fromkeys((*mine, *numbers))))),
        level=_at_most_weak(kept),
        status=kept.status if is_settled else AnswerStatus.PARTLY,
        warnings=(*kept.warnings, fate),
    )


def _at_most_weak(answer: Answer) -> Level | None:
    return Level.WEAK if answer.level is Level.BACKED else answer.level


def _plain(answer: Answer) -> str:
    return " ".join(one.text for one in told(answer)) or answer.text


def _verdict(stood: bool | None) -> str:
    return {True: "stands:", False: "does not stand:", None: "cannot tell:"}[stood]
