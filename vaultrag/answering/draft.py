"""A model's draft as it grows: cut into sentences, each attributed as soon as it is complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vaultrag.answering.attribution import Sources, Support, same_sentence
from vaultrag.answering.citations import locate, offered_numbers, source_sentences, with_marks
from vaultrag.answering.prompt import NOTHING_FOUND, Offered, says_nothing
from vaultrag.domain import (
    Answer,
    AnswerStatus,
    Citation,
    Embedder,
    Generation,
    SearchResult,
    Sentence,
    SentenceFound,
    SentenceState,
)
from vaultrag.errors import VaultragError
from vaultrag.text.entities import as_shown
from vaultrag.text.language import sentences

LOOP = 2  # so many repeated sentences in a row, and the draft ends: small models repeat until the limit


@dataclass(slots=True)
class _Drafted:
    """A sentence of the draft, the space before it, and what it stands on; None where it repeats an earlier one."""

    gap: str
    text: str
    supports: tuple[Support, ...] | None


class Draft:
    """The text of one generation. Citations are numbered anew once it is whole."""

    def __init__(self, question: str, offered: Sequence[Offered]) -> None:
        self._question = question
        self._offered = offered
        found = [s for i, part in enumerate(offered) for s in source_sentences(i, part.text)]
        contexts = {index: _around(part) for index, part in enumerate(offered)}
        self._sources = Sources(question, found, contexts)
        self._pending = ""
        self._drafted: list[_Drafted] = []
        self._citations: list[Citation] = []
        self._sentences: list[Sentence] = []

    @property
    def loops(self) -> bool:
        """Whether the model only repeats itself by now."""
        return len(self._drafted) > LOOP and all(one.supports is None for one in self._drafted[-LOOP:])

    def add(self, piece: str) -> Iterator[SentenceFound]:
        """Take a piece of text; yield the sentences that it completes and that have their sources by word."""
        self._pending += piece
        yield from self._cut(keep_last=1)

    def finish(self, embedder: Embedder | None) -> Iterator[SentenceFound]:
        """Take the rest, and look by meaning for the sources of sentences that have none by word."""
        if not self.loops:
            yield from self._cut(keep_last=0)
        missing = [index for index, one in enumerate(self._drafted) if one.supports == ()]
        if not missing or embedder is None or not self._sources.sentences or says_nothing(self._text()):
            return
        try:
            self._attribute_by_meaning(missing, embedder)
        except VaultragError:
            return  # the answer stands without it: the sentences stay marked as uncited
        for index in missing:
            if self._drafted[index].supports:
                sentence, citations = self._cited(index)
                yield SentenceFound(sentence, citations)

    def answer(
        self, language: str, found: SearchResult, model: str, timings: dict[str, float], stats: Generation | None
    ) -> Answer:
        """Return the whole answer; citation numbers follow the order in which the text uses them."""
        tokens = _tokens(stats)
        if not self._drafted or says_nothing(self._text()):
            found = replace(found, warnings=(*found.warnings, *_endings(stats, ())))
            return replace(nothing_found(self._question, language, found, timings), model=model, tokens=tokens)
        self._citations, self._sentences = [], []
        parts: list[str] = []
        for index, one in enumerate(self._drafted):
            sentence, _ = self._cited(index)
            self._sentences.append(sentence)
            if sentence.state is not SentenceState.REMOVED:
                parts.append((one.gap if parts else "") + with_marks(sentence.text, sentence.citations))
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
        if any(same_sentence(text, other.text) for other in self._drafted):
            self._drafted.append(_Drafted(gap, text, None))
            return
        offered = [number - 1 for number in numbers if 0 < number <= len(self._offered)]
        self._drafted.append(_Drafted(gap, text, self._sources.lexical(text, offered)))
        if self._drafted[-1].supports:
            sentence, citations = self._cited(len(self._drafted) - 1)
            yield SentenceFound(sentence, citations)

    def _cited(self, index: int) -> tuple[Sentence, tuple[Citation, ...]]:
        one = self._drafted[index]
        if one.supports is None:
            return Sentence(index + 1, one.text, SentenceState.REMOVED, ()), ()
        citations = tuple(self._citation(support) for support in one.supports)
        state = SentenceState.CITED if citations else SentenceState.UNCITED
        return Sentence(index + 1, one.text, state, tuple(c.number for c in citations)), citations

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
        sources = embedder.embed_passages([as_shown(source.text) for source in self._sources.sentences])
        asked = embedder.embed_passages([self._drafted[index].text for index in missing])
        for index, row in zip(missing, np.asarray(asked @ sources.T), strict=True):
            one = self._drafted[index]
            one.supports = self._sources.semantic(one.text, row.tolist())

    def _text(self) -> str:
        return " ".join(one.text for one in self._drafted)


def nothing_found(question: str, language: str, found: SearchResult, timings: dict[str, float]) -> Answer:
    """Return the answer that the notes do not say."""
    text = NOTHING_FOUND.get(language, NOTHING_FOUND["en"])
    return Answer(question, AnswerStatus.NOT_IN_VAULT, text, (), (), found.passages, "", timings, {}, found.warnings)


def _around(part: Offered) -> str:
    """Return what a note says of its subject outside its sentences: folders, name, title and headings."""
    chunk = part.passage.chunk
    return " ".join((*chunk.path.removesuffix(".md").split("/"), part.passage.title, *chunk.heading_path))


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


def _gap(space: str) -> str:
    return "\n\n" if space.count("\n") > 1 else "\n" if "\n" in space else " "
