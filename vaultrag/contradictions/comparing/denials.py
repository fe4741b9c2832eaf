"""What one claim denies and the other says: «метки нет» and «помечена», "no need for a bag" and "you need a bag"."""

from __future__ import annotations

from collections.abc import Sequence

from vaultrag.contradictions.comparing.concepts import ClaimWord, are_alike


def denied_by_one(one: Sequence[ClaimWord], other: Sequence[ClaimWord]) -> tuple[ClaimWord, ClaimWord] | None:
    """Return a word that exactly one of two claims denies, as it stands in the first and in the other."""
    return next(
        (
            (first, second)
            for first in one
            for second in other
            if first.is_denied != second.is_denied
            and are_alike(first, second)
            and not _said_otherwise(first, second, one, other)
            and not _stands_in_denial(*((second, other) if first.is_denied else (first, one)))
        ),
        None,
    )


def _stands_in_denial(said: ClaimWord, words: Sequence[ClaimWord]) -> bool:
    """Tell whether the clause that says a word denies another: «в ядре не помогло» says nothing for the kernel."""
    return any(word.is_denied and word.clause == said.clause for word in words)


def _said_otherwise(first: ClaimWord, second: ClaimWord, one: Sequence[ClaimWord], other: Sequence[ClaimWord]) -> bool:
    """Tell whether the word stands in either claim in the other sense, too: "not here, but there"."""
    return any(
        word.is_denied == denied and are_alike(word, known)
        for words, denied, known in ((one, second.is_denied, second), (other, first.is_denied, first))
        for word in words
    )
