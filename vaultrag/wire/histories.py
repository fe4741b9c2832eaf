"""The JSON of a history: what `history` prints. Conventions as in `vaultrag.wire`."""

from __future__ import annotations

from vaultrag import domain
from vaultrag.wire.shapes import Shape


class QuotedPlace(Shape):
    path: str
    title: str
    lines: tuple[int, int]
    columns: tuple[int, int]
    quote: str

    @classmethod
    def values_of(cls, noun: domain.QuotedPlace) -> dict[str, object]:
        span = noun.span
        return {
            **super().values_of(noun),
            "lines": (span.first_line, span.last_line),
            "columns": (span.first_column, span.last_column),
        }


class HistoryStep(Shape):
    """`since` and `until` are days, empty where open; `dated_by` is text, heading or note, empty without a date.

    `holder` is user, assistant or quoted; `is_own` where the user states it as a fact. One without
    a date `follows` where its sentence tells that it came behind the one before.
    """

    value: str
    since: str
    until: str
    dated_by: str
    holder: str
    speaker: str
    stance: str
    is_own: bool
    follows: bool
    place: QuotedPlace
    also: list[QuotedPlace]

    @classmethod
    def values_of(cls, noun: domain.HistoryStep) -> dict[str, object]:
        as_of = noun.as_of
        return {
            **super().values_of(noun),
            "since": as_of.first if as_of else "",
            "until": as_of.last if as_of else "",
            "dated_by": as_of.source.value if as_of else "",
        }


class History(Shape):
    """`held` is the user's own value on `day`, null where none is known; without a day the last one."""

    asked: str
    day: str
    held: HistoryStep | None
    steps: list[HistoryStep]
