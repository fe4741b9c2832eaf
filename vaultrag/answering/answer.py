"""A question's way to a checked answer: search, floor, prompt, streamed draft, attribution."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from vaultrag.answering.draft import Draft, nothing_found
from vaultrag.answering.evidence import enough_evidence
from vaultrag.answering.prompt import Packed, pack
from vaultrag.config import AnsweringSection
from vaultrag.domain import (
    AnswerEvent,
    AnswerReady,
    ChatModel,
    Embedder,
    Generation,
    ModelLoading,
    PassagesFound,
    Piece,
    Purity,
    Refusal,
    Sampling,
    SearchResult,
    TextPiece,
    Thought,
)
from vaultrag.errors import GenerationFailed
from vaultrag.text.cjk import holds_cjk
from vaultrag.text.language import language_of

FEWEST_TOKENS = 1200  # of prompt, however slow the machine: instructions and two or three passages


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
        """Yield the passages, pieces of the draft, its checked sentences, and the answer.

        While the model still loads, what was found comes first, then how far the load is, then the passages it reads.
        Closing the iterator aborts the model. Raises ModelError subclasses.
        """
        started = time.perf_counter()
        found = self.search(question, self.settings.passages)
        searched = time.perf_counter() - started
        language = language_of(question) or "en"
        if not enough_evidence(found, self.settings):
            yield PassagesFound(found.passages, 0, found.warnings)
            yield AnswerReady(nothing_found(question, language, found, {"search": searched}))
            return
        yield from self._loading(found)
        packed = pack(question, language, found.passages, self._budget(), self.model.count_tokens, self.refusal)
        if not packed.offered:
            raise GenerationFailed(
                "The question leaves no room for any passage in what the model may read.",
                "Ask in fewer words, or raise `runtime.context` or `answering.first_token_seconds`.",
            )
        warnings = (*found.warnings, *self.caution(), *_left_out(packed.left_out, len(found.passages)))
        yield PassagesFound(tuple(part.passage for part in packed.offered), packed.left_out, warnings)
        yield from self._generate(question, language, replace(found, warnings=warnings), packed, searched, started)

    def _loading(self, found: SearchResult) -> Generator[AnswerEvent, None, None]:
        shares = self.prepare()
        for share in shares:
            yield PassagesFound(found.passages, 0, found.warnings)  # to be looked at meanwhile
            yield ModelLoading(share)
            break
        yield from map(ModelLoading, shares)

    def _generate(
        self, question: str, language: str, found: SearchResult, packed: Packed, searched: float, started: float
    ) -> Generator[AnswerEvent, None, None]:
        draft = Draft(question, packed.offered)
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


def _left_out(count: int, total: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        f"{count} of {total} passages did not fit into what this machine reads in time; "
        "answering.first_token_seconds allows more.",
    )


def _spent(stats: Generation | None) -> dict[str, float]:
    """Return the seconds that the model took; waiting is what other requests took before it was free."""
    if stats is None:
        return {}
    return {"waited": stats.waited_seconds, "read": stats.prefill_seconds, "written": stats.decode_seconds}


def _closable(pieces: Iterator[Piece]) -> Generator[Piece, None, None]:
    yield from pieces
