"""Whether time explains that two claims differ: another day, an update, two events, or nothing that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from vaultrag.contradictions.comparing.concepts import read_words
from vaultrag.contradictions.comparing.scopes import scopes_of
from vaultrag.domain import AsOf, AsOfSource, Claim, ClaimContext, StatedKind
from vaultrag.text.dates import find_date
from vaultrag.text.language import fold, words
from vaultrag.text.morphology import tells_of_past

_CUES = r"""
    теперь отныне больше_не уже_не перестал\w* отмен\w+ передума\w+ переех\w+ переезжа\w+ перешл\w+ перевел\w*
    перенес\w* смени\w+ заменил\w* поменял\w* подня(?:л\w*|т\w*) повы[сш]\w+ сниз\w+ уменьш\w+ увелич\w+ обнов\w+ вместо
    продлил\w* решил\w*_иначе остаемся вернул\w*сь бросил\w* стал[аои]? подорожал\w* подешевел\w* вырос\w*
    no_longer not_any_?more any_?more now instead moved switched replaced changed cancel\w+ raised? lowered
    cut_(?:to|by|from) upgraded renamed postponed from_now_on as_of went_(?:up|down) gave_up quit dropped became
    migrated extended
"""  # `_` is a space
_UPDATE = re.compile(rf"\b(?:{'|'.join(cue.replace('_', ' ') for cue in _CUES.split())})\b")
_SINCE = re.compile(
    r"\b(?:с|со|since|from|starting)\s(?:начала |конца |середины |early |late |mid-)?(?:\d{1,2}[. ])?"
    r"(?:января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|january|february|march|april"
    r"|may|june|july|august|september|october|november|december|(?:19|20)\d\d|\d{1,2}[./]\d|monday|понедельника)"
)
_CLAUSE = re.compile(r"[,;:.!?()]\s|\s[–—]\s")
_SPACES = str.maketrans("\u00a0\u202f", "  ")
_DONE = frozenset(  # English verbs of one past act whose form tells it; the others end in -ed
    """
    paid bought sold met went came got took gave saw ate drank had made sent spent ran drove flew slept left lost won
    broke found told wrote read brought caught swam rode sat fell cut put held
    """.split()
)
_CHANGING = frozenset(
    {
        "=weight",
        "=age",
        "=price",
        "=pay",
        "=rent",
        "=salary",
        "=budget",
        "=debt",
        "=temperature",
        "=pressure",
        "=amount",
    }
)
_AGAIN = re.compile(r"\b(?:снова|опять|повторно|еще раз|втор(?:ой|ая|ое) раз|again|once more|second time|another)\b")


class TimeRelation(StrEnum):
    """APART: of two times that the notes name. MAYBE: of two notes' dates, which say when they were begun."""

    TOGETHER = "together"
    UNKNOWN = "unknown"
    MAYBE = "maybe"
    APART = "apart"


def relation_in_time(one: Claim, other: Claim) -> TimeRelation:
    """Tell whether two claims hold at one time; a time that is itself what they differ in tells nothing."""
    first, second = _named_time(one), _named_time(other)
    if first is None or second is None:
        return TimeRelation.UNKNOWN
    if first.meets(second):
        return TimeRelation.TOGETHER
    return TimeRelation.APART if _is_dated(one, first) and _is_dated(other, second) else TimeRelation.MAYBE


def is_within(one: Claim, other: Claim) -> bool:
    """Tell whether one claim is of a stretch of time inside the other's, as a day in a year."""
    first, second = one.as_of, other.as_of
    if first is None or second is None or not all((first.first, first.last, second.first, second.last)):
        return False
    inside = (second.first <= first.first and first.last <= second.last) or (
        first.first <= second.first and second.last <= first.last
    )
    return inside and (first.first, first.last) != (second.first, second.last)


def later_of(one: Claim, other: Claim) -> Claim:
    """Return the claim of the later time; the second where that is not known."""
    first, second = one.as_of, other.as_of
    if first is None or second is None:
        return other
    return one if (first.first or first.last) > (second.first or second.last) else other


def says_update(claim: Claim, values: Sequence[str] = ()) -> bool:
    """Tell whether a claim says, where a value stands, that it takes the place of something, or since when it holds."""
    return _says(claim, values, _UPDATE) or _says(claim, values, _SINCE)


def replaces(claim: Claim, values: Sequence[str]) -> bool:
    """Tell whether a claim says in a clause with one of these values that something is no longer as it was."""
    return _says(claim, values, _UPDATE)


def _says(claim: Claim, values: Sequence[str], cue: re.Pattern[str]) -> bool:
    wanted = [fold(value) for value in values if value]
    clauses = _CLAUSE.split(fold(plain_spaces(claim.quote)))
    return any(cue.search(clause) and (not wanted or any(value in clause for value in wanted)) for clause in clauses)


def plain_spaces(text: str) -> str:
    return text.translate(_SPACES)


def is_event(claim: Claim) -> bool:
    """Tell whether a claim is of something that happened once: a past act, or a row with a day."""
    if claim.context is ClaimContext.CELL:
        return bool(find_date(claim.quote)) or any(value.kind is StatedKind.DATE for value in claim.values)
    return any(_is_done(word.text) for word in words(claim.quote))


def are_two_acts(one: Claim, other: Claim) -> bool:
    """Tell whether two claims tell of past acts in no word alike, or are two tasks: a day of each is no other's."""
    if one.context is other.context is ClaimContext.TASK:
        return True
    first, second = ({word.stem for word in words(claim.quote) if _is_done(word.text)} for claim in (one, other))
    return one.language == other.language and bool(first and second) and first.isdisjoint(second)


def says_again(claim: Claim) -> bool:
    return bool(_AGAIN.search(fold(claim.quote)))


def opens_with_day(claim: Claim) -> bool:
    """Tell whether a claim begins with its time, as the entries of a diary and of a log do."""
    return any(value.is_time_frame and claim.quote.lstrip("*_= ").startswith(value.words) for value in claim.values)


def may_change(claim: Claim) -> bool:
    """Tell whether a claim is of what goes up and down by itself: weight, prices, so much a week."""
    concepts = {word.concept for word in read_words(f"{claim.attribute} {claim.quote}")}
    return bool(
        _CHANGING & concepts or any(value.kind is StatedKind.MONEY for value in claim.values) or scopes_of(claim)
    )


def is_of_one_day(claim: Claim) -> bool:
    """Tell whether a claim stands in a note of a day, which is true of that day."""
    return bool(find_date(claim.title) or any(find_date(heading) for heading in claim.heading_path))


def _named_time(claim: Claim) -> AsOf | None:
    return claim.as_of


def _is_dated(claim: Claim, as_of: AsOf) -> bool:
    return as_of.source is not AsOfSource.NOTE or is_of_one_day(claim)


def _is_done(word: str) -> bool:
    folded = fold(word)
    return folded in _DONE or (folded.endswith("ed") and not folded.endswith("eed")) or tells_of_past(word)
