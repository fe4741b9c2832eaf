"""From claims to the history of one attribute: those that give it a value of one kind, in order of time.

Beside what is found by words stands what continues it: the next lines of a dated list, «с 1 сентября – 70» behind
«берёт 50 за час».
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vaultrag.contradictions.comparing.concepts import WordSet, read_words
from vaultrag.contradictions.histories.asked import AskedHistory
from vaultrag.contradictions.histories.parts import NUMERIC, ClaimPart, parts_of
from vaultrag.contradictions.histories.relevance import WORDS_OF_MONEY, Relevant, relevant_claims
from vaultrag.domain import (
    AsOf,
    AsOfSource,
    Claim,
    ClaimContext,
    HistoryStep,
    Holder,
    QuotedPlace,
    Stance,
    StatedKind,
    StatedValue,
)

NUMERIC_SHARE = 0.5  # of the claims found, by weight: then the value is a number, unless words are asked for
BESIDE = 0.3  # of a claim's vote, for the kinds of its further values: "one week, Monday 10:00" tells how long
LINE = 3.0  # votes of a claim with a date of its own: so a value's history is written
SERIES = 2  # dated lines of one section that give a value: another one gives it, too, in words
_DECIDES = re.compile(
    r"\b(?:реш(?:ил|ен|аем)\w*|передумал\w*|отмен\w+|оста[её]мся|выбрал\w*|выбираем|decid\w+|cancel\w+|chang\w+|stay\w*"
    r"|chose|switch\w+)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\W*(?:back to|then|now|later|since|from|снова|опять|потом|теперь|сейчас|затем|обратно|с|со)\b", re.IGNORECASE
)
_ONE = re.compile(
    r"(?<!меньше )(?<!больше )(?<!than )\b(?:один|одна|одно|одну|одной|одного|one)\s+(\w+)", re.IGNORECASE
)
_ORDINAL = re.compile(
    r"\w+(?:ый|ой|ий|ая|ую|ое|ье|ья|ью|ого|ому)\b.*|first|second|third|\d+(?:st|nd|rd|th|-[а-я]{1,2})", re.IGNORECASE
)
_AFTERTHOUGHT = re.compile(r",\s*(?:с|со|since|from)\s[^,]*\W*\Z", re.IGNORECASE)


def chain_of(asked: AskedHistory, claims: Sequence[Claim], days: Mapping[str, str]) -> tuple[HistoryStep, ...]:
    """Return the values that claims give to what is asked for, in order of time.

    `claims` stand as in their notes, `days` are those on which passages were written, by chunk.
    """
    found = relevant_claims(asked, claims)
    if not found:
        return ()
    kind = _kind(asked, found)
    asked = replace(asked, counts=any(_counted(asked, one.claim.values) for one in found if kind))
    taken = _with_series(found, claims, kind)
    lists = Counter(_section(one.claim) for one in taken if _is_dated(one.claim) and _gives(asked, one.claim, kind))
    steps: list[tuple[tuple[str, float], HistoryStep]] = []
    for one in taken:
        if _gives(asked, one.claim, kind) or (_is_dated(one.claim) and lists[_section(one.claim)] >= SERIES):
            steps += _steps(asked, one, kind, days.get(one.claim.chunk_id, ""))
    return tuple(_collapsed([step for _, step in sorted(steps, key=lambda pair: pair[0])]))


def _kind(asked: AskedHistory, found: Sequence[Relevant]) -> StatedKind | None:
    """Return of which kind the value is; None where words say it."""
    if asked.is_choice:
        return None
    votes: dict[StatedKind, float] = defaultdict(float)
    for one in found:
        kinds = dict.fromkeys(value.kind for value in one.claim.values if value.kind in NUMERIC)
        for rank, kind in enumerate(kinds):
            votes[kind] += one.share * (BESIDE if rank else 1.0) * (LINE if _is_dated(one.claim) else 1.0)
    if not votes:
        return None
    if StatedKind.MONEY in votes and any(word.concept in WORDS_OF_MONEY for word in asked.words):
        return StatedKind.MONEY
    kind = max(votes, key=lambda one: votes[one])
    weights = [(one, one.share * (LINE if _is_dated(one.claim) else 1.0)) for one in found]
    counted = sum(weight for one, weight in weights if any(value.kind in NUMERIC for value in one.claim.values))
    is_number = asked.is_amount or counted >= NUMERIC_SHARE * sum(weight for _, weight in weights)
    return kind if is_number else None


def _with_series(found: Sequence[Relevant], claims: Sequence[Claim], kind: StatedKind | None) -> list[Relevant]:
    """Add what goes on where something was found: dated lines of the same section, and bare values right behind."""
    taken = {one.place: one for one in found}
    sections = {_section(one.claim): one for one in found}
    of_dates = {section for section, one in sections.items() if _is_dated(one.claim)}
    for place, claim in enumerate(claims):
        if place in taken:
            continue
        before, section = taken.get(place - 1), _section(claim)
        if before and before.claim.path == claim.path and _goes_on(claim):
            taken[place] = Relevant(claim, before.share, place)
        elif section in sections and _is_dated(claim):
            is_line = section in of_dates and bool(claim.heading_path or claim.lead)
            if is_line or (kind is None and _DECIDES.search(claim.quote)):
                taken[place] = Relevant(claim, sections[section].share, place)
    return [taken[place] for place in sorted(taken)]


def _gives(asked: AskedHistory, claim: Claim, kind: StatedKind | None) -> bool:
    return kind is None or any(_value(asked, part, kind) for part in parts_of(claim))


def _section(claim: Claim) -> tuple[object, ...]:
    column = claim.attribute if claim.context is ClaimContext.CELL else ""
    return claim.path, claim.heading_path, claim.lead, column, claim.holder is Holder.ASSISTANT


def _is_dated(claim: Claim) -> bool:
    return claim.as_of is not None and claim.as_of.source is AsOfSource.TEXT


def _goes_on(claim: Claim) -> bool:
    is_bare = not claim.attribute and any(value.kind in NUMERIC for value in claim.values)
    return is_bare or bool(_GOES_ON.match(claim.quote))


def _steps(
    asked: AskedHistory, one: Relevant, kind: StatedKind | None, day: str
) -> list[tuple[tuple[str, float], HistoryStep]]:
    """Return what a claim tells, each with what it is put in order by: a part without a date behind the one before.

    Of one day the nearest to what is asked for stands last, without a date first: so it is the one that is held.
    """
    claim = one.claim
    found: list[tuple[tuple[str, float], HistoryStep]] = []
    for part in parts_of(claim):
        value = _value(asked, part, kind)
        as_of = _as_of(part, day)
        step = HistoryStep(
            value=value,
            as_of=as_of,
            holder=claim.holder,
            speaker=claim.speaker,
            stance=claim.stance,
            is_own=_is_own(claim),
            place=QuotedPlace(claim.path, claim.title, claim.span, part.quote),
            follows=as_of is None and bool(found),
        )
        order = (as_of.first, one.share) if as_of else found[-1][0] if found else ("~", -one.share)
        found.append((order, step))
    return found


def _as_of(part: ClaimPart, day: str) -> AsOf | None:
    """Return when it held; «35 в неделю, с 2016-го» tells since when one runs, and 35 is of the day of the note."""
    as_of = part.as_of
    if as_of and day and not as_of.last and as_of.first < day and _AFTERTHOUGHT.search(part.quote):
        return AsOf(day, day, AsOfSource.NOTE)
    return as_of


def _value(asked: AskedHistory, part: ClaimPart, kind: StatedKind | None) -> str:
    """Return the value that is meant, as it is written: of what is asked for, of the kind, with a digit, the first."""
    if kind is None:
        return ""
    labels = WordSet(asked.words)
    names = " ".join(one.words for one in part.values if one.kind is StatedKind.NAME).split()
    best = min(
        (
            one
            for one in part.values
            if _fits(one, kind) and one.words not in names  # the 3000 of "DGT 3000" is none
            if not asked.counts or _counted(asked, (one,))
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


def _counted(asked: AskedHistory, values: Sequence[StatedValue]) -> bool:
    """Tell whether a value counts what is asked for: «чашек кофе» of «2 чашки», and not of what a cup costs."""
    things = WordSet(asked.words)
    return any(value.kind in NUMERIC and any(map(things.has, read_words(value.words))) for value in values)


def _fits(value: StatedValue, kind: StatedKind) -> bool:
    """Tell whether a value is of a kind; a number without a unit may be of any, and where numbers are, all are."""
    if value.kind is StatedKind.NUMBER and _ORDINAL.fullmatch(value.words):
        return False
    return value.kind is kind or (value.kind in NUMERIC and StatedKind.NUMBER in (value.kind, kind))


def _is_own(claim: Claim) -> bool:
    if claim.holder is Holder.USER:
        return claim.stance is Stance.ASSERTED
    before, colon, _ = claim.quote.partition(":")
    return claim.holder is Holder.QUOTED and bool(colon) and bool(_DECIDES.search(before))


def _collapsed(steps: Sequence[HistoryStep]) -> list[HistoryStep]:
    """Take what says the same value again right behind together, with all its places."""
    kept: list[HistoryStep] = []
    for step in steps:
        if kept and _says_the_same(kept[-1], step):
            kept[-1] = replace(kept[-1], also=(*kept[-1].also, step.place))
        else:
            kept.append(step)
    return kept


def _says_the_same(one: HistoryStep, other: HistoryStep) -> bool:
    is_one_voice = (one.holder, one.is_own, one.as_of is None) == (other.holder, other.is_own, other.as_of is None)
    said = one.value or one.place.quote
    return is_one_voice and said.casefold() == (other.value or other.place.quote).casefold()
