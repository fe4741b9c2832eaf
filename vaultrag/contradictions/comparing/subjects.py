"""Whether two claims are of two things of a kind: two rows, two notes of one form, «VLAN 10» and «VLAN 30»."""

from __future__ import annotations

import re

from vaultrag.contradictions.comparing.concepts import WordSet, read_words
from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.comparing.reasons import Ground, Reason
from vaultrag.domain import Claim, ClaimContext, StatedKind, StatedValue, SubjectSource
from vaultrag.text.language import fold

LISTED = 3.5  # rarity of the words that two items of one list share, from which on they speak of one thing
TOLD_ALIKE = 8.0  # rarity of what two notes of one folder say in the same words: then they speak of one thing
_ITEMS = frozenset({ClaimContext.LIST, ClaimContext.TASK})
_OF_THE_NOTE = frozenset({ClaimContext.PROPERTY, ClaimContext.FIELD})
_ABOVE = frozenset({SubjectSource.TITLE, SubjectSource.HEADING})
_DIGITS = re.compile(r"\d+")
_TIME_OF_TITLE = re.compile(r"[\d.,/–-]+|\b(?:копия|copy|старый|old|новый|new)\b", re.IGNORECASE)


def two_of_a_kind(one: ReadClaim, other: ReadClaim, own_shared: float) -> Reason | None:
    """Return why two claims are of two things of one kind; None where nothing says so."""
    first, second = one.claim, other.claim
    if _are_rows(first, second, own_shared) or _is_row_of_another(one, other) or _is_row_of_another(other, one):
        return Reason(Ground.ROW)
    if _are_properties_of_two(one, other) or (own_shared < TOLD_ALIKE and _are_neighbours(one, other)):
        return Reason(Ground.NAMES, first.title, second.title)
    numbers = _other_number(first, second)
    return Reason(Ground.MODIFIER, *numbers) if numbers else None


def are_editions(one: Claim, other: Claim) -> bool:
    """Tell whether two notes are one of two years or days by their titles: "Packing list", "Packing list 2024"."""
    bare, other_bare = (_TIME_OF_TITLE.sub(" ", claim.title).split() for claim in (one, other))
    return one.title != other.title and bare == other_bare and bool(bare)


def _are_rows(one: Claim, other: Claim, own_shared: float) -> bool:
    """Tell whether two claims are of different rows of one table, or are items of one list."""
    if one.path != other.path or one.heading_path != other.heading_path:
        return False
    if one.context is other.context is ClaimContext.CELL:
        return one.span != other.span
    if one.context not in _ITEMS or other.context not in _ITEMS or one.lead != other.lead:
        return False
    return own_shared < LISTED or (_has_day(one) and _has_day(other))


def _has_day(claim: Claim) -> bool:
    return any(value.kind is StatedKind.DATE for value in claim.values)


def _is_row_of_another(row: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether a claim is of a row that the other nowhere names."""
    claim = row.claim
    if claim.context is not ClaimContext.CELL or claim.subject_from is not SubjectSource.ROW:
        return False
    named = [word for word in read_words(claim.subject) if not word.is_number]
    return bool(named) and not any(other.own_set.has(word) or other.frame_set.has(word) for word in named)


def _are_properties_of_two(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether claims are properties of two notes, neither of which the other's title names."""
    first, second = one.claim, other.claim
    if first.path == second.path or not (first.context in _OF_THE_NOTE or second.context in _OF_THE_NOTE):
        return False
    if not (first.subject_from in _ABOVE and second.subject_from in _ABOVE):
        return False
    titles = WordSet(read_words(first.title))
    return not any(titles.has(word) for word in read_words(second.title) if not word.is_number)


def _are_neighbours(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether claims are of two notes of one folder, each about what it is named for, as two recipes are."""
    first, second = one.claim, other.claim
    folder, _, _ = first.path.rpartition("/")
    if not folder or folder != second.path.rpartition("/")[0] or first.path == second.path:
        return False
    return first.subject_from in _ABOVE and second.subject_from in _ABOVE and not titles_meet(one, other)


def titles_meet(one: ReadClaim, other: ReadClaim) -> bool:
    """Tell whether two notes share a word of their titles, or one claim names the other's note."""
    named = [word for word in read_words(one.claim.title) if not word.is_number]
    others = [word for word in read_words(other.claim.title) if not word.is_number]
    return any(other.own_set.has(word) or other.frame_set.has(word) for word in named) or any(
        one.own_set.has(word) or one.frame_set.has(word) for word in others
    )


def _other_number(one: Claim, other: Claim) -> tuple[str, str] | None:
    """Return what tells one thing of a kind from another: «VLAN 10» and «VLAN 30», "camera 1" and "camera 2"."""
    for first, second in ((one.subject, other.subject), (one.attribute, other.attribute)):
        bare, other_bare = (_DIGITS.sub("#", fold(name)) for name in (first, second))
        if first and bare == other_bare and fold(first) != fold(second):
            return first, second
    named = [(value, _designated(value, one)) for value in one.values]
    others = [(value, _designated(value, other)) for value in other.values]
    return next(
        (
            (a.words, b.words)
            for a, name in named
            for b, known in others
            if name and name == known and a.words != b.words
        ),
        None,
    )


def _designated(value: StatedValue, claim: Claim) -> str:
    """Return the word of which a number is a part, as in a name; empty where it is an amount."""
    if value.kind is not StatedKind.NUMBER or value.unit or not value.label or not value.words.isdigit():
        return ""
    if claim.context is ClaimContext.CELL:
        return ""
    last = value.label.split()[-1]
    return fold(last) if f"{last} {value.words}" in claim.quote else ""
