"""Answers to questions about the vault itself: what the catalogue lists, each note or task at its own line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from vaultrag.answering.citations import locate
from vaultrag.answering.vault_questions.conditions import property_days
from vaultrag.answering.vault_questions.phrases import may_be_asked
from vaultrag.answering.vault_questions.plan import Aim, VaultPlan, plans
from vaultrag.answering.vault_questions.proofs import Place, Proofs, each_of, trimmed
from vaultrag.answering.vault_questions.terms import stems_said
from vaultrag.answering.vault_questions.told import counted_notes, counted_sum, said_of
from vaultrag.domain import Chunk, Citation, Filter, FilterKind, Listing
from vaultrag.retrieval.written import written
from vaultrag.store.database import Database
from vaultrag.store.notes.listed import ListedNote, ListedTask, listed_notes, listed_tasks, passages_of
from vaultrag.store.notes.property_values import days_of, leaves, number_of
from vaultrag.store.notes.vocabulary import VocabularyReader
from vaultrag.text.language import fold

MOST_LISTED = 200  # notes or tasks that are cited; all are counted
_IS_WHEN = re.compile(  # the name of a property that says when a thing was
    r"(?:start|begin|from|date|day|when|held)\w{0,4}|(?:start|begin|trip)[ _-]?dates?|начал\w{1,2}|дата|день|когда|с"
    r"|дата[ _-]начала"
)
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
        found: list[Listing] = []
        for planned in plans(question, vocabulary.read(stems_said(question)), today):
            found += filter(None, [listing_of(planned, database, scope)])
            if found and found[-1].count:
                return found[-1]
        return found[0] if found else None


def listing_of(planned: VaultPlan, database: Database, scope: Sequence[Filter] = ()) -> Listing | None:
    """Return what a plan lists; None where it guessed at words and nothing says them."""
    filters = (*planned.filters, *scope)
    places: list[Place]
    if planned.of_tasks:
        tasks = listed_tasks(database, filters)
        count, places = len(tasks), list(_task_places(database, tasks[:MOST_LISTED]))
    else:
        held = listed_notes(database, filters)
        if not held:
            planned = _by_own_days(planned, scope, database)
            held = listed_notes(database, (*planned.filters, *scope))
        planned = _with_order(planned, held)
        notes = _ordered(planned, held)
        if planned.aim is Aim.SUM:
            return _summed(planned, database, notes)
        count, places = len(notes), list(_note_places(database, planned, notes[:MOST_LISTED]))
    if not count and (not planned.sure or any(one.kind in _GUESSED for one in each_of(planned.filters))):
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
    places = list(_note_places(database, planned, notes[:MOST_LISTED]))
    return _listing(planned, counted_sum(planned, sum(numbers), len(notes)), len(notes), places)


def _listing(planned: VaultPlan, counted: str, count: int, places: Sequence[Place]) -> Listing:
    citations = tuple(
        Citation(
            number, chunk.path, chunk.heading_path, chunk.block_id, locate(chunk, start, end), quote, "verbatim", 1.0
        )
        for number, (chunk, start, end) in enumerate(places, start=1)
        for quote in [chunk.text[start:end]]
    )
    return Listing(written(planned.filters), said_of(planned), counted, count, citations, planned.sure)


def _by_own_days(planned: VaultPlan, scope: Sequence[Filter], database: Database) -> VaultPlan:
    """Return a plan that found nothing with its times read as the own days of undated notes: trips by their beginning.

    It is a guess where the property may mean another day than that on which it was, or where they have none at all;
    the plan as it is where all such notes have dates.
    """
    times = [one for one in planned.filters if one in _by_date([one])]
    rest = [one for one in planned.filters if one not in times]
    held = listed_notes(database, (*rest, *scope)) if times and rest else []
    undated = [note for note in held if not note.date]
    if not undated:
        return planned
    names = _day_names(undated)
    name = next(filter(_IS_WHEN.fullmatch, names), names[0] if names else "")
    if not name:
        return replace(planned, sure=False)
    own = [_with_own_days(one, name) for one in times]
    return replace(planned, filters=(*rest, *own), sure=planned.sure and bool(_IS_WHEN.fullmatch(name)))


def _by_date(filters: Sequence[Filter]) -> list[Filter]:
    return [one for one in filters if all(each.kind is FilterKind.DATE for each in each_of([one]))]


def _with_own_days(time: Filter, name: str) -> Filter:
    if time.any_of:
        return replace(time, any_of=tuple(_with_own_days(one, name) for one in time.any_of))
    return replace(property_days(name, time.first_day, time.end_day), excluded=time.excluded)


def _day_names(notes: Sequence[ListedNote]) -> list[str]:
    """Return the properties of notes that hold days, those of most notes first."""
    days = Counter(name for note in notes for name, held in leaves(dict(note.properties)) if days_of(held))
    return [name for name, _ in days.most_common()]


def _with_order(planned: VaultPlan, notes: Sequence[ListedNote]) -> VaultPlan:
    """Order notes without dates by the property of days that most of them have: trips by their beginning."""
    if planned.aim not in (Aim.LATEST, Aim.EARLIEST) or planned.by or any(note.date for note in notes):
        return planned
    names = _day_names(notes)
    return replace(planned, by=names[0]) if names else planned


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


def _task_places(database: Database, tasks: Sequence[ListedTask]) -> Iterator[Place]:
    """Yield each task's own line."""
    passages = passages_of(database, [task.note for task in tasks])
    for task in tasks:
        for stored in passages.get(task.note.note_id, ()):
            if place := _line(stored.chunk, task.line):
                yield place
                break


def _note_places(database: Database, planned: VaultPlan, notes: Sequence[ListedNote]) -> Iterator[Place]:
    """Yield the line of each note that shows why it is listed."""
    is_by_day = planned.aim in (Aim.LATEST, Aim.EARLIEST) and not planned.by
    proofs = Proofs([Filter(FilterKind.DATE)] * is_by_day + [*planned.filters], planned.by)
    passages = passages_of(database, notes)
    for note in notes:
        if found := proofs.place_in(note, [stored.chunk for stored in passages.get(note.note_id, ())]):
            yield found


def _line(chunk: Chunk, number: int) -> Place | None:
    """Return a line of a note in a passage that holds it."""
    if not chunk.span.first_line <= number <= chunk.span.last_line:
        return None
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", chunk.text))]
    index = number - chunk.span.first_line
    if index >= len(starts):
        return None
    match = re.compile(r"[^\r\n]*").match(chunk.text, starts[index])
    return trimmed(chunk, *match.span()) if match and match.group().strip() else None
