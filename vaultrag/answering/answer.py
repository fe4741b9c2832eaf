"""A question's way to a checked answer: search, floor, prompt, streamed draft, attribution."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vaultrag.answering.attribution import Sources, Support, same_sentence
from vaultrag.answering.citations import locate, offered_numbers, source_sentences, with_marks
from vaultrag.answering.evidence import enough_evidence
from vaultrag.answering.prompt import NOTHING_FOUND, Offered, Packed, Refusal, pack, says_nothing
from vaultrag.cjk import holds_cjk
from vaultrag.config import AnsweringSection
from vaultrag.domain import (
    Answer,
    AnswerEvent,
    AnswerReady,
    AnswerStatus,
    ChatModel,
    Citation,
    Embedder,
    Generation,
    ModelLoading,
    PassagesFound,
    Piece,
    Purity,
    Sampling,
    SearchResult,
    Sentence,
    SentenceFound,
    SentenceState,
    TextPiece,
    Thought,
)
from vaultrag.errors import GenerationFailed, VaultragError
from vaultrag.language import language_of, sentences

FEWEST_TOKENS = 1200  # of prompt, however slow the machine: instructions and two or three passages
LOOP = 2  # so many repeated sentences in a row, and the draft ends: small models repeat until the limit


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions over one index with one model.

    `prompt_budget` is the number of tokens that this machine reads in the time the user waits for a first word;
    `learn` is told what each generation took. `prepare` yields how much of the model is loaded until all is, and
    `caution` then says what the user should know of it.
    """

    search: Callable[[str, int], SearchResult]
    model: ChatModel
    embedder: Embedder | None
    settings: AnsweringSection
    prompt_budget: Callable[[], int]
    refusal: Refusal
    learn: Callable[[Generation], None]
    prepare: Callable[[], Iterator[float]]
    caution: Callable[[], tuple[str, ...]]

    def answer(self, question: str) -> Generator[AnswerEvent, None, None]:
        """Yield how far the model is loaded, the passages, pieces of the draft, its checked sentences, and the answer.

        Closing the iterator aborts the model. Raises ModelError subclasses.
        """
        started = time.perf_counter()
        found = self.search(question, self.settings.passages)
        searched = time.perf_counter() - started
        language = language_of(question) or "en"
        if not enough_evidence(found, self.settings):
            yield PassagesFound(found.passages, 0, found.warnings)
            yield AnswerReady(_nothing(question, language, found, {"search": searched}))
            return
        yield from map(ModelLoading, self.prepare())
        packed = pack(question, language, found.passages, self._budget(), self.model.count_tokens, self.refusal)
        if not packed.offered:
            raise GenerationFailed(
                "The question leaves no room for any passage in what the model may read.",
                "Ask in fewer words, or raise `runtime.context` or `answering.first_token_seconds`.",
            )
        warnings = (*found.warnings, *self.caution(), *_left_out(packed.left_out, len(found.passages)))
        yield PassagesFound(tuple(part.passage for part in packed.offered), packed.left_out, warnings)
        yield from self._generate(question, language, replace(found, warnings=warnings), packed, searched, started)

    def _generate(
        self, question: str, language: str, found: SearchResult, packed: Packed, searched: float, started: float
    ) -> Generator[AnswerEvent, None, None]:
        draft = _Draft(question, packed.offered)
        sampling = Sampling(
            max_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
            thinking_tokens=self.settings.thinking_tokens,
            purity=Purity.ANY if any(holds_cjk(message.content) for message in packed.messages) else Purity.NO_CJK,
        )
        first_token: float | None = None
        stats: Generation | None = None
        with contextlib.closing(_closable(self.model.generate(packed.messages, sampling))) as pieces:
            for piece in pieces:
                if isinstance(piece, Generation):
                    stats = piece
                    self.learn(piece)
                    continue
                if not piece or isinstance(piece, Thought):
                    yield TextPiece("")  # a sign of life while the model reads or thinks: whoever listens can leave now
                    continue
                first_token = first_token or time.perf_counter() - started
                yield TextPiece(piece)
                yield from draft.add(piece)
                if draft.loops:
                    break
        yield from draft.finish(self.embedder)
        whole = time.perf_counter() - started
        timings = {"search": searched, "first_token": first_token or 0.0, **_spent(stats), "total": whole}
        yield AnswerReady(draft.answer(language, found, self.model.name, timings, stats))

    def _budget(self) -> int:
        room = self.model.context_length - self.settings.max_tokens - 64  # 64: the template's own tokens
        return min(room, max(FEWEST_TOKENS, self.prompt_budget()))


class _Draft:
    """The model's text as it grows: cut into sentences, each attributed as soon as it is complete."""

    def __init__(self, question: str, offered: Sequence[Offered]) -> None:
        self._question = question
        self._offered = offered
        found = [s for i, part in enumerate(offered) for s in source_sentences(i, part.text)]
        contexts = {index: _around(part) for index, part in enumerate(offered)}
        self._sources = Sources(question, found, contexts)
        self._pending = ""
        self._drafted: list[tuple[str, str, tuple[Support, ...] | None]] = []
        self._citations: list[Citation] = []
        self._sentences: list[Sentence] = []

    @property
    def loops(self) -> bool:
        """Whether the model only repeats itself by now."""
        return len(self._drafted) > LOOP and all(supports is None for _, _, supports in self._drafted[-LOOP:])

    def add(self, piece: str) -> Iterator[SentenceFound]:
        """Take a piece of text; yield the sentences that it completes and that have their sources by word."""
        self._pending += piece
        yield from self._cut(keep_last=1)

    def finish(self, embedder: Embedder | None) -> Iterator[SentenceFound]:
        """Take the rest, and look by meaning for the sources of sentences that have none by word."""
        if not self.loops:
            yield from self._cut(keep_last=0)
        missing = [i for i, (_, _, supports) in enumerate(self._drafted) if supports == ()]
        if not missing or embedder is None or not self._sources.sentences or says_nothing(self._text()):
            return
        try:
            self._attribute_by_meaning(missing, embedder)
        except VaultragError:
            return  # the answer stands without it: the sentences stay marked as uncited
        for index in missing:
            if self._drafted[index][2]:
                sentence, citations = self._cited(index)
                yield SentenceFound(sentence, citations)

    def answer(
        self, language: str, found: SearchResult, model: str, timings: dict[str, float], stats: Generation | None
    ) -> Answer:
        """Return the whole answer; citation numbers follow the order in which the text uses them."""
        tokens = _tokens(stats)
        if not self._drafted or says_nothing(self._text()):
            found = replace(found, warnings=(*found.warnings, *_endings(stats, ())))
            return replace(_nothing(self._question, language, found, timings), model=model, tokens=tokens)
        self._citations, self._sentences = [], []
        parts: list[str] = []
        for index, (gap, _, _) in enumerate(self._drafted):
            sentence, _ = self._cited(index)
            self._sentences.append(sentence)
            if sentence.state is not SentenceState.REMOVED:
                parts.append((gap if parts else "") + with_marks(sentence.text, sentence.citations))
        states = [s.state for s in self._sentences if s.state is not SentenceState.REMOVED]
        status = AnswerStatus.ANSWERED if all(s is SentenceState.CITED for s in states) else AnswerStatus.PARTLY
        return Answer(
            question=self._question,
            status=status,
            text="".join(parts),
            sentences=tuple(self._sentences),
            citations=tuple(self._citations),
            passages=tuple(part.passage for part in self._offered),
            model=model,
            timings=timings,
            tokens=tokens,
            warnings=(*found.warnings, *_endings(stats, states)),
        )

    def _cut(self, keep_last: int) -> Iterator[SentenceFound]:
        borders = sentences(self._pending)
        ready = borders[: len(borders) - keep_last] if keep_last else borders
        if keep_last and borders and not offered_numbers(self._pending[slice(*borders[-1])])[0]:
            ready = ready[:-1]  # only a mark like "[1]" follows so far: it belongs to the sentence before
        end = 0
        for first, last in ready:
            gap = _gap(self._pending[end:first])
            yield from self._take(gap, self._pending[first:last])
            end = last
        self._pending = self._pending[end:]

    def _take(self, gap: str, raw: str) -> Iterator[SentenceFound]:
        text, numbers = offered_numbers(raw)
        if not text:
            return
        if any(same_sentence(text, other) for _, other, _ in self._drafted):
            self._drafted.append((gap, text, None))
            return
        offered = [number - 1 for number in numbers if 0 < number <= len(self._offered)]
        self._drafted.append((gap, text, self._sources.lexical(text, offered)))
        if self._drafted[-1][2]:
            sentence, citations = self._cited(len(self._drafted) - 1)
            yield SentenceFound(sentence, citations)

    def _cited(self, index: int) -> tuple[Sentence, tuple[Citation, ...]]:
        _, text, supports = self._drafted[index]
        if supports is None:
            return Sentence(index + 1, text, SentenceState.REMOVED, ()), ()
        citations = tuple(self._citation(support) for support in supports)
        state = SentenceState.CITED if citations else SentenceState.UNCITED
        return Sentence(index + 1, text, state, tuple(c.number for c in citations)), citations

    def _citation(self, support: Support) -> Citation:
        part = self._offered[support.source.passage]
        chunk = part.passage.chunk
        span = locate(chunk, part.start + support.source.start, part.start + support.source.end)
        for known in self._citations:
            if (known.path, known.span) == (chunk.path, span):
                return known
        citation = Citation(
            number=len(self._citations) + 1,
            path=chunk.path,
            heading_path=chunk.heading_path,
            block_id=chunk.block_id,
            span=span,
            quote=support.source.text,
            verified=support.verified,
            score=round(support.score, 3),
        )
        self._citations.append(citation)
        return citation

    def _attribute_by_meaning(self, missing: Sequence[int], embedder: Embedder) -> None:
        sources = embedder.embed_passages([source.text for source in self._sources.sentences])
        asked = embedder.embed_passages([self._drafted[index][1] for index in missing])
        for index, row in zip(missing, np.asarray(asked @ sources.T), strict=True):
            gap, text, _ = self._drafted[index]
            self._drafted[index] = (gap, text, self._sources.semantic(text, row.tolist()))

    def _text(self) -> str:
        return " ".join(text for _, text, _ in self._drafted)


def _around(part: Offered) -> str:
    """Return what a note says of its subject outside its sentences: folders, name, title and headings."""
    chunk = part.passage.chunk
    return " ".join((*chunk.path.removesuffix(".md").split("/"), part.passage.title, *chunk.heading_path))


def _nothing(question: str, language: str, found: SearchResult, timings: dict[str, float]) -> Answer:
    text = NOTHING_FOUND.get(language, NOTHING_FOUND["en"])
    return Answer(question, AnswerStatus.NOT_IN_VAULT, text, (), (), found.passages, "", timings, {}, found.warnings)


def _left_out(count: int, total: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        f"{count} of {total} passages did not fit into what this machine reads in time; "
        "answering.first_token_seconds allows more.",
    )


def _endings(stats: Generation | None, states: Sequence[SentenceState]) -> tuple[str, ...]:
    warnings: list[str] = []
    if stats is not None and stats.finish == "length":
        warnings.append("The answer reached answering.max_tokens and may be cut short.")
    uncited = states.count(SentenceState.UNCITED)
    if uncited:
        warnings.append(f"{uncited} of {len(states)} sentences have no source in the notes.")
    return tuple(warnings)


def _tokens(stats: Generation | None) -> dict[str, int]:
    if stats is None:
        return {}
    return {
        "prompt": stats.prompt_tokens,
        "cached": stats.cached_tokens,
        "completion": stats.completion_tokens,
        "thought": stats.thought_tokens,
        "drafted": stats.drafted_tokens,
        "accepted": stats.accepted_tokens,
    }


def _spent(stats: Generation | None) -> dict[str, float]:
    """Return the seconds that the model took; waiting is what other requests took before it was free."""
    if stats is None:
        return {}
    return {"waited": stats.waited_seconds, "read": stats.prefill_seconds, "written": stats.decode_seconds}


def _gap(space: str) -> str:
    return "\n\n" if space.count("\n") > 1 else "\n" if "\n" in space else " "


def _closable(pieces: Iterator[Piece]) -> Generator[Piece, None, None]:
    yield from pieces
