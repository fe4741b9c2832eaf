"""Lines that say the same of one thing with other values: both sides of a dispute, found by code.

Two lines dispute when nearly all their words are shared and each names a number, a date or an identifier that the other
lacks, or one denies what the other says. Neither is preferred: both are told, with their notes and days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.answering.attribution import bag_of
from vaultrag.text.dates import find_dates
from vaultrag.text.language import fold, tokens

SHARED_WORDS = 3  # at least: «порт 80» and «порт 443» are two ports
SHARED_SHARE = 0.7  # of the words of both together: what is left tells two things apart, as the names of two servers
MOST_DISPUTES = 3  # more are a table of values and no dispute

_NEGATIONS = frozenset("не ни нет без никогда not no never none neither nor without cannot".split())
_WHEN = frozenset("когда when дата date срок deadline день day число время time".split())


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A line of a note, the note's title and day, and what the caller knows it by."""

    text: str
    title: str
    day: str
    place: int

    @property
    def told(self) -> str:
        where = ", ".join(filter(None, (self.title, self.day if self.day not in self.title else "")))
        return f"“{' '.join(self.text.split())}” ({where})"


def disputing(question: str, told: Sequence[SaidLine], lines: Sequence[SaidLine]) -> list[tuple[SaidLine, SaidLine]]:
    """Return the pairs of a line that is told and any line, where they disagree; the earlier day first."""
    about_days = any(fold(token.text) in _WHEN for token in tokens(question))
    read = {line.place: _read(line.text, about_days) for line in (*told, *lines)}
    pairs = {
        tuple(sorted((one, other), key=lambda line: (line.day, line.place)))
        for one in told
        for other in lines
        if _disagree(read[one.place], read[other.place])
    }
    found = sorted(pairs, key=lambda pair: [line.place for line in pair])
    return [(one, other) for one, other in found] if len(found) <= MOST_DISPUTES else []


def disagree(one: str, other: str, *, about_days: bool = True) -> bool:
    """Tell whether two lines say the same with other values.

    On two days the same may have happened twice: a difference of days alone counts where days are asked for.
    """
    return _disagree(_read(one, about_days), _read(other, about_days))


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a line says: words, values, and whether it denies."""

    words: frozenset[str]
    exact: frozenset[str]
    denies: bool


def _read(text: str, about_days: bool) -> _Claim:
    bag = bag_of(text)
    exact = bag.exact if about_days else bag_of(_without_dates(text)).exact
    denies = any(fold(token.text) in _NEGATIONS or fold(token.text).endswith("n't") for token in tokens(text))
    return _Claim(bag.distinct - bag.exact, exact, denies)


def _disagree(one: _Claim, other: _Claim) -> bool:
    shared = one.words & other.words
    if len(shared) < max(SHARED_WORDS, SHARED_SHARE * len(one.words | other.words)):
        return False
    if one.exact - other.exact and other.exact - one.exact:
        return True
    return one.exact == other.exact and one.words == other.words and one.denies != other.denies


def _without_dates(text: str) -> str:
    kept, at = [], 0
    for written in find_dates(text):
        kept.append(text[at : written.start])
        at = written.end
    return " ".join((*kept, text[at:]))
