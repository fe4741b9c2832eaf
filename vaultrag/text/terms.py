"""What the keyword index holds of a text, and what a question asks for: stems, dates and numbers of one spelling.

«5 января 2024», 05.01.2024 and the note's name 2024-01-05 share a term; so do «1 500 ₽» and 1500.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from vaultrag.text.dates import asked_by_date, find_dates, terms_of_date
from vaultrag.text.language import Token, content_tokens, stems, tokens
from vaultrag.text.morphology import Term, distinct_terms, term_of
from vaultrag.text.numbers import find_numbers

Placed = TypeVar("Placed", "Spelled", Token)


class Spelled(NamedTuple):
    """A word, a date or a number of a text, `end` exclusive, and the terms that stand for it, the most exact first."""

    start: int
    end: int
    terms: tuple[str, ...]


def index_terms(text: str) -> list[str]:
    """Return the stem of each token, in order, and then the terms of dates and numbers that are not among them."""
    found = stems(text)
    dates = _dates_of_text(text)
    more = [term for part in (*dates, *_numbers(text, dates)) for term in part.terms]
    return found + list(dict.fromkeys(term for term in more if term not in found)) if more else found


def question_terms(text: str) -> list[Term]:
    """Return what a question is looked up by: each date, number and word once, in all its forms.

    These are all its words where there are only function words.
    """
    return distinct_terms(part.terms for part in question_parts(text))


def question_parts(text: str) -> list[Spelled]:
    """Return the dates, the numbers and the words with meaning that a question asks for, in its order.

    What a date is written with are no words beside it; the groups of a number are: `46 374` is rare by both.
    """
    found = tokens(text)
    dates = _dates_of_question(text, found)
    whole = sorted((*dates, *_spelled(_numbers(text, dates), found)))
    words = _outside(dates, without_initials(text, content_tokens(text))) or ([] if whole else found)
    forms = (Spelled(token.start, token.end, term_of(token.text, token.stem)) for token in words)
    return sorted((*whole, *forms))


def text_parts(text: str) -> list[Spelled]:
    """Return the dates, the numbers and all the words of a text, in its order, with the terms it is found by."""
    found = tokens(text)
    dates = _dates_of_text(text)
    whole = sorted((*dates, *_spelled(_numbers(text, dates), found)))
    starts = [date.start for date in dates]
    apart = (token for token in _outside(whole, found) if not _holds_date(token, dates, starts))
    return sorted((*whole, *(Spelled(token.start, token.end, (token.stem,)) for token in apart)))


def without_initials(text: str, found: Sequence[Placed]) -> list[Placed]:
    """Leave out single letters that stand within a longer one of these: the C of `C++` is another language."""
    inside: set[int] = set()
    end = 0
    for part in sorted(found, key=lambda part: (part.start, -part.end)):
        if part.end - part.start == 1 and part.start < end and text[part.start].isalpha():
            inside.add(part.start)
        end = max(end, part.end)
    return [part for part in found if part.end - part.start > 1 or part.start not in inside]


def _holds_date(token: Token, dates: Sequence[Spelled], starts: Sequence[int]) -> bool:
    """Tell whether a date is a part of a name such as `Встреча_05.01.2024`: the name says no more than its parts."""
    after = bisect_left(starts, token.start)
    return after < len(dates) and dates[after].end <= token.end


def _dates_of_text(text: str) -> list[Spelled]:
    return [
        Spelled(written.start, written.end, _flat(terms_of_date(day) for day in written.readings))
        for written in find_dates(text)
    ]


def _dates_of_question(text: str, found: Sequence[Token]) -> list[Spelled]:
    """A month without its day is asked for by its name, too: a heading may name the month alone."""
    parts: list[Spelled] = []
    for written in find_dates(text):
        terms = _flat(asked_by_date(day) for day in written.readings)
        if not written.readings[0].day:
            terms += tuple(t.stem for t in found if written.start <= t.start < written.end and t.text.isalpha())
        parts.append(Spelled(written.start, written.end, terms))
    return parts


def _numbers(text: str, dates: Sequence[Spelled]) -> list[Spelled]:
    return _outside(dates, [Spelled(*number) for number in find_numbers(text)])


def _spelled(numbers: Sequence[Spelled], found: Sequence[Token]) -> list[Spelled]:
    """Give each number that is one word that word, too: `5G` is more than a 5."""
    words = {(token.start, token.end): token.stem for token in found}
    return [
        part._replace(terms=_flat(((words[part[:2]],), part.terms))) if part[:2] in words else part for part in numbers
    ]


def _outside(whole: Sequence[Spelled], placed: Iterable[Placed]) -> list[Placed]:
    """Leave out what begins inside one of the parts, which are in order and apart."""
    starts = [part.start for part in whole]
    kept: list[Placed] = []
    for item in placed:
        before = bisect_right(starts, item.start) - 1
        if before < 0 or whole[before].end <= item.start:
            kept.append(item)
    return kept


def _flat(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term for group in groups for term in group))
