"""Which of the values of a claim is the one that a history tells, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vaultrag.contradictions.comparing.concepts import WordSet, read_words
from vaultrag.contradictions.histories.asked import AskedHistory
from vaultrag.contradictions.histories.parts import NUMERIC, ClaimPart
from vaultrag.contradictions.histories.relevance import KEYED, LEAST_MONEY, decides_by
from vaultrag.domain import Claim, StatedKind, StatedValue

_ONE = re.compile(
    r"(?<!меньше )(?<!больше )(?<!than )\b(?:один|одна|одно|одну|одной|одного|one)\s+(\w+)", re.IGNORECASE
)
_ORDINAL = re.compile(
    r"\w+(?:ый|ой|ий|ая|ую|ое|ье|ья|ью|ого|ому)\b.*|first|second|third|\d+(?:st|nd|rd|th|-[а-я]{1,2})", re.IGNORECASE
)


def value_of(asked: AskedHistory, part: ClaimPart, kind: StatedKind | None) -> str:
    """Return the value that is meant, as it is written: of what is asked for, of the kind, with a digit, the first."""
    if kind is None:
        return part.told or _named(asked, part)
    labels = WordSet(one.word for one in asked.words)
    names = " ".join(one.words for one in part.values if one.kind is StatedKind.NAME).split()
    best = min(
        (
            one
            for one in part.values
            if _fits(one, kind, part.claim) and one.words not in names  # the 3000 of "DGT 3000" is none
            if not asked.counts or counts_it(asked, (one,))
        ),
        key=lambda one: (
            not any(labels.has(word) for word in read_words(f"{one.label} {one.words}")),
            one.kind is not kind,
            not any(map(str.isdigit, one.words)),
        ),
        default=None,
    )
    ones = (match.group() for match in _ONE.finditer(part.quote) if any(map(labels.has, read_words(match.group(1)))))
    return best.words if best else next(ones, "")


def _named(asked: AskedHistory, part: ClaimPart) -> str:
    """Return what stands behind a key that is asked for, or in a cell: «масло: 5W-30», «давление: 150/90»."""
    claim = part.claim
    labels = WordSet(one.word for one in asked.words)
    has_key = claim.context in KEYED or (is_keyed(claim) and any(map(labels.has, read_words(claim.attribute))))
    values = [one for one in part.values if one.kind in (StatedKind.TEXT, StatedKind.NAME)]
    is_one = len([one for one in part.values if one.kind is not StatedKind.DATE]) == 1
    text = next((one for one in values if one.kind is StatedKind.TEXT), values[0] if values and is_one else None)
    return text.words if text and has_key else ""


def counts_it(asked: AskedHistory, values: Sequence[StatedValue]) -> bool:
    """Tell whether a value counts what is asked for: «чашек кофе» of «2 чашки», and not of what a cup costs."""
    things = WordSet(one.word for one in asked.words)
    return any(value.kind in NUMERIC and any(map(things.has, read_words(value.words))) for value in values)


def _fits(value: StatedValue, kind: StatedKind, claim: Claim) -> bool:
    """Tell whether a value is of a kind; a number without a unit may be of any, and where numbers are, all are."""
    if value.kind is StatedKind.NUMBER and (_ORDINAL.fullmatch(value.words) or (value.unit and value.kind is not kind)):
        return False  # the third, and what counts things where no things are counted
    if value.kind in (StatedKind.DURATION, StatedKind.TIME) and value.kind is not kind:
        return False
    is_bare = value.kind is StatedKind.NUMBER and bool(claim.attribute) and claim.context not in KEYED
    is_small = kind is StatedKind.MONEY and (value.magnitude or 0) < LEAST_MONEY
    if is_bare and (kind is StatedKind.SHARE or is_small):
        return False  # «лет 50» is no price, and what has no % is no share
    return value.kind is kind or (value.kind in NUMERIC and StatedKind.NUMBER in (value.kind, kind))


def is_keyed(claim: Claim) -> bool:
    """Tell whether a claim names its value by a key: «масло: 5W-30»."""
    opens = claim.quote.lstrip(" *_[(")
    has_key = bool(claim.attribute) and opens.startswith(claim.attribute)
    return has_key and not opens[len(claim.attribute) :].startswith("?") and not decides_by(claim.attribute)
