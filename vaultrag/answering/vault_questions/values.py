"""What a question says of a property's value: "status done", «оценка выше 4», "more than 300 pages", "five stars"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from vaultrag.answering.vault_questions import words as said
from vaultrag.answering.vault_questions.conditions import either
from vaultrag.answering.vault_questions.cursor import Cursor
from vaultrag.answering.vault_questions.kinds import BIRTHDAY, RATING
from vaultrag.answering.vault_questions.terms import TermKind, question_words
from vaultrag.domain import Filter, FilterKind
from vaultrag.store.notes.vocabulary import PropertyUse, VaultVocabulary

Condition: TypeAlias = tuple[Filter, int]
"""A condition, and the word behind what says it."""
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?(?![\w.-])")
_LEAD = re.compile(rf"[ ,:=-]+(?:{said.IS})?")
_TO = re.compile(r"(?:(?:to|by|for|from|at|in|with|на|у|за|от|для|с|в) )?")  # "assigned to Ilze"


def properties(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> Iterator[tuple[PropertyUse, int]]:
    """Yield the properties that the question names from a word on, each with the word behind its name."""
    for found in cursor.matches(at, TermKind.PROPERTY):
        yield vocabulary.properties[found.term.key], found.after


def compared(cursor: Cursor, vocabulary: VaultVocabulary, at: int, *, needs_value: bool) -> Condition | None:
    """Read a property with what its value must be; where that is not needed, that it is there is enough."""
    for use, after in properties(cursor, vocabulary, at):
        value = _value(cursor, use, after)
        if value or not needs_value:
            return value or (Filter(FilterKind.PROPERTY, None, name=use.name), after)
    return None


def true_of(cursor: Cursor, vocabulary: VaultVocabulary, at: int, *, said_not: str = "") -> Condition | None:
    """Read a property that is ticked or not: "paid invoices", «неоплаченные счета»; `said_not` stands before it."""
    found, is_negated = cursor.named(at)
    for match in found:
        use = vocabulary.properties[match.term.key]
        if use.has_truths:
            value = "false" if bool(said_not) is not is_negated else "true"
            return Filter(FilterKind.PROPERTY, value, name=use.name), match.after
    return None


def measured(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> Condition | None:
    """ "More than 300 pages", «меньше 60 минут»: the property comes last."""
    start = cursor.words[at].start
    sign, place = _sign(cursor, start)
    number = _NUMBER.match(cursor.text, place)
    if number is None:
        return None
    at = cursor.after(number.end())
    uses = [(use, after) for use, after in properties(cursor, vocabulary, at) if use.has_numbers][:1]
    uses = uses or list(_measured_so(cursor, vocabulary, at))
    if not uses and (name := implied(cursor.text[start : number.start()], vocabulary)):
        uses = [(use, at) for use in vocabulary.properties.values() if use.name == name]
    if not uses:
        return None
    reach, end = _reach(cursor, cursor.words[uses[0][1] - 1].end)
    held = [Filter(FilterKind.PROPERTY, number.group(), name=use.name, compare=sign or reach) for use, _ in uses]
    return either(held)[0], max(uses[0][1], cursor.after(end))


def _measured_so(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> Iterator[tuple[PropertyUse, int]]:
    """Yield the properties whose numbers are of the unit that a word names: minutes are of a duration."""
    for meaning, words in said.UNITS if at < len(cursor.words) else ():
        if match := cursor.says(words, at):
            yield from ((use, cursor.after(match.end())) for use in _meaning(meaning, vocabulary))


def _meaning(meaning: str, vocabulary: VaultVocabulary) -> Iterator[PropertyUse]:
    """Yield the properties of numbers that are called so, in either language."""
    for use in vocabulary.properties.values():
        if use.has_numbers and any(meaning in word.keys for word in question_words(use.name)):
            yield use


def starred(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> Condition | None:
    """ "Five stars", «на 5 баллов»: whatever the property is called that rates."""
    match = cursor.says(said.STARS, at)
    if match is None:
        return None
    number = match["stars"]
    value = number if number.isdigit() else str(said.NUMBERS[number])
    rated = [Filter(FilterKind.PROPERTY, value, name=use.name) for use in _meaning(RATING, vocabulary)]
    return (either(rated)[0], cursor.after(match.end())) if rated else None


def dated(cursor: Cursor, vocabulary: VaultVocabulary, at: int) -> tuple[str, int]:
    """Read the name of a property of days that come once, and the word behind it; 0 where none is named."""
    for use, after in properties(cursor, vocabulary, at):
        if use.has_days and not any(BIRTHDAY in word.keys for word in question_words(use.name)):
            return use.name, after
    return "", 0


def implied(comparing: str, vocabulary: VaultVocabulary) -> str:
    """Return the property that a word compares by what it means; empty where the vault has none such."""
    for meaning, words in said.IMPLIED:
        if re.search(words, comparing):
            return next((use.name for use in _meaning(meaning, vocabulary)), "")
    return ""


def of_files(cursor: Cursor, at: int) -> Condition | None:
    """Canvases, bases, PDFs: by the ends of their names."""
    for ending, words in said.FILES:
        if match := cursor.says(words, at):
            return Filter(FilterKind.PATH, ending), cursor.after(match.end())
    return None


def _value(cursor: Cursor, use: PropertyUse, after: int) -> Condition | None:
    lead = _LEAD.match(cursor.text, cursor.words[after - 1].end)
    if lead is None:
        return None
    sign, place = _sign(cursor, lead.end())
    number = None if cursor.is_taken(place) else _NUMBER.match(cursor.text, place)  # "hired in 2025": a time
    if number and (use.has_numbers or use.has_days):
        reach, end = _reach(cursor, number.end())
        wanted = Filter(FilterKind.PROPERTY, number.group(), name=use.name, compare=sign or reach)
        return wanted, cursor.after(end)
    to = _TO.match(cursor.text, place)
    at = cursor.word_at(to.end() if to else place)
    for value in () if sign else cursor.matches(at, TermKind.VALUE, parts=True):
        if value.term.key == use.name:
            return Filter(FilterKind.PROPERTY, value.term.name, name=use.name), value.after
    return None


def _sign(cursor: Cursor, place: int) -> tuple[str, int]:
    """Return the comparison that is said at a place of the text, and the place behind it."""
    for sign, words in said.SIGNS:
        if match := re.compile(rf"(?:{words})(?: чем| than)? ?(?![^\W\d])").match(cursor.text, place):
            return sign, match.end()
    return "", place


def _reach(cursor: Cursor, place: int) -> tuple[str, int]:
    """Return the comparison that is said behind a number, «и выше», and the place behind it."""
    for sign, words in said.REACHES:
        if match := re.compile(rf"{words}(?!\w)").match(cursor.text, place):
            return sign, match.end()
    return "", place
