"""One sentence may tell a whole history: "4 in January 2024, 6 in January 2025", «3,9 (2023) / 3,4 (2024)»."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vaultrag.contradictions.claims.times import NamedTime, as_of_time, times_in
from vaultrag.domain import AsOf, AsOfSource, Claim, StatedKind, StatedValue

NUMERIC = frozenset(
    {
        StatedKind.NUMBER,
        StatedKind.MONEY,
        StatedKind.MEASURE,
        StatedKind.SHARE,
        StatedKind.DURATION,
        StatedKind.TIME,
    }
)
_BORDER = re.compile(r"\s*(?:[;/→](?=\s)|,(?=\s)|,?\s(?:then|потом|затем)(?=\s))\s*")


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """What a claim says of one time: all of it, or a piece of its quote."""

    claim: Claim
    quote: str
    values: tuple[StatedValue, ...]
    as_of: AsOf | None


def parts_of(claim: Claim) -> list[ClaimPart]:
    """Return the dated values that a claim lists, or the claim as a whole."""
    pieces = list(_pieces(claim))
    dated = [piece for piece in pieces if piece.values and piece.as_of]
    if len(dated) < 2 or len({piece.as_of for piece in dated}) < 2:
        return [ClaimPart(claim, claim.quote, claim.values, claim.as_of)]
    return [piece for piece in pieces if piece.values]


def _pieces(claim: Claim) -> Iterator[ClaimPart]:
    left = list(claim.values)
    at = 0
    for end, start in [
        *((border.start(), border.end()) for border in _BORDER.finditer(claim.quote)),
        (len(claim.quote),) * 2,
    ]:
        quote = claim.quote[at:end]
        times = times_in(quote, None)
        values = _taken(left, quote, times)
        as_of = as_of_time(times[0], AsOfSource.TEXT) if times else None
        yield ClaimPart(claim, quote, values, as_of)
        at = start


def _taken(left: list[StatedValue], quote: str, times: tuple[NamedTime, ...]) -> tuple[StatedValue, ...]:
    """Take the next numeric values that stand in a piece, outside of its dates."""
    found: list[StatedValue] = []
    for value in list(left):
        place = quote.find(value.words)
        if place < 0 or value.kind not in NUMERIC:
            continue
        if any(time.start <= place < time.end for time in times):
            continue
        if any(other.words == value.words for other in found):
            continue
        found.append(value)
        left.remove(value)
    return tuple(found)
