"""Everyday words in the other language: "What does the cat eat?" is answered by a line on «кот» and «корм».

A small dictionary by hand, English and Russian. It finds no note; it helps to tell which line of a found one answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

from vaultrag.text.language import stem
from vaultrag.text.morphology import term_of


def translated(stems: Iterable[str]) -> frozenset[str]:
    """Return the stems by which the other language says a word of these stems; none of what is in no dictionary."""
    known = _dictionary()
    return frozenset(other for own in stems for word in known.get(own, ()) for other in _stems(word))


@cache
def _stems(word: str) -> tuple[str, ...]:
    return term_of(word)


@cache
def _dictionary() -> Mapping[str, Sequence[str]]:
    """Return the words of the other language by the stem of each word."""
    found: dict[str, list[str]] = defaultdict(list)
    text = resources.files("vaultrag.answering.evidence").joinpath("translations.txt").read_text(encoding="utf-8")
    for row in text.splitlines():
        if row and not row.startswith("#"):
            english, russian = (side.split() for side in row.split(":"))
            for words, others in ((english, russian), (russian, english)):
                for word in words:
                    found[stem(word)].extend(others)
    return found
