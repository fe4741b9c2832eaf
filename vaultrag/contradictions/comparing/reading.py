"""A claim's words, once for all its pairs: what it says itself, what it stands under, and the values apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vaultrag.contradictions.comparing.concepts import ClaimWord, WordSet, concept_of, read_words
from vaultrag.domain import Claim, ClaimContext, StatedKind

_MEASURED = frozenset(
    {
        StatedKind.NUMBER, StatedKind.MONEY, StatedKind.MEASURE, StatedKind.SHARE, StatedKind.DURATION, StatedKind.DATE,
        StatedKind.TIME,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """A claim's words: all of its own in order, those of them that are no value, and those that it stands under."""

    claim: Claim
    words: tuple[ClaimWord, ...]
    own: tuple[ClaimWord, ...]
    frame: tuple[ClaimWord, ...]
    own_set: WordSet
    frame_set: WordSet

    @classmethod
    def of(cls, claim: Claim) -> ReadClaim:
        words, own, frame = words_of(claim)
        return cls(claim, words, own, frame, WordSet(own), WordSet(frame))

    @property
    def context(self) -> tuple[ClaimWord, ...]:
        return (*self.own, *self.frame)


Words: TypeAlias = tuple[ClaimWord, ...]


def words_of(claim: Claim) -> tuple[Words, Words, Words]:
    """Return a claim's words: all of its own, those of them that are no value, and those that it stands under."""
    words = read_words(own_words(claim))
    measured = {
        word.text
        for value in claim.values
        if value.kind in _MEASURED
        for word in read_words(value.words)
        if value.kind is not StatedKind.NUMBER or concept_of(word.text) != concept_of(value.unit or "-")
    }
    own = tuple(word for word in words if word.text not in measured and not word.is_number)
    return words, own, _without(read_words(_frame(claim)), own)


def own_words(claim: Claim) -> str:
    """Return the words of a claim itself; those of a cell are its row's name, its column's and its own."""
    if claim.context in (ClaimContext.CELL, ClaimContext.PROPERTY, ClaimContext.FIELD):
        values = " ".join(value.words for value in claim.values)
        return f"{claim.subject}: {claim.attribute}: {values}"
    return claim.quote


def _frame(claim: Claim) -> str:
    """Return what a claim stands under, apart from the names of folders, which tell kinds of notes."""
    parts = [claim.subject, claim.attribute, claim.lead, *reversed(claim.heading_path), claim.title]
    if claim.context is ClaimContext.CELL:
        parts.append(claim.quote)
    return " | ".join(parts)


def _without(words: Sequence[ClaimWord], own: Sequence[ClaimWord]) -> tuple[ClaimWord, ...]:
    known = {word.concept for word in own}
    kept: dict[str, ClaimWord] = {}
    for word in words:
        if word.concept not in known and not word.is_number:
            kept.setdefault(word.concept, word)
    return tuple(kept.values())
