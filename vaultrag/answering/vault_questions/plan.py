"""A question about the vault itself, turned into filters over its catalogue; every word of it must be accounted for.

What is left over makes it a question of content, and those are the search's: a wrong list is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from vaultrag.answering.vault_questions import words as said
from vaultrag.answering.vault_questions.conditions import (
    YEAR_BEGINS,
    day_properties,
    days,
    done_values,
    either,
    property_days,
    without_implied,
)
from vaultrag.answering.vault_questions.cursor import Cursor
from vaultrag.answering.vault_questions.kinds import YEAR
from vaultrag.answering.vault_questions.phrases import Phrase, begins_asking, phrases_of
from vaultrag.answering.vault_questions.reading import QuestionReading
from vaultrag.answering.vault_questions.terms import VaultTerms, question_words
from vaultrag.domain import Filter, FilterKind, TaskState
from vaultrag.store.notes.vocabulary import VaultVocabulary
from vaultrag.text.language import language_of
from vaultrag.text.times.calendar import ChooseYear, latest_year_of, next_year_of
from vaultrag.text.times.periods import Period, periods_of

MOST_PERIODS = 2
SOME = 5  # of «последние заметки», where no number is said


class Aim(StrEnum):
    """What is wanted of the notes that are found."""

    LIST = "list"
    LATEST = "latest"
    EARLIEST = "earliest"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class VaultPlan:
    """What a question about the vault asks the catalogue for.

    `of_tasks` where tasks are listed and not notes. `limit` is how many of the latest or earliest are wanted, by the
    property `by`, or by the notes' dates where it is empty; with SUM its values are summed. Not `sure` where the
    question may have meant something else.
    """

    filters: tuple[Filter, ...]
    aim: Aim = Aim.LIST
    of_tasks: bool = False
    limit: int = 0
    by: str = ""
    language: str = "en"
    sure: bool = True


def plans(question: str, vocabulary: VaultVocabulary, today: date) -> Iterator[VaultPlan]:
    """Yield what a question may ask the catalogue for, the likeliest first; nothing for a question of content.

    A year may be that of the property, "films of 2021"; a month may be one to come, «экзамены в январе».
    """
    likely = plan(question, vocabulary, today)
    if likely is None:
        return
    yield from filter(None, (_by_year(likely, vocabulary), likely))
    coming = plan(question, vocabulary, today, next_year_of)
    if coming and coming != likely:
        yield coming


def plan(
    question: str, vocabulary: VaultVocabulary, today: date, choose: ChooseYear = latest_year_of
) -> VaultPlan | None:
    """Return the likeliest of what a question asks the catalogue for; None for a question of content.

    `choose` says which year a time without one is of, where the question leaves that open.
    """
    phrases = phrases_of(question)
    opening = begins_asking(question, phrases)
    periods = periods_of(question, today, choose)
    if len(periods) > MOST_PERIODS:
        return None
    apart = [one for one in phrases if not any(p.start < one.end and one.start < p.end for p in periods)]
    cursor = Cursor(question, VaultTerms(vocabulary), apart)
    for period in periods:
        cursor.take(period)
    reading = QuestionReading(cursor, vocabulary, opening)
    if not reading.read():
        return None
    if reading.is_of_tasks and not reading.has(Phrase.DONE):  # what is due in May is due in the next one
        periods = periods_of(question, today, next_year_of)
    return _planned(reading, periods, today)


def _planned(reading: QuestionReading, periods: Sequence[Period], today: date) -> VaultPlan | None:
    """Return the plan of a question whose words are all accounted for, if it is one that asks for notes."""
    aim = _aim(reading)
    filters = _of_tasks(reading, periods, today) if reading.is_of_tasks else _of_notes(reading, periods)
    if aim is None or filters is None or not _asks(reading, periods, filters):
        return None
    return VaultPlan(
        filters=tuple(without_implied(filters)),
        aim=aim,
        of_tasks=reading.is_of_tasks,
        limit=_limit(reading) if aim in (Aim.LATEST, Aim.EARLIEST) else 0,
        by=reading.by,
        language=language_of(reading.cursor.question) or "en",
        sure=not (reading.unsure or reading.has(Phrase.WHAT_DONE, Phrase.WHO)),
    )


def _asks(reading: QuestionReading, periods: Sequence[Period], filters: Sequence[Filter]) -> bool:
    """Tell whether enough is said: what is asked for, and which of it. A few bare words may be a search."""
    is_written = bool(periods) and reading.has(Phrase.WHAT_WRITTEN, Phrase.WHAT_DONE)
    is_done = bool(periods) and bool(reading.action) and not reading.unsure
    if not (reading.has_subject or reading.is_structural or is_written or is_done):
        return False
    if reading.opening is None or reading.opening.phrase is Phrase.GENERIC:
        is_exact = bool(reading.is_structural or periods or reading.by) and not reading.unsure
        return is_exact and len(filters) + bool(reading.by) > (reading.opening is None)
    return bool(filters) or reading.asks_for(Phrase.COUNT, Phrase.ALL, *_ORDERING)


def _aim(reading: QuestionReading) -> Aim | None:
    if reading.asks_for(Phrase.LATEST, Phrase.HIGHEST):
        return Aim.LATEST
    if reading.asks_for(Phrase.EARLIEST, Phrase.LOWEST):
        return Aim.EARLIEST
    if reading.asks_for(Phrase.COUNT):
        return Aim.SUM if reading.is_sum else Aim.LIST
    return None if reading.opening and reading.opening.phrase is Phrase.WHEN else Aim.LIST


def _limit(reading: QuestionReading) -> int:
    """«Последние пять»: as many; «последние встречи», "latest meetings": some; «последняя встреча»: one."""
    phrase = next(one for one in reading.used if one.phrase in _ORDERING)
    after = reading.cursor.after(phrase.end)
    follows = reading.cursor.words[after].text if after < len(reading.cursor.words) else ""
    if follows.isdecimal():  # "²" and "①" are digits as well, which are read as no number
        return int(follows)
    if follows in said.NUMBERS:
        return said.NUMBERS[follows]
    is_plural = phrase.text.endswith(("ие", "ые", "их", "ых")) or (follows.isascii() and follows.endswith("s"))
    return SOME if is_plural and phrase.phrase in (Phrase.LATEST, Phrase.EARLIEST) else 1


def _of_tasks(reading: QuestionReading, periods: Sequence[Period], today: date) -> list[Filter]:
    """Tasks that nothing else is said of are the open ones."""
    states = [state for phrase, state in _STATES.items() if reading.has(phrase)]
    state = states[0] if states else "any" if reading.has(Phrase.ALL) else TaskState.OPEN
    filters = [Filter(FilterKind.TASK, TaskState.OPEN if reading.has(Phrase.OVERDUE) else state)]
    if reading.has(Phrase.OVERDUE):
        filters.append(Filter(FilterKind.TASK_DAY, name="due", end_day=today.isoformat()))
    elif reading.has(Phrase.DUE) and not periods:
        filters.append(Filter(FilterKind.TASK_DAY, name="due"))
    wanted = "done" if state == TaskState.DONE else "due"
    has_days = wanted in reading.vocabulary.task_days or reading.has(Phrase.DUE)
    reading.unsure |= bool(periods) and not has_days
    kind = FilterKind.TASK_DAY if has_days else FilterKind.DATE
    return [*filters, *reading.filters, *either(days(kind, one, wanted if has_days else "") for one in periods)]


def _of_notes(reading: QuestionReading, periods: Sequence[Period]) -> list[Filter] | None:
    """Return the filters with those that verbs and times come to; None where the vault does not say what is done."""
    if reading.dated_by and periods:
        return [
            *reading.filters,
            *either(property_days(reading.dated_by, one.first_day, one.end_day) for one in periods),
        ]
    dated = either(days(FilterKind.DATE, period) for period in periods)
    if not reading.action:
        return [*reading.filters, *dated]
    actions = [reading.action]
    if reading.kinds and reading.action in said.DONE_TOO:
        actions.append(said.DONE_TOO[reading.action])
    uses = next((found for action in actions if (found := day_properties(action, reading.vocabulary))), [])
    stated = [one for action in actions for one in done_values(action, reading.vocabulary)]
    has_day = [Filter(FilterKind.PROPERTY, None, name=use.name) for use in uses]
    if reading.is_negated:
        excluded = [replace(one, excluded=True) for one in (*stated, *has_day)]
        reading.is_structural |= bool(excluded) and reading.kinds > 0
        return [*reading.filters, *excluded] if excluded and not periods else None
    if periods and uses:
        return [
            *reading.filters,
            *either(property_days(use.name, one.first_day, one.end_day) for use in uses for one in periods),
        ]
    reading.unsure |= bool(periods) or not (stated or has_day)
    return [*reading.filters, *either((*stated, *has_day)), *dated]


def _by_year(planned: VaultPlan, vocabulary: VaultVocabulary) -> VaultPlan | None:
    """Return a plan whose whole years are those of a property; None where it has none or the vault no such property."""
    uses = [use for use in vocabulary.properties.values() if any(YEAR in w.keys for w in question_words(use.name))]
    whole = [one for one in planned.filters if one.kind is FilterKind.DATE and _is_of_years(one)]
    if not uses or not whole or planned.of_tasks:
        return None
    filters: list[Filter] = [one for one in planned.filters if one not in whole]
    for one in whole:
        filters += either(property_days(use.name, one.first_day, one.end_day) for use in uses)
    return replace(planned, filters=tuple(filters))


def _is_of_years(wanted: Filter) -> bool:
    return all(day.endswith(YEAR_BEGINS) for day in (wanted.first_day, wanted.end_day) if day)


_ORDERING = (Phrase.LATEST, Phrase.EARLIEST, Phrase.HIGHEST, Phrase.LOWEST)
_STATES = {Phrase.OPEN: TaskState.OPEN, Phrase.DONE: TaskState.DONE, Phrase.CANCELLED: TaskState.CANCELLED}
