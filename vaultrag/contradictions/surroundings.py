"""A claim's quote as it stands in its note, with what stands around it: what a person needs to judge it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from vaultrag.domain import Claim
from vaultrag.vault.parsing.lines import Lines

LINES = 2  # on each side: enough to see what a sentence speaks of
LONGEST = 240  # characters of a line around the quote; a dictated note has lines of 2,300
LEAD = 100  # characters of the quote's own line on either side of it
MARK = "…"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`lead` and `rest` are of the quote's own first and last line. Without `stands` the note says otherwise now."""

    quote: str
    before: tuple[str, ...] = ()
    lead: str = ""
    rest: str = ""
    after: tuple[str, ...] = ()
    stands: bool = True


def surroundings(claim: Claim, text: str | None, lines: int = LINES) -> Surroundings:
    """Return the quote among the lines of its note's text, None where there is none now."""
    if text is None:
        return Surroundings(claim.quote, stands=False)
    found = Lines(text)
    try:
        start, end = found.offsets(claim.span)
    except IndexError:
        return Surroundings(claim.quote, stands=False)
    if text[start:end] != claim.quote:
        return Surroundings(claim.quote, stands=False)
    first, last = claim.span.first_line - 1, claim.span.last_line - 1
    above = [_whole(text, found, number) for number in range(max(0, first - lines), first)]
    below = [_whole(text, found, number) for number in range(last + 1, min(len(found), last + 1 + lines))]
    return Surroundings(
        claim.quote,
        _trimmed(above),
        _end_of(text[found.starts[first] : start]),
        _beginning_of(text[end : found.ends[last]], LEAD),
        _trimmed(below),
    )


def _whole(text: str, lines: Lines, number: int) -> str:
    return _beginning_of(text[lines.starts[number] : lines.ends[number]], LONGEST)


def _beginning_of(words: str, length: int) -> str:
    return words if len(words) <= length else f"{words[:length].rstrip()} {MARK}"


def _end_of(words: str) -> str:
    return words if len(words) <= LEAD else f"{MARK} {words[-LEAD:].lstrip()}"


def _trimmed(lines: list[str]) -> tuple[str, ...]:
    """Return lines without the empty ones at either end."""
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return tuple(lines)
