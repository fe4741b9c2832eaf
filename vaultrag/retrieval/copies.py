"""Copies of a passage, collapsed into the first of them with all their places kept. Pure functions.

A passage is a copy of another if it says the same words, whatever marks them up, or holds all of them in a row beside
little else. One changed word parts two passages: it may be the number or the "not" that two notes disagree about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from vaultrag.domain import Chunk, Feature, OtherPlace, Passage

FEWEST_WORDS = 12  # below it the place is what is said: "ran 5 km" under two days are two runs
LEAST_SHARE = 0.8  # of the longer passage that both say: a heading or a line more is no other passage

# Only what changes nothing of the meaning: not a task's box, no strike-through, no sign of a number.
_MARKUP = re.compile(r"^[ \t]*(?:>[ \t]*)+|^[ \t]*#{1,6}[ \t]+|[*_`]|^[ \t]*[-*+](?=[ \t]+(?!\[))", re.MULTILINE)


def collapse_copies(passages: Iterable[Passage]) -> list[Passage]:
    """Keep the first of each passage and its copies, with the places of the others, in order."""
    kept: list[Passage] = []
    said: list[str] = []
    for passage in passages:
        words = _words(passage.chunk)
        place = next((n for n, other in enumerate(said) if _are_copies(kept[n].chunk, other, passage.chunk, words)), -1)
        if place < 0:
            kept.append(passage)
            said.append(words)
        else:
            also = (*kept[place].also, OtherPlace(passage.chunk, passage.title), *passage.also)
            kept[place] = replace(kept[place], also=also)
    return kept


def covering(passages: Sequence[Passage], wanted: int) -> int:
    """Return how many passages, from the first, it takes to have so many that are no copies."""
    return next(
        (n for n in range(wanted, len(passages)) if len(collapse_copies(passages[:n])) >= wanted), len(passages)
    )


def may_be_copied(chunk: Chunk) -> bool:
    """Tell whether a passage says enough to be the same wherever it stands."""
    return Feature.PROPERTY not in chunk.features and len(chunk.text.split()) >= FEWEST_WORDS


def _are_copies(one: Chunk, said: str, other: Chunk, words: str) -> bool:
    shorter, longer = sorted((said, words), key=len)
    return (
        len(shorter) >= LEAST_SHARE * len(longer)
        and one.speaker == other.speaker
        and may_be_copied(one)
        and may_be_copied(other)
        and f" {shorter} " in f" {longer} "
    )


def _words(chunk: Chunk) -> str:
    return " ".join(_MARKUP.sub("", chunk.text.lower()).split())
