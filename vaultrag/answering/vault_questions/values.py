"""What a question says of a property's value: "status done", «оценка выше 4», "more than 300 pages", "five stars"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from vaultrag.answering.vault_questions import words as said
from vaultrag.answering.vault_questions.cursor import Cursor
from vaultrag.answering.vault_questions.terms import Match, TermKind, question_words
from vaultrag.domain import Filter, FilterKind
from vaultrag.store.notes.vocabulary import PropertyUse, VaultVocabulary

Condition: TypeAlias = tuple[Filter, int]
"""A condition, and the word behind what says it."""
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?(?![\w.-])")
_LEAD = re.compile(rf"[ ,:=-]+(?:{said.IS})?")


def compared(cursor: Cursor, vocabulary: VaultVocabulary, at: int, *, needs_value: bool) -> Condition | None:
    """Read a property with what its value must be; where that is not needed, that it is there is enough."""
    for found, use in _properties(cursor, vocabulary, at):
        value = _value(cursor, use, found)
        if value or not needs_value:
            return value or (Filter(FilterKind.PROPERTY, None, name=use.name), found.after)
    return None


def measured(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> Condition | None:
    """ "More than 300 pages", «меньше 60 минут»: the property comes last."""
    sign, place = _sign(cursor, cursor.words[at].start)
    number = _NUMBER.match(cursor.text, place)
    for found, use in _properties(cursor, vocabulary, cursor.after(number.end())) if number else ():
        if number and use.has_numbers:
            return Filter(FilterKind.PROPERTY, number.group(), name=use.name, compare=sign), found.after
    return None


def starred(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> Condition | None:
    """ "Five stars", «на 5 баллов»: whatever the property is called that rates."""
    match = cursor.says(said.STARS, at)
    for use in vocabulary.properties.values() if match else ():
        if match and use.has_numbers and any(said.RATING in word.keys for word in question_words(use.name)):
            number = match["stars"]
            value = number if number.isdigit() else str(said.NUMBERS[number])
            return Filter(FilterKind.PROPERTY, value, name=use.name), cursor.after(match.end())
    return None


def of_files(cursor: Cursor, at: int) -> Condition | None:
    """Canvases, bases, PDFs: by the ends of their names."""
    for ending, words in said.FILES:
        if match := cursor.says(words, at):
            return Filter(FilterKind.PATH, ending), cursor.after(match.end())
    return None


def _properties(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> Iterator[tuple[Match, PropertyUse]]:
    for found in cursor.matches(at, TermKind.PROPERTY):
        yield found, vocabulary.properties[found.term.key]


def _value(cursor: Cursor, use: PropertyUse, found: Match) -> Condition | None:
    lead = _LEAD.match(cursor.text, cursor.words[found.after - 1].end)
    if lead is None:
        return None
    sign, place = _sign(cursor, lead.end())
    number = _NUMBER.match(cursor.text, place)
    if number and (use.has_numbers or use.has_days):
        wanted = Filter(FilterKind.PROPERTY, number.group(), name=use.name, compare=sign)
        return wanted, cursor.after(number.end())
    for value in () if sign else cursor.matches(cursor.word_at(place), TermKind.VALUE, parts=True):
        if value.term.key == use.name:
            return Filter(FilterKind.PROPERTY, value.term.name, name=use.name), value.after
    return None


def _sign(cursor: Cursor, place: int) -> tuple[str, int]:
    """Return the comparison that is said at a place of the text, and the place behind it."""
    for sign, words in said.SIGNS:
        if match := re.compile(rf"(?:{words})(?: чем| than)? ?(?![^\W\d])").match(cursor.text, place):
            return sign, match.end()
    return "", place
