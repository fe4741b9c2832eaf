"""Of what each value is: a month or a year, a person or a group, a part or the whole, what was planned or what came."""

from __future__ import annotations

import re
from enum import StrEnum

from vaultrag.domain import Claim
from vaultrag.text.language import fold

_PER = r"(?:per|an?|each|every|в|во|за|на|с|/|кажд\w+|за одн\w+)\s?"
_UNITS = {
    "second": "sec(?:ond)?|s|сек(?:унду)?|с",
    "minute": "min(?:ute)?|мин(?:уту)?",
    "hour": "hour|h|час|ч",
    "day": "day|день|сутки|дн",
    "night": "night|ночь",
    "week": "week|wk|неделю|нед",
    "month": "month|mo|месяц|мес",
    "quarter": "quarter|квартал",
    "year": "year|yr|annum|год",
    "person": "person|head|capita|guest|человека|чел|гостя|душу|участника",
    "piece": "piece|item|unit|штуку|шт|единицу",
    "kilo": "kg|kilo|кг|килограмм|кило",
    "litre": "litre|liter|l|литр|л",
    "km": "km|км|километр",
    "lesson": "lesson|class|session|visit|занятие|урок|визит|прием|раз",
}
_SCOPES = [(name, re.compile(rf"(?<![^\W\d_]){_PER}(?:{forms})(?![^\W_])")) for name, forms in _UNITS.items()]
_ADVERBS = {
    "day": "ежедневно|daily|посуточно",
    "week": "еженедельно|weekly",
    "month": "ежемесячно|monthly",
    "year": "ежегодно|yearly|annually",
    "hour": "hourly|почасов\\w+",
}
_ADVERBIAL = [(name, re.compile(rf"\b(?:{forms})\b")) for name, forms in _ADVERBS.items()]
_WHOLE = re.compile(
    r"\b(?:всего|итого|в сумме|общ(?:ий|ая|ее|ей)|суммарно|целиком|вместе|in total|total|altogether|overall|in all"
    r"|combined|sum)\b"
)
_PART = re.compile(
    r"\b(?:из них|из котор\w+|часть|половин\w+|треть|в том числе|без учета|только за|остальн\w+|of (?:them|which|these)"
    r"|part of|half|a third|excluding|except|apart from|the rest|including)\b"
)
_PLAN = re.compile(
    r"\b(?:план\w*|цел[ьи]|мечт\w+|обеща\w+|собира\w+|долж(?:ен|на|но|ны) был\w*|смет\w+|оценк\w+"
    r"|ожида\w+|прогноз\w*|plan(?:ned|s)?|goals?|targets?|promis\w+|expect\w*|estimat\w+|forecast|intend\w*|meant to"
    r"|hope[ds]?|budgeted|should have|quoted)\b"
)


class Extent(StrEnum):
    WHOLE = "whole"
    PART = "part"
    UNSAID = ""


def scopes_of(claim: Claim) -> frozenset[str]:
    """Return for what each value is given, as «в месяц» or "per person"."""
    said = fold(f"{claim.quote} {claim.attribute} {claim.lead}")
    return frozenset(name for name, cue in (*_SCOPES, *_ADVERBIAL) if cue.search(said))


def part_of(claim: Claim) -> Extent:
    """Tell whether a claim says that it gives the whole, or only a part."""
    said = fold(f"{claim.attribute} {claim.subject} {claim.quote}")
    if _PART.search(said):
        return Extent.PART
    return Extent.WHOLE if _WHOLE.search(said) else Extent.UNSAID


def is_planned(claim: Claim) -> bool:
    """Tell whether a claim's words speak of what was meant to be."""
    return bool(_PLAN.search(fold(f"{claim.attribute} {claim.subject} {claim.quote}")))
