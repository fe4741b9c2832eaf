"""A long question's way to an answer: parts, clues, a draft whose sentences are checked, a search for what is missing.

Each step is told as it is taken. A spent budget, a lost model and a missing answer are ends like any other: what was
found by then answers, and the answer says why it went no further.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.answer import Answerer, language_of_answer
from vaultrag.answering.citations import SourceSentence, locate
from vaultrag.answering.judging.checks import Checks
from vaultrag.answering.judging.sureness import Answerability, Shown
from vaultrag.answering.longer.budget import Allowance
from vaultrag.answering.longer.gather import HOPS, MOST_CLUES, Clue, Gathering, as_read
from vaultrag.answering.longer.lookups import Lookups
from vaultrag.answering.longer.planning import split_question
from vaultrag.answering.longer.steps import Tell, forwarded, told, worth
from vaultrag.answering.outcome.quoted import nothing_said
from vaultrag.domain import (
    USUAL,
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    Backing,
    Level,
    Manner,
    Passage,
    SearchResult,
    StepTaken,
    Sureness,
    counted,
)
from vaultrag.errors import ModelError
from vaultrag.text.quotation_marks import set_off

MOST_DRAFTS = 3  # the first, and two that what was missing is searched for
SECTIONS = 3  # of the best passages, that are read whole where the passages were not enough


@dataclass(frozen=True, slots=True)
class DeepAnswerer:
    """Answers long questions. `drafter` writes from what was gathered; `split` cuts a question into its parts by rule,
    `plan` names further ones.
    """

    lookups: Lookups
    drafter: Answerer
    plan: Callable[[str], Sequence[str]]
    budget: Allowance
    tell: Tell
    split: Callable[[str], Sequence[str]] = split_question

    def answer(self, question: str, manner: Manner = USUAL) -> Generator[AnswerEvent, None, None]:
        """Yield each step as it is taken, the events of each draft, and the answer.

        Where no model is left to ask, the notes' own lines answer.
        """
        return _Inquiry(self, question, manner, Gathering(question, self.lookups)).events()


@dataclass(slots=True)
class _Inquiry:
    """One question on its way.

    `shown` are the passages that a step spoke of, `doubted` is the judgement that none of them answers.
    """

    by: DeepAnswerer
    question: str
    manner: Manner
    gathering: Gathering
    by_part: dict[str, frozenset[str]] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    cited: tuple[str, ...] = ()
    doubted: Sureness | None = None
    lost: str = ""

    def events(self) -> Generator[AnswerEvent, None, None]:
        yield from self._gather()
        answer = yield from self._answered()
        yield AnswerReady(answer)

    def _gather(self) -> Generator[AnswerEvent, None, None]:
        parts = list(self.by.split(self.question))
        if not self.by.budget.spent:
            try:
                parts += [part for part in self.by.plan(self.question) if part not in parts]
            except ModelError as error:
                yield self.by.tell("plan", f"Planned by rule alone: {error.message}")
        yield self.by.tell("plan", "\n".join(parts) or "One question, of one part.")
        yield self._found("search", self.question, self.gathering.search(self.by.drafter.settings.passages))
        for part in parts:
            found = self.gathering.search_part(part)
            self.by_part[part] = frozenset(_paths(found))
            yield self._found("search", part, found)
        yield from self._follow(HOPS)

    def _follow(self, hops: int) -> Generator[AnswerEvent, None, None]:
        for _ in range(hops):
            found = self.gathering.follow()
            if not found:
                return
            detail = "\n".join(f"{one.passage.chunk.path}: {one.why}" for one in found)
            yield self.by.tell("follow", detail, {*_paths(found), *(one.origin for one in found)})

    def _found(self, step: str, what: str, found: Sequence[Clue]) -> StepTaken:
        paths = list(dict.fromkeys(_paths(found)))
        return self.by.tell(step, "\n".join((what, *(f"· {path}" for path in paths))), paths)

    def _answered(self) -> Generator[AnswerEvent, None, Answer]:
        """Draft, check and search again for what is missing, while that finds anything; return the best answer."""
        best = yield from self._drafted()
        why = ""
        for _ in range(MOST_DRAFTS - 1):
            if _is_whole(best) or self.lost or self.by.budget.spent:
                break
            fresh = yield from self._searched_again(best)
            if not fresh:
                why = "Nothing more was found for what is missing."
                break
            yield self.by.tell("revise", f"{counted(fresh, 'passage')} more.")
            other = yield from self._drafted()
            best = max((best, other), key=worth)  # the earlier one of equals
        return self._ended(best, self.lost or ("" if _is_whole(best) else self.by.budget.spent or why))

    def _drafted(self) -> Generator[AnswerEvent, None, Answer]:
        clues, passages = yield from self._chosen()
        first = self.gathering.first
        assert first is not None  # the search for the whole question comes before any draft
        found = replace(first, passages=passages)
        drafter = replace(self.by.drafter, search=lambda *_: found, checks=self._checks)
        if self.by.budget.spent or drafter.model is None:
            return (yield from self._quoted(drafter, self.by.budget.spent))
        read = {passage.chunk.path for passage in passages}
        yield self.by.tell("draft", f"{drafter.model.name} reads {counted(len(passages), 'passage')}.", read)
        try:
            answer = yield from forwarded(drafter.answer(self.question, self.manner))
        except ModelError as error:
            self.lost = f"{error.message} So the notes' own lines answer."
            return (yield from self._quoted(drafter, self.lost))
        answer = self._without_doubt(answer, clues)
        self.cited = tuple(citation.path for citation in answer.citations)
        yield self.by.tell("check", _checked(answer), self.cited)
        return answer

    def _quoted(self, drafter: Answerer, why: str) -> Generator[AnswerEvent, None, Answer]:
        """Return the answer that needs no model."""
        yield self.by.tell("quotes", why)
        alone = replace(drafter, model=None, caution=tuple)
        return (yield from forwarded(alone.answer(self.question, self.manner)))

    def _chosen(self) -> Generator[AnswerEvent, None, tuple[list[Clue], tuple[Passage, ...]]]:
        """Return the clues for a draft and the passages as it reads them, those that were cited before at the front."""
        ranked = self.gathering.clues()
        ordered = sorted(ranked, key=lambda one: one.passage.chunk.path not in self.cited)[:MOST_CLUES]
        sentences = self.gathering.sentences(ordered)
        for clue, sentence in zip(ordered, sentences, strict=True):
            if sentence is not None and clue.passage.chunk.id not in self.shown:
                self.shown.add(clue.passage.chunk.id)
                yield self.by.tell("evidence", _evidence(clue, sentence), [clue.passage.chunk.path])
        passages = [
            as_read(clue.passage, sentence, rank)
            for rank, (clue, sentence) in enumerate(zip(ordered, sentences, strict=True))
        ]
        return ordered, tuple(passages)

    def _searched_again(self, answer: Answer) -> Generator[AnswerEvent, None, int]:
        """Search for what is missing, read on where passages were not enough; return how many passages are new."""
        before = {one.passage.chunk.id for one in self.gathering.clues()}
        missing = _missing(answer) or self._unanswered(answer)
        for part in missing:
            if part not in self.gathering.parts:
                yield self._found("search", part, self.gathering.search_part(part))
        sections = self.gathering.read_sections(SECTIONS)
        if sections:
            yield self._found("section", "Read whole, because the passages were not enough.", sections)
        self.gathering.follow_anew()
        yield from self._follow(1)
        return len({one.passage.chunk.id for one in self.gathering.clues()} - before)

    def _unanswered(self, answer: Answer) -> list[str]:
        """Return the parts of the question of which nothing that is cited was found for them."""
        cited = {citation.path for citation in answer.citations}
        origins = {one.origin for one in self.gathering.led.values() if one.passage.chunk.path in cited}
        return [part for part, paths in self.by_part.items() if not paths & (cited | origins)]

    def _checks(self) -> Checks:
        """Let no judgement of single passages refuse: an answer of several steps stands in none of them alone."""
        checks = self.by.drafter.checks()
        judge = checks.answers
        if judge is None:
            return checks

        def answers(question: str, excerpts: Sequence[Shown]) -> Answerability:
            judged = judge(question, excerpts)
            if judged.sureness.level is not Level.NOT_IN_VAULT:
                return judged
            self.doubted = judged.sureness
            return replace(judged, sureness=replace(judged.sureness, level=Level.WEAK))

        return replace(checks, answers=answers)

    def _without_doubt(self, answer: Answer, clues: Sequence[Clue]) -> Answer:
        """Refuse where no passage was judged to answer, unless what a passage led to backs what is told."""
        if self.doubted is None or answer.status is AnswerStatus.NOT_IN_VAULT:
            return answer
        led = {one.passage.chunk.path for one in clues if one.is_led_to}
        said = told(answer)
        by_number = {citation.number: citation.path for citation in answer.citations}
        backed = all(one.support is Backing.BACKED for one in said)
        if backed and any(by_number.get(number) in led for one in said for number in one.citations):
            return answer
        language = language_of_answer(self.question, self.manner, self.by.drafter.settings)
        found = SearchResult(self.question, answer.passages, (), answer.warnings, {})
        return replace(
            nothing_said(
                self.question,
                language,
                answer.quotes,
                found,
                self.doubted,
                answer.timings,
            ),
            model=answer.model,
            tokens=answer.tokens,
        )

    def _ended(self, answer: Answer, stopped: str) -> Answer:
        budget = self.by.budget
        missing = () if _is_whole(answer) else tuple(dict.fromkeys((*answer.missing, *self._unanswered(answer))))
        warnings = (*answer.warnings, *([self.lost] if self.lost else ()))
        return replace(
            answer,
            warnings=warnings,
            missing=missing,
            stopped=stopped or answer.stopped,
            timings={**answer.timings, "total": budget.elapsed},
            tokens={**answer.tokens, "all": budget.used},
        )


def _is_whole(answer: Answer) -> bool:
    return answer.status is AnswerStatus.ANSWERED and not answer.missing


def _missing(answer: Answer) -> list[str]:
    """Return what an answer lacks: the parts that it names, and what it would have said without a source."""
    unbacked = [one.text for one in answer.sentences if one.support is Backing.NOT_BACKED]
    return list(dict.fromkeys((*answer.missing, *unbacked)))


def _checked(answer: Answer) -> str:
    sentences = told(answer)
    backed = sum(one.support is Backing.BACKED for one in sentences)
    said = [f"{answer.status}: {backed} of {counted(len(sentences), 'sentence')} backed."]
    said += [f"not backed: {one.text}" for one in answer.sentences if one.support is Backing.NOT_BACKED]
    said += [f"missing: {part}" for part in answer.missing]
    said += [f"disputed: {dispute.said}" for dispute in answer.disputes]
    return "\n".join(said)


def _evidence(clue: Clue, sentence: SourceSentence) -> str:
    chunk = clue.passage.chunk
    line = locate(chunk, sentence.start, sentence.end).first_line
    return f"{chunk.path}, line {line}, {clue.why}:\n{set_off(sentence.text)}"


def _paths(clues: Iterable[Clue]) -> list[str]:
    return [one.passage.chunk.path for one in clues]
