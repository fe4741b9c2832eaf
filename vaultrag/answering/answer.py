"""A question's way to a checked answer: search, quotes, how sure they are, prompt, streamed draft, its support."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.draft import Draft
from vaultrag.answering.evidence.floor import enough_evidence
from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.judging.checks import UNCHECKED, Checks
from vaultrag.answering.outcome.drafted import answer_of_draft
from vaultrag.answering.outcome.listed import answer_of_listing
from vaultrag.answering.outcome.quoted import answer_of_quotes, nothing_said
from vaultrag.answering.outcome.remarks import with_remarks
from vaultrag.answering.outcome.told import answer_of_history
from vaultrag.answering.prompt import Packed, pack
from vaultrag.config import AnsweringSection
from vaultrag.domain import (
    USUAL,
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStyle,
    ChatModel,
    Citation,
    Embedder,
    Generation,
    History,
    Level,
    Listing,
    ListingFound,
    Manner,
    ModelLoading,
    PassagesFound,
    Piece,
    Purity,
    QuotesFound,
    Refusal,
    Sampling,
    SearchResult,
    Sureness,
    TextPiece,
    Thought,
)
from vaultrag.errors import GenerationFailed
from vaultrag.text.cjk import holds_cjk
from vaultrag.text.language import language_of

FEWEST_TOKENS = 1200  # of prompt, however slow the machine: instructions and two or three passages
UNJUDGED = Sureness(Level.WEAK)  # nobody has read the passages: nothing is certain


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions over one index with one model, or by quotes alone where there is none.

    `prompt_budget` is the number of tokens that this machine reads in the time the user waits for a first word;
    `learn` is told what each generation took. `prepare` yields how much of the model is loaded until all is, and
    `caution` then says what the user should know of it. `checks` says how far the model's judgement is to be trusted,
    `list_notes` what the catalogue answers to questions about the vault itself, `tell_history` how what a question asks
    for changed, where that answers it.
    """

    search: Callable[[str, int], SearchResult]
    model: ChatModel | None
    embedder: Embedder | None
    settings: AnsweringSection
    prompt_budget: Callable[[], int]
    refusal: Refusal
    learn: Callable[[Generation], None]
    prepare: Callable[[], Iterator[float]]
    caution: Callable[[], tuple[str, ...]]
    checks: Callable[[], Checks] = lambda: UNCHECKED
    list_notes: Callable[[str], Listing | None] = lambda _: None
    tell_history: Callable[[str], History | None] = lambda _: None

    def answer(self, question: str, manner: Manner = USUAL) -> Generator[AnswerEvent, None, None]:
        """Yield the quotes, the passages, pieces of the draft, its checked sentences, and the answer.

        The quotes come before any model has read a word, and again when it has judged them. While the model still
        loads, what was found comes first, then how far the load is, then the passages it reads. Closing the iterator
        aborts the model. Raises ModelError subclasses.
        """
        return _Answering(self, question, manner).events()


@dataclass(slots=True)
class _Answering:
    """One question on its way."""

    by: Answerer
    question: str
    manner: Manner
    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)

    def events(self) -> Generator[AnswerEvent, None, None]:
        found = self.by.search(self.question, self.by.settings.passages)
        self._note("search")
        evidence = Evidence(self.question, found.passages, self.by.embedder)
        quotes = evidence.cited(evidence.quotes())
        self._note("quotes")
        yield QuotesFound(quotes)
        listing = self.by.list_notes(self.question)
        if listing is not None:
            yield ListingFound(listing)
            if listing.sure:
                yield AnswerReady(answer_of_listing(self.question, listing, found, self._spent()))
                return
        if listing is None and (history := self.by.tell_history(self.question)):
            yield AnswerReady(answer_of_history(self.question, self.language, history, found, self._spent()))
            return
        for event in self._answer(found, evidence, quotes):
            if isinstance(event, AnswerReady):
                answer = replace(event.answer, listing=listing)
                event = AnswerReady(with_remarks(answer, self.manner.own or self.question, self.language, evidence))
            yield event

    @property
    def language(self) -> str:
        return language_of_answer(self.question, self.manner, self.by.settings)

    def _answer(
        self, found: SearchResult, evidence: Evidence, quotes: tuple[Citation, ...]
    ) -> Generator[AnswerEvent, None, None]:
        if not enough_evidence(found, self.by.settings, evidence.said_across):
            yield PassagesFound(found.passages, 0, found.warnings)
            yield AnswerReady(nothing_said(self.question, self.language, quotes, found, None, self._spent()))
            return
        if self.by.model is None:
            found = replace(found, warnings=(*found.warnings, *self.by.caution()))
            yield PassagesFound(found.passages, 0, found.warnings)
            yield AnswerReady(self._quoted(quotes, found, UNJUDGED))
            return
        checks = self.by.checks()
        style = self._style(checks)
        if style is AnswerStyle.QUOTES and checks.answers is None:
            yield PassagesFound(found.passages, 0, found.warnings)
            yield AnswerReady(self._quoted(quotes, found, UNJUDGED))
            return
        yield from self._loading(found)
        sureness = UNJUDGED
        if checks.answers is not None:
            judged = checks.answers(self.question, evidence.excerpts())
            sureness = judged.sureness
            quotes = evidence.cited(evidence.quotes(evidence.judged(judged.scores)))
            self._note("judged")
            yield QuotesFound(quotes, sureness)
        if sureness.level is Level.NOT_IN_VAULT or style is AnswerStyle.QUOTES:
            found = replace(found, warnings=(*found.warnings, *self.by.caution()))
            yield PassagesFound(found.passages, 0, found.warnings)
            answer = self._quoted(quotes, found, sureness)
            yield AnswerReady(replace(answer, model=self.by.model.name if checks.answers else ""))
            return
        yield from self._prose(self.by.model, checks, found, quotes, sureness)

    def _style(self, checks: Checks) -> AnswerStyle:
        if self.manner.style is not None:
            return self.manner.style
        wanted = self.by.settings.style
        return checks.style if wanted == "auto" else AnswerStyle(wanted)

    def _quoted(self, quotes: Sequence[Citation], found: SearchResult, sureness: Sureness) -> Answer:
        return answer_of_quotes(self.question, self.language, quotes, found, sureness, self._spent())

    def _loading(self, found: SearchResult) -> Generator[AnswerEvent, None, None]:
        shares = self.by.prepare()
        for share in shares:
            yield PassagesFound(found.passages, 0, found.warnings)  # to be looked at meanwhile
            yield ModelLoading(share)
            break
        yield from map(ModelLoading, shares)
        self._note("loaded")

    def _prose(
        self,
        model: ChatModel,
        checks: Checks,
        found: SearchResult,
        quotes: tuple[Citation, ...],
        sureness: Sureness,
    ) -> Generator[AnswerEvent, None, None]:
        packed = self._packed(model, found)
        warnings = (*found.warnings, *self.by.caution(), *_left_out(packed.left_out, len(found.passages)))
        found = replace(found, warnings=warnings)
        yield PassagesFound(tuple(part.passage for part in packed.offered), packed.left_out, warnings)
        draft = Draft(self.question, packed.offered)
        yield from self._drafted(model, packed, draft)
        if checks.supports is not None and not draft.refuses:
            yield from draft.judged(checks.supports(draft.statements()))
            self._note("checked")
        timings = self._spent(draft.stats)
        yield AnswerReady(
            answer_of_draft(draft, self.question, self.language, quotes, found, sureness, model.name, timings)
        )

    def _packed(self, model: ChatModel, found: SearchResult) -> Packed:
        budget = self._budget(model)
        packed = pack(self.question, self.language, found.passages, budget, model.count_tokens, self.by.refusal)
        if not packed.offered:
            raise GenerationFailed(
                "The question leaves no room for any passage in what the model may read.",
                "Ask in fewer words, or raise `runtime.context` or `answering.first_token_seconds`.",
            )
        return packed

    def _drafted(self, model: ChatModel, packed: Packed, draft: Draft) -> Generator[AnswerEvent, None, None]:
        sampling = Sampling(
            max_tokens=self.by.settings.max_tokens,
            temperature=self.by.settings.temperature,
            thinking_tokens=self.by.settings.thinking_tokens,
            purity=Purity.ANY if any(holds_cjk(message.content) for message in packed.messages) else Purity.NO_CJK,
        )
        with contextlib.closing(_closable(model.generate(packed.messages, sampling))) as pieces:
            for piece in pieces:
                if isinstance(piece, Generation):
                    draft.stats = piece
                    self.by.learn(piece)
                    continue
                if not piece or isinstance(piece, Thought):
                    yield TextPiece("")  # a sign of life while the model reads or thinks: whoever listens can leave now
                    continue
                self.timings.setdefault("first_token", time.perf_counter() - self.started)
                yield TextPiece(piece)
                yield from draft.add(piece)
                if draft.loops:
                    break
        yield from draft.finish(self.by.embedder)

    def _budget(self, model: ChatModel) -> int:
        room = model.context_length - self.by.settings.max_tokens - 64  # 64: the template's own tokens
        return min(room, max(FEWEST_TOKENS, self.by.prompt_budget()))

    def _note(self, step: str) -> None:
        """Write down when a step ended, in seconds from the question."""
        self.timings[step] = time.perf_counter() - self.started

    def _spent(self, stats: Generation | None = None) -> dict[str, float]:
        """Return the seconds so far; waiting is what other requests took before the model was free."""
        spent = {"first_token": 0.0, **self.timings} if stats is not None else dict(self.timings)
        if stats is not None:
            spent |= {"waited": stats.waited_seconds, "read": stats.prefill_seconds, "written": stats.decode_seconds}
        return {**spent, "total": time.perf_counter() - self.started}


def language_of_answer(question: str, manner: Manner, settings: AnsweringSection) -> str:
    """Return the language to answer in: the question's own, or the one of the settings."""
    return settings.language if settings.language != "question" else language_of(manner.own or question) or "en"


def _left_out(count: int, total: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        f"{count} of {total} passages did not fit into what this machine reads in time; "
        "answering.first_token_seconds allows more.",
    )


def _closable(pieces: Iterator[Piece]) -> Generator[Piece, None, None]:
    yield from pieces
