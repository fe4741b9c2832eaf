"""The line of a note that shows why it is listed: the property, tag, link, word or day that was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from vaultrag.answering.vault_questions.kinds import TYPE
from vaultrag.answering.vault_questions.terms import question_words
from vaultrag.domain import Chunk, Feature, Filter, FilterKind
from vaultrag.store.notes.listed import ListedNote
from vaultrag.store.notes.property_values import holds_property, leaves, shown
from vaultrag.text.dates import find_date
from vaultrag.text.language import fold
from vaultrag.text.morphology import count_terms
from vaultrag.text.terms import index_terms, question_terms

Place: TypeAlias = tuple[Chunk, int, int]
"""A stretch of a passage's text, the end exclusive."""
_LINE = re.compile(r"[^\r\n]+")
_KEY = re.compile(
    r"^[ \t>*-]*+[\"'\[(]*+(?P<key>[^\s:][^:\r\n]{0,99}?)[\"']?[ \t]*+::?(?P<value>[^\r\n]*)", re.MULTILINE
)
_MEMBER = re.compile(r"[ \t][^\r\n]*|-[ \t][^\r\n]*")  # a line that goes on with a property's value
_GENERAL = (FilterKind.PATH, FilterKind.SPEAKER, FilterKind.TITLE)  # no line of the note shows them


class Proofs:
    """Finds the lines that show what was asked for; what tells these notes apart comes before their kind."""

    def __init__(self, filters: Sequence[Filter], by: str) -> None:
        by_value = [Filter(FilterKind.PROPERTY, None, name=by)] if by else []
        alone = [one for one in filters if one.kind is not FilterKind.ANY]
        either = [one for wanted in filters for one in each_of(wanted.any_of)]
        asked = [one for one in (*alone, *either) if not one.excluded and one.kind not in _GENERAL]
        self.wanted = [*by_value, *sorted(asked, key=_is_kind)]

    def place_in(self, note: ListedNote, chunks: Sequence[Chunk]) -> Place | None:
        """Return the line that shows the most telling condition that the note meets; else its first one."""
        for wanted in self.wanted:
            if found := _shown_by(wanted, note, chunks):
                return found
        return _first_line(chunks)


def each_of(filters: Sequence[Filter]) -> Iterator[Filter]:
    """Yield filters and the alternatives of those that are some."""
    for one in filters:
        yield from each_of(one.any_of) if one.any_of else (one,)


def trimmed(chunk: Chunk, start: int, end: int) -> Place:
    """Return a stretch of a passage without the spaces around its words."""
    text = chunk.text[start:end]
    return chunk, start + len(text) - len(text.lstrip()), end - (len(text) - len(text.rstrip()))


def _is_kind(wanted: Filter) -> bool:
    return wanted.kind is FilterKind.PROPERTY and any(TYPE in word.keys for word in question_words(wanted.name))


def _shown_by(wanted: Filter, note: ListedNote, chunks: Sequence[Chunk]) -> Place | None:
    match wanted.kind:
        case FilterKind.PROPERTY:
            return _property(wanted, note, chunks)
        case FilterKind.DATE:
            return _day(note.date, chunks)
        case FilterKind.TAG:
            return _tag(wanted.value or "", chunks)
        case FilterKind.LINK:
            name = re.escape((wanted.value or "").rpartition("/")[2])
            return _first_match(chunks, rf"^[^\r\n]*\[\[[^\[\]\r\n]*{name}[^\r\n]*")
        case FilterKind.SAYS:
            return _first_saying(chunks, wanted.value or "")
        case _:
            return None


def _property(wanted: Filter, note: ListedNote, chunks: Sequence[Chunk]) -> Place | None:
    """Return a property's line, or of a list the line of the member that meets what is wanted."""
    if not holds_property(dict(note.properties), wanted):
        return _first_match(chunks, rf"^[^\r\n]*{re.escape(wanted.name)}[ \t]*::[^\r\n]*")
    name = fold(wanted.name)
    key = name.rpartition(".")[2]
    meeting = [
        fold(shown(value))
        for held, value in leaves(dict(note.properties))
        if held == name
        and holds_property({name: value}, Filter(FilterKind.PROPERTY, wanted.value, name, wanted.compare))
    ]
    for chunk, match in _keyed(chunks, (key, name)):
        return _member(chunk, match, meeting) or trimmed(chunk, *match.span())
    return None


def _tag(tag: str, chunks: Sequence[Chunk]) -> Place | None:
    """Return the line of the text that holds a tag, else its place among the properties where a passage has that."""
    if found := _first_match(chunks, rf"^[^\r\n]*#{re.escape(tag)}(?![\w-])[^\r\n]*"):
        return found
    for chunk, match in _keyed(chunks, ("tags", "tag")):
        is_here = fold(tag) in fold(match["value"])
        return trimmed(chunk, *match.span()) if is_here else _member(chunk, match, [fold(tag)])
    return None


def _keyed(chunks: Sequence[Chunk], names: Sequence[str]) -> Iterator[tuple[Chunk, re.Match[str]]]:
    """Yield the lines that begin with the name of a property."""
    for chunk in chunks:
        for match in _KEY.finditer(chunk.text):
            if fold(match["key"].strip("*_ ")) in names:
                yield chunk, match


def _member(chunk: Chunk, key: re.Match[str], values: Sequence[str]) -> Place | None:
    """Return the line below a property's name that holds one of some values."""
    if key["value"].strip():
        return None
    for line in _LINE.finditer(chunk.text, key.end()):
        if not _MEMBER.fullmatch(line.group()):
            return None
        if any(value in fold(shown(line.group())) for value in values):
            return trimmed(chunk, *line.span())
    return None


def _day(date: str, chunks: Sequence[Chunk]) -> Place | None:
    """Return the property that a note's date is from."""
    for chunk in chunks if date else ():
        for match in _KEY.finditer(chunk.text) if Feature.PROPERTY in chunk.features else ():
            if find_date(match["value"]) == date:
                return trimmed(chunk, *match.span())
    return None


def _first_match(chunks: Sequence[Chunk], expression: str) -> Place | None:
    pattern = re.compile(expression, re.IGNORECASE | re.MULTILINE)
    for chunk in chunks:
        match = pattern.search(chunk.text)
        if match and match.group().strip():
            return trimmed(chunk, *match.span())
    return None


def _first_saying(chunks: Sequence[Chunk], words: str) -> Place | None:
    """Return the first line that says all of some words."""
    terms = question_terms(words)
    for chunk in chunks if terms else ():
        for match in _LINE.finditer(chunk.text):
            if count_terms(terms, index_terms(match.group())) == len(terms):
                return trimmed(chunk, *match.span())
    return None


def _first_line(chunks: Sequence[Chunk]) -> Place | None:
    """Return a note's first line with words, its own text's before its properties'."""
    ordered = sorted(chunks, key=lambda chunk: Feature.PROPERTY in chunk.features)
    for chunk in ordered:
        for match in _LINE.finditer(chunk.text):
            if re.search(r"\w", match.group()):
                return trimmed(chunk, *match.span())
    return None
