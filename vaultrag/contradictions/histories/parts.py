"""One sentence may tell a whole history: "4 in January 2024, 6 in January 2025", «3,9 (2023) / 3,4 (2024)».

Or what was before: «подняли с 950 до 1100», "~~99.5 %~~ → 99.9 %", "gas, was wood until then".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from vaultrag.contradictions.claims.pieces import shown
from vaultrag.contradictions.claims.times import NamedTime, as_of_time, times_in
from vaultrag.domain import AsOf, AsOfSource, Claim, ClaimContext, Span, Stance, StatedKind, StatedValue
from vaultrag.text.language import words
from vaultrag.text.quantities.read import find_quantities, masked
from vaultrag.vault.parsing.lines import NEWLINE

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
MOST_OLD_WORDS = 6  # of what was before: more is a clause of its own
_BORDER = re.compile(r"\s*(?:[;/→](?=\s)|,(?=\s)|,?\s(?:then|потом|затем)(?=\s))\s*")
_BEGINS = re.compile(r"\W*(?:с|со|from|since|now|теперь)\b", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\(([^()]+)\)\s*\Z")
_OLD = r"(?P<old>[^,;:()|→]{1,60}?)"
_NEW = r"(?P<new>[^,;()|]{1,60}?)"
_END = (
    r"(?=\s*(?:[,;:()|!?]|\.(?:\s|\Z)|\Z|\s[–—]\s|\s(?:с|со|в|на|из-за|потому|from|since|in|on|as|because|and|и|by)\s))"
)
_CHANGES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"~~(?P<old>[^~\n]{{1,60}})~~\s*(?:→|->|=>)?\s*{_NEW}{_END}",
        rf"(?:(?<=\s)|\A){_OLD}\s*(?:→|->|=>)\s*{_NEW}{_END}",
        rf"\b(?:было|была|был|were|was)\s+{_OLD},?\s+(?:а\s+|но\s+|but\s+|и\s+)?(?:стал[оаи]?|теперь|сейчас|(?:it\s+)?is\s+now|now"
        rf"|became)\s+{_NEW}{_END}",
        rf"\b(?:было|была|был|was|were)\s+{_OLD},\s+(?:после|потом|затем|then|after)\b",
        rf"\b(?:раньше|прежде|previously|formerly|before)(?:\s+(?:был[оаи]?|it\s+was|was))?\s+{_OLD},?\s+(?:а\s+)?(?:теперь|сейчас|now)"
        rf"\s+{_NEW}{_END}",
        rf"\b(?:вместо|instead\s+of|in\s+place\s+of|rather\s+than|up\s+from|down\s+from)\s+{_OLD}{_END}",
        rf"[(,–—]\s*(?:а\s+|but\s+)?(?:раньше|прежде|до\s+этого|previously|before(?:\s+that)?|formerly|earlier|was|было|была|был)"
        rf"(?:\s+(?:был[оаи]?|it\s+was|was))?\s*[:–—]?\s+{_OLD}\s*(?=[),.;]|\Z)",
        rf"[(,]\s*{_OLD}\s+(?:before(?:\s+that)?|раньше|до\s+этого|previously)\s*(?=[),.;]|\Z)",
    )
)
_FROM_TO = re.compile(
    r"\b(?:с|со|из|from)\s+(?P<old>\S+(?:\s\S+){0,4}?)\s+(?:до|на|в|to|into)\s+(?P<new>\S+(?:\s\S+){0,3}?)" + _END,
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:переш\w+|перее\w+|перев[её]\w+|переход\w+|смени\w+|помен\w+|замени\w+"
    r"|move[ds]? to|switch\w+|changed to|replac\w+)\b",
    re.IGNORECASE,
)
_MOVES = re.compile(
    r"\b(?:под[нъ]\w+|повыс\w+|сниз\w+|выр[оа]с\w*|упал\w*|увелич\w+|уменьш\w+|переш\w+|перее\w+|перев[её]\w+|сменил\w*|смени\w+"
    r"|помен\w+|урез\w+|сократ\w+|move[ds]?|moving|raise[ds]?|rais\w+|lower\w*|cut|grew|went|drop\w*|chang\w+|switch\w+|increas\w+"
    r"|decreas\w+|reduc\w+|migrat\w+|up|down)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """What a claim says of one time: all of it, or a piece of its quote. `told` is a value that is told by name."""

    claim: Claim
    quote: str
    values: tuple[StatedValue, ...]
    as_of: AsOf | None
    told: str = ""


def _in_turn(pieces: Iterator[ClaimPart]) -> list[ClaimPart]:
    """Give pieces without a time the one that lies beside them: "A until 2023, then B" and «21, с января 2024 – 19»."""
    found = [piece for piece in pieces if piece.values or piece.told]
    for place, piece in enumerate(found):
        before = found[place - 1].as_of if place else None
        if piece.as_of is None and before and before.last and not before.first:
            found[place] = replace(piece, as_of=AsOf(day_off(before.last, 1), "", before.source, before.year_known))
    if len(found) == 2 and found[0].as_of is None and found[1].as_of and _BEGINS.match(found[1].quote):
        until, source = found[1].as_of.first, found[1].as_of.source
        quote = found[0].claim.quote
        found = [replace(one, quote=quote) for one in found]
        found[0] = replace(found[0], as_of=AsOf("", day_off(until, -1), source)) if until else found[0]
    return found


def day_off(day: str, days: int) -> str:
    """Return the day that lies so many days behind another, or before it."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def within(span: Span, whole: str, part: str) -> Span:
    """Return where a part of a quote stands, whose own place is known; where it is not in it, that of the whole."""
    start = whole.find(part)
    if start < 0 or part == whole:
        return span
    first = _after(span.first_line, span.first_column, whole[:start])
    return Span(*first, *_after(*first, part[:-1]))


def _after(line: int, column: int, text: str) -> tuple[int, int]:
    rows = NEWLINE.split(text)
    return (line, column + len(text)) if len(rows) == 1 else (line + len(rows) - 1, 1 + len(rows[-1]))


def parts_of(claim: Claim) -> list[ClaimPart]:
    """Return the dated values that a claim lists, what was before and what is now, or the claim as a whole."""
    dates = sum(value.kind is StatedKind.DATE for value in claim.values)
    for pieces in (_in_turn(_pieces(claim)), _in_turn(_worded_pieces(claim)) if dates else []):
        dated = [piece for piece in pieces if (piece.values or piece.told) and piece.as_of]
        if len(dated) >= 2 and len({piece.as_of for piece in dated}) >= 2:
            return [piece for piece in pieces if piece.values or piece.told]
    return _before(ClaimPart(claim, claim.quote, claim.values, _as_of(claim)))


def _as_of(claim: Claim) -> AsOf | None:
    """Return when a claim holds: «until June 2024» ends what has no time of its own."""
    if own := _as_of_row(claim):
        return own
    if claim.as_of is not None and claim.as_of.source is AsOfSource.TEXT:
        return claim.as_of
    ends = [time for time in times_in(claim.quote, None) if time.is_deadline and time.year_known]
    is_state = claim.stance is Stance.ASSERTED and claim.context is not ClaimContext.TASK
    return (as_of_time(ends[0], AsOfSource.TEXT) if ends and is_state else None) or claim.as_of


def _as_of_row(claim: Claim) -> AsOf | None:
    """Return the time that the name of a table's row ends with: «MS-01 (окт. 2024)»."""
    name = _IN_BRACKETS.search(claim.subject) if claim.context is ClaimContext.CELL else None
    times = times_in(name[1], None) if name else ()
    return as_of_time(times[0], AsOfSource.TEXT) if times else None


def _before(whole: ClaimPart) -> list[ClaimPart]:
    """Return what a claim says was until then, if it does and its own time is known, and what it says is now."""
    old = replaced(whole.quote)
    if not old:
        return [whole]
    now = replace(
        whole,
        values=tuple(value for value in whole.values if value.words.strip(" .") != old.strip(" .")) or whole.values,
    )
    new = _new(whole.quote)
    now = replace(now, values=_first_there(now.values, new), told=new)
    as_of = whole.as_of
    if as_of is None or not as_of.first:
        return [ClaimPart(whole.claim, whole.quote, _values(old), None, old), now]
    last = (date.fromisoformat(as_of.first) - timedelta(days=1)).isoformat()
    return [ClaimPart(whole.claim, whole.quote, _values(old), AsOf("", last, as_of.source, as_of.year_known), old), now]


def _first_there(values: tuple[StatedValue, ...], text: str) -> tuple[StatedValue, ...]:
    """Put the values that stand in a text first."""
    return tuple(sorted(values, key=lambda value: value.words not in text)) if text else values


def replaced(text: str) -> str:
    """Return what a sentence says was before, as it is written; empty where it says nothing of it."""
    return next(filter(None, (_bare(match["old"]) for match in _matches(text))), "")


def _new(text: str) -> str:
    """Return what a sentence says took the place of what was before; empty where it does not stand beside it."""
    found = next((match for match in _matches(text) if _bare(match["old"])), None)
    return _bare(found["new"]) if found and "new" in found.groupdict() and found["new"] else ""


def _matches(text: str) -> list[re.Match[str]]:
    found = [match for pattern in _CHANGES if (match := pattern.search(text))]
    return found or (list(_FROM_TO.finditer(text)) if _MOVES.search(text) else [])


def moves(text: str) -> bool:
    """Tell whether a sentence tells a change: something was moved, switched or replaced."""
    return bool(_CHANGE.search(text)) or bool(replaced(text))


def _bare(old: str) -> str:
    said = shown(re.split(r"\s[–—]\s", old)[-1].strip(" *_`=")).strip(" .«»\"'`*_=")
    return said if said and len(words(said)) <= MOST_OLD_WORDS and not times_in(said, None) else ""


def _values(text: str) -> tuple[StatedValue, ...]:
    return tuple(
        StatedValue(one.kind, text[one.start : one.end].strip(), magnitude=one.low, until=one.high, unit=one.unit)
        for one in find_quantities(text)
    )


def _worded_pieces(claim: Claim) -> Iterator[ClaimPart]:
    """Yield «Jekyll (до 2023), Hugo (с мая 2023)»: pieces that name something and its time, or follow such a one."""
    at, follows = 0, False
    for end, start in [*(border.span() for border in _BORDER.finditer(claim.quote)), (len(claim.quote),) * 2]:
        quote = claim.quote[at:end]
        at = start
        times = times_in(quote, None)
        rest = masked(quote, [(time.start, time.end) for time in times]).rpartition(":")[2]
        told = re.sub(r"\(\s*\)", " ", shown(rest)).strip(" .,;:–—-*_()")
        if told and len(words(told)) <= MOST_OLD_WORDS and (times or follows):
            as_of = as_of_time(times[0], AsOfSource.TEXT) if times else None
            yield ClaimPart(claim, quote, (), as_of, " ".join(told.split()))
        follows = bool(times) and times[0].is_deadline


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
