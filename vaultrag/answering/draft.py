"""A model's draft as it grows: cut into sentences, each attributed as soon as it is complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from vaultrag.answering.attribution import Sources, Support, same_sentence
from vaultrag.answering.citations import locate, offered_numbers, source_sentences, with_marks
from vaultrag.answering.citing.empty_sentences import admits_nothing_found, says_nothing_checkable
from vaultrag.answering.judging.support import Premise, Statement, premise_of
from vaultrag.answering.prompt import Offered, says_nothing
from vaultrag.answering.shown import as_read
from vaultrag.answering.witness import attributed
from vaultrag.domain import (
    Backing,
    Citation,
    Embedder,
    Generation,
    Sentence,
    SentenceFound,
    SentenceState,
)
from vaultrag.errors import VaultragError
from vaultrag.text.entities import as_shown
from vaultrag.text.language import language_of, sentences

LOOP = 2  # so many repeated sentences in a row, and the draft ends: small models repeat until the limit
HEADINGS = 3  # so many headings copied in a row, and the draft ends: they say nothing
COPIED = 12  # so many lines copied in a row, and the draft ends: no list that answers is copied so long without a word


class _Kind(Enum):
    """What a sentence of a draft does: only a statement needs a source."""

    STATEMENT = auto()
    HEADING = auto()
    EMPTY = auto()
    ADMISSION = auto()


@dataclass(slots=True)
class _Drafted:
    """A sentence of the draft, the space before it, and what it stands on; None where it repeats an earlier one."""

    gap: str
    text: str
    supports: tuple[Support, ...] | None
    backing: Backing = Backing.UNCHECKED
    kind: _Kind = _Kind.STATEMENT

    @property
    def stands(self) -> bool:
        """Whether it may be told: it has a source, and nobody has found that this does not say it.

        A source that is only near in meaning must have been found to say it: opposites are near, too.
        """
        if not self.supports or self.backing is Backing.NOT_BACKED:
            return False
        is_proposed = all(support.verified == "semantic" for support in self.supports)
        return not is_proposed or self.backing is not Backing.UNCHECKED

    @property
    def announces(self) -> bool:
        """Whether it leads to what follows: «В поездку взяли:»."""
        return self.kind is _Kind.EMPTY and self.text.endswith(":")


@dataclass(frozen=True, slots=True)
class Prose:
    """What may be told of a draft: its sentences, those left out among them, and what they cite."""

    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]

    @property
    def told(self) -> tuple[Sentence, ...]:
        return tuple(sentence for sentence in self.sentences if sentence.state is not SentenceState.REMOVED)


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
        self.stats: Generation | None = None

    @property
    def loops(self) -> bool:
        """Whether the model only repeats itself or its passages by now."""
        return self.repeats or self.copies

    @property
    def repeats(self) -> bool:
        return len(self._drafted) > LOOP and all(one.supports is None for one in self._drafted[-LOOP:])

    @property
    def copies(self) -> bool:
        headings = [one.kind is _Kind.HEADING for one in self._drafted[-HEADINGS:]]
        if len(headings) == HEADINGS and all(headings):
            return True
        return len(self._drafted) >= COPIED and all(_is_copied(one) for one in self._drafted[-COPIED:])

    @property
    def refuses(self) -> bool:
        """Whether the model says no more than that the notes hold no answer."""
        if not self._drafted or says_nothing(self._text()):
            return True
        kinds = {one.kind for one in self._drafted if one.supports is not None}
        return _Kind.ADMISSION in kinds and kinds <= {_Kind.ADMISSION, _Kind.EMPTY}

    def add(self, piece: str) -> Iterator[SentenceFound]:
        """Take a piece of text; yield the sentences that it completes and that have their sources by word."""
        self._pending += piece
        yield from self._cut(keep_last=1)

    def finish(self, embedder: Embedder | None) -> Iterator[SentenceFound]:
        """Take the rest, and look by meaning for lines to judge sentences by that have no source by word."""
        if not self.loops:
            yield from self._cut(keep_last=0)
        stated = (index for index, one in enumerate(self._drafted) if one.kind is _Kind.STATEMENT)
        missing = [index for index in stated if self._drafted[index].supports == ()]
        if not missing or embedder is None or not self._sources.sentences or self.refuses:
            return
        try:
            self._attribute_by_meaning(missing, embedder)
        except VaultragError:
            return  # the answer stands without it: the sentences stay marked as uncited

    def statements(self) -> list[Statement]:
        """Return the sentences that have a source with what they cite, for their support to be judged."""
        return [
            Statement(one.text, tuple(self._premise(support) for support in one.supports or ()), self._question)
            for one in self._drafted
            if one.supports
        ]

    def judged(self, backings: Sequence[Backing]) -> Iterator[SentenceFound]:
        """Take what was found of `statements`, in their order; yield each of those sentences again."""
        asked = [index for index, one in enumerate(self._drafted) if one.supports]
        for index, backing in zip(asked, backings, strict=True):
            self._drafted[index].backing = backing
            yield SentenceFound(*self._cited(index))

    def prose(self) -> Prose:
        """Return what may be told of it. Citation numbers follow the order in which the text uses them."""
        self._citations = []
        found: list[Sentence] = []
        parts: list[str] = []
        lead: _Drafted | None = None
        for index, one in enumerate(self._drafted):
            if one.announces:
                lead = one  # told with what it leads to, and nothing that needs a source
                continue
            if not one.stands:
                found.append(Sentence(index + 1, one.text, SentenceState.REMOVED, (), _backing_of_removed(one)))
                continue
            sentence, _ = self._cited(index)
            found.append(sentence)
            if lead is not None:
                parts.append((lead.gap if parts else "") + lead.text)
                lead = None
            parts.append((one.gap if parts else "") + with_marks(sentence.text, sentence.citations))
        return Prose("".join(parts), tuple(found), tuple(self._citations))

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
        written, numbers = offered_numbers(raw)
        text = as_read(written)
        if not text:
            return
        if any(same_sentence(text, other.text) for other in self._drafted):
            self._drafted.append(_Drafted(gap, text, None))
            return
        kind = self._kind(text)
        offered = [number - 1 for number in numbers if 0 < number <= len(self._offered)]
        supports = self._sources.lexical(written, offered) if kind is _Kind.STATEMENT else ()
        self._drafted.append(_Drafted(gap, text, supports, kind=kind))
        if supports:
            sentence, citations = self._cited(len(self._drafted) - 1)
            yield SentenceFound(sentence, citations)

    def _kind(self, text: str) -> _Kind:
        if self._sources.repeats_heading(text):
            return _Kind.HEADING
        if admits_nothing_found(text, self._question):
            return _Kind.ADMISSION
        return _Kind.EMPTY if says_nothing_checkable(text, self._question) else _Kind.STATEMENT

    def _cited(self, index: int) -> tuple[Sentence, tuple[Citation, ...]]:
        one = self._drafted[index]
        if one.supports is None:
            return Sentence(index + 1, one.text, SentenceState.REMOVED, ()), ()
        citations = tuple(self._citation(support) for support in one.supports) if one.stands else ()
        state = SentenceState.CITED if citations else SentenceState.UNCITED
        backing = [self._offered[support.source.passage].passage.chunk for support in one.supports]
        text = attributed(one.text, backing, language_of(one.text))
        return Sentence(index + 1, text, state, tuple(c.number for c in citations), one.backing), citations

    def _premise(self, support: Support) -> Premise:
        part = self._offered[support.source.passage]
        start, end = part.start + support.source.start, part.start + support.source.end
        return premise_of(part.passage, start, end)

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


def _around(part: Offered) -> str:
    """Return what a note says of its subject outside its sentences: folders, name, title and headings."""
    chunk = part.passage.chunk
    return " ".join((*chunk.path.removesuffix(".md").split("/"), part.passage.title, *chunk.heading_path))


def _is_copied(one: _Drafted) -> bool:
    return bool(one.supports) and all(support.verified == "verbatim" for support in one.supports or ())


def _backing_of_removed(one: _Drafted) -> Backing:
    """Say of a sentence that is left out why: it stands nowhere; or it only repeats another, or says nothing."""
    is_told_already = one.supports is None or one.kind in (_Kind.EMPTY, _Kind.HEADING)
    return Backing.UNCHECKED if is_told_already else Backing.NOT_BACKED


def _gap(space: str) -> str:
    return "\n\n" if space.count("\n") > 1 else "\n" if "\n" in space else " "
