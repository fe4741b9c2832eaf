"""Answers to questions about the vault itself: what the catalogue lists, each note or task at its own line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeAlias

from vaultrag.answering.citations import locate
from vaultrag.answering.vault_questions.phrases import may_be_asked
from vaultrag.answering.vault_questions.plan import Aim, VaultPlan, plan
from vaultrag.answering.vault_questions.terms import stems_said
from vaultrag.answering.vault_questions.told import counted_notes, counted_sum, said_of
from vaultrag.domain import Chunk, Citation, Feature, Filter, FilterKind, Listing
from vaultrag.retrieval.written import written
from vaultrag.store.database import Database
from vaultrag.store.notes.listed import ListedNote, ListedTask, listed_notes, listed_tasks, passages_of
from vaultrag.store.notes.property_values import days_of, leaves, number_of
from vaultrag.store.notes.vocabulary import VocabularyReader
from vaultrag.text.language import fold
from vaultrag.text.morphology import Term, count_terms
from vaultrag.text.terms import index_terms, question_terms

MOST_LISTED = 200  # notes or tasks that are cited; all are counted
_Place: TypeAlias = tuple[Chunk, int, int]
"""A stretch of a passage's text, the end exclusive."""
_LINE = re.compile(r"[^\r\n]+")
_GUESSED = frozenset({FilterKind.SAYS, FilterKind.LINK, FilterKind.TITLE})


def answer_from_catalogue(
    question: str, vocabulary: VocabularyReader, today: date, scope: Sequence[Filter] = ()
) -> Listing | None:
    """Return what the catalogue lists for a question about the vault itself; None for a question of content.

    Where the listing is not `sure`, the question may have meant something else, and is to be answered as usual, too.
    No model is asked, and nothing is read but the index. `scope` are filters that hold besides.
    """
    if not may_be_asked(question):
        return None
    database = vocabulary.database
    with database.snapshot():
        planned = plan(question, vocabulary.read(stems_said(question)), today)
        return listing_of(planned, database, scope) if planned else None


def listing_of(planned: VaultPlan, database: Database, scope: Sequence[Filter] = ()) -> Listing | None:
    """Return what a plan lists; None where it guessed at words and nothing says them."""
    filters = (*planned.filters, *scope)
    places: list[_Place]
    if planned.of_tasks:
        tasks = listed_tasks(database, filters)
        count, places = len(tasks), list(_task_places(database, tasks[:MOST_LISTED]))
    else:
        notes = _ordered(planned, listed_notes(database, filters))
        if planned.aim is Aim.SUM:
            return _summed(planned, database, notes)
        count, places = len(notes), list(_note_places(database, notes[:MOST_LISTED], planned.filters, planned.by))
    if not count and (not planned.sure or any(one.kind in _GUESSED for one in _each(planned.filters))):
        return None
    return _listing(planned, counted_notes(planned, count, len(places)), count, places)


def _summed(planned: VaultPlan, database: Database, notes: Sequence[ListedNote]) -> Listing | None:
    key = fold(planned.by)
    numbers = [
        number
        for note in notes
        for name, value in leaves(dict(note.properties))
        if name == key and (number := number_of(value)) is not None
    ]
    if not numbers:
        return None
    places = list(_note_places(database, notes[:MOST_LISTED], (), planned.by))
    return _listing(planned, counted_sum(planned, sum(numbers), len(notes)), len(notes), places)


def _listing(planned: VaultPlan, counted: str, count: int, places: Sequence[_Place]) -> Listing:
    citations = tuple(
        Citation(
            number, chunk.path, chunk.heading_path, chunk.block_id, locate(chunk, start, end), quote, "verbatim", 1.0
        )
        for number, (chunk, start, end) in enumerate(places, start=1)
        for quote in [chunk.text[start:end]]
    )
    return Listing(written(planned.filters), said_of(planned), counted, count, citations, planned.sure)


def _ordered(planned: VaultPlan, notes: Sequence[ListedNote]) -> list[ListedNote]:
    """Put notes in order: the latest or the earliest first, and no more than are wanted; else by their dates."""
    if planned.aim not in (Aim.LATEST, Aim.EARLIEST):
        return sorted(notes, key=lambda note: (not note.date, note.date, note.path))
    valued = [(value, note) for note in notes if (value := _value(note, planned.by)) is not None]
    ordered = sorted(valued, key=lambda pair: pair[0], reverse=planned.aim is Aim.LATEST)
    last = ordered[planned.limit - 1][0] if 0 < planned.limit < len(ordered) else None
    kept = [
        note for place, (value, note) in enumerate(ordered) if last is None or place < planned.limit or value == last
    ]
    return kept if planned.by else kept[: planned.limit]


def _value(note: ListedNote, by: str) -> tuple[float, str] | None:
    """Return what a note is ordered by: a property's number or day, or the note's date."""
    if not by:
        return (0.0, note.date) if note.date else None
    for name, held in leaves(dict(note.properties)):
        if name == fold(by):
            number, days = number_of(held), days_of(held)
            if number is not None or days:
                return (number or 0.0, "" if number is not None else days[1] if days else "")
    return None


def _task_places(database: Database, tasks: Sequence[ListedTask]) -> Iterator[_Place]:
    """Yield each task's own line."""
    passages = passages_of(database, [task.note for task in tasks])
    for task in tasks:
        for stored in passages.get(task.note.note_id, ()):
            if place := _line(stored.chunk, task.line):
                yield place
                break


def _note_places(
    database: Database, notes: Sequence[ListedNote], filters: Sequence[Filter], by: str
) -> Iterator[_Place]:
    """Yield the line of each note that shows why it is listed: a property's, a tag's; else its first one."""
    named = [re.escape(one.name) for one in _each(filters) if one.kind is FilterKind.PROPERTY and not one.excluded]
    keys = [*([re.escape(by)] if by else []), *named]
    tags = [re.escape(one.value or "") for one in _each(filters) if one.kind is FilterKind.TAG and not one.excluded]
    links = [re.escape((one.value or "").rpartition("/")[2]) for one in _each(filters) if one.kind is FilterKind.LINK]
    shows = [
        *(re.compile(rf"^[ \t>*-]*[\"'\[(]*{key}[\"']?\s*::?[^\r\n]*", re.IGNORECASE | re.MULTILINE) for key in keys),
        *(re.compile(rf"^[^\r\n]*#{tag}(?![\w-])[^\r\n]*", re.IGNORECASE | re.MULTILINE) for tag in tags),
        *(re.compile(rf"^[^\r\n]*\[\[[^\[\]\r\n]*{link}[^\r\n]*", re.IGNORECASE | re.MULTILINE) for link in links),
    ]
    words = [question_terms(one.value or "") for one in _each(filters) if one.kind is FilterKind.SAYS]
    passages = passages_of(database, notes)
    for note in notes:
        chunks = [stored.chunk for stored in passages.get(note.note_id, ())]
        found = _first_shown(chunks, shows) or _first_saying(chunks, words) or _first_line(chunks)
        if found:
            yield found


def _first_shown(chunks: Sequence[Chunk], shows: Sequence[re.Pattern[str]]) -> _Place | None:
    for pattern in shows:
        for chunk in chunks:
            match = pattern.search(chunk.text)
            if match and match.group().strip():
                return _trimmed(chunk, *match.span())
    return None


def _first_saying(chunks: Sequence[Chunk], words: Sequence[Sequence[Term]]) -> _Place | None:
    """Return the first line that says all of some words."""
    for chunk in chunks if words else ():
        for match in _LINE.finditer(chunk.text):
            stems = index_terms(match.group())
            if any(terms and count_terms(terms, stems) == len(terms) for terms in words):
                return _trimmed(chunk, *match.span())
    return None


def _first_line(chunks: Sequence[Chunk]) -> _Place | None:
    """Return a note's first line with words, its own text's before its properties'."""
    ordered = sorted(chunks, key=lambda chunk: Feature.PROPERTY in chunk.features)
    for chunk in ordered:
        for match in _LINE.finditer(chunk.text):
            if re.search(r"\w", match.group()):
                return _trimmed(chunk, *match.span())
    return None


def _line(chunk: Chunk, number: int) -> _Place | None:
    """Return a line of a note in a passage that holds it."""
    if not chunk.span.first_line <= number <= chunk.span.last_line:
        return None
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", chunk.text))]
    index = number - chunk.span.first_line
    if index >= len(starts):
        return None
    match = re.compile(r"[^\r\n]*").match(chunk.text, starts[index])
    return _trimmed(chunk, *match.span()) if match and match.group().strip() else None


def _trimmed(chunk: Chunk, start: int, end: int) -> _Place:
    text = chunk.text[start:end]
    return chunk, start + len(text) - len(text.lstrip()), end - (len(text) - len(text.rstrip()))


def _each(filters: Sequence[Filter]) -> Iterator[Filter]:
    for one in filters:
        yield from _each(one.any_of) if one.any_of else (one,)
