"""The days that hold for several sentences, and times that are none of the sentence they stand in."""

from __future__ import annotations

import re
from datetime import date

from vaultrag.contradictions.claims.pieces import Fragment
from vaultrag.contradictions.claims.times import NamedTime, as_of_time, is_only_time, times_in
from vaultrag.domain import AsOf, AsOfSource

_DUE_SIGNS = frozenset("📅⏳⌛🛫🗓➕")
_BORN = re.compile(r"\b(?:born|died|b\.|d\.|род\.?|родил\w+|ум\.|умер\w*)", re.IGNORECASE)
_LIFE = re.compile(r"\d\s?[-–—]\s?(?:\d|[A-ZА-Я])")


class ParagraphDays:
    """Remembers the day that opens a paragraph and holds for all of it: «27 ноября, ср. За окном −3. Сон 5 ч.».

    One that is a paragraph of its own holds for those below it, up to the next one or the next heading.
    """

    def __init__(self) -> None:
        self._opening: AsOf | None = None
        self._alone: AsOf | None = None
        self._above: tuple[int, AsOf | None] = (-1, None)

    def see(self, piece: Fragment, today: date | None) -> None:
        text = piece.key or piece.words
        times = times_in(text, today)
        opens = bool(times) and not text[: times[0].start].strip(" *_") and _is_day(times[0])
        opening = as_of_time(times[0], AsOfSource.TEXT) if opens else None
        if piece.before:
            self._alone = None
            if opening and opening.year_known:  # the next line of a log
                self._opening = opening
            return
        if self._alone:
            self._above = (piece.section, self._alone)
        self._opening = opening
        self._alone = opening if not piece.key and is_only_time(piece.words, times) else None

    def of(self, piece: Fragment) -> AsOf | None:
        section, day = self._above
        return self._opening or (day if section == piece.section else None)


def is_aside(text: str, time: NamedTime) -> bool:
    """Tell whether a time is no time of the sentence: when somebody was born, or when a task is due."""
    if text[: time.start].rstrip()[-1:] in _DUE_SIGNS:
        return True
    opens = text.rfind("(", 0, time.start)
    closes = text.find(")", time.end)
    inside = text[opens + 1 : closes] if opens >= 0 and text.find(")", opens, time.start) < 0 <= closes else ""
    return bool(inside) and (bool(_BORN.search(inside)) or bool(_LIFE.search(inside)))


def _is_day(time: NamedTime) -> bool:
    """Tell a day that is written out, or a month with its year."""
    is_month = time.year_known and len(time.text) == len("2024-11")
    return is_month or (time.first == time.last and (time.year_known or time.text.startswith("-")))
