"""From claims to the history of one attribute: those that give it a value of one kind, in order of time.

Beside what is found by words stands what continues it: the next lines of a dated list, «с 1 сентября – 70» behind
«берёт 50 за час».
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TypeAlias

from vaultrag.contradictions.claims.times import times_in
from vaultrag.contradictions.histories.asked import AskedHistory
from vaultrag.contradictions.histories.candidates import NearClaim
from vaultrag.contradictions.histories.parts import NUMERIC, ClaimPart, day_off, parts_of, replaced, within
from vaultrag.contradictions.histories.relevance import (
    ALIKE,
    LEAST,
    NEAR,
    WORDS_OF_MONEY,
    Likeness,
    Relevant,
    decides,
    says_in_words,
    weighed_claims,
)
from vaultrag.contradictions.histories.values import counts_it, is_keyed, value_of
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
    SubjectSource,
)
from vaultrag.text.quantities.read import find_quantities

NUMERIC_SHARE = 0.6  # of the claims found, by weight: then the value is a number, unless words are asked for
LEADS = 0.85  # of the best claim's share: these tell of what kind the value is
BESIDE = 0.3  # of a claim's vote, for the kinds of its further values: "one week, Monday 10:00" tells how long
LINE = 3.0  # votes of a claim with a date of its own: so a value's history is written
LONGEST_SERIES = 25  # dated lines of a section: more are a diary, whose lines speak of anything
NEAR_AS_LINE = 0.6  # of the best claim's share, for a line of a dated list
NEAR_A_SERIES = 0.85  # of the score of a list that tells a history: what is less near speaks of its like
NEAR_IN_WORDS = 0.72  # where no kind of value tells what answers
SERIES_BONUS = 0.12  # for the second and third line of a dated list: so histories are written
TELLING = 3  # lines of a list, the nearest, that tell how near it is
LIKE_A_LINE = 0.3  # likeness, of a dated line where two of its list were found
LEAST_OF_ALL = 0.3  # of the question's words
BEHIND = 3  # claims: so far behind one «с тех пор» and "before that" may go on from it
MEASURED = (StatedKind.SHARE, StatedKind.MONEY, StatedKind.MEASURE)  # so a value tells itself what it is of
CLEAR = 4  # power of a share as a vote: what speaks of it clearly outvotes what does so by half
CHANGE = 1.5  # votes of one that says what was before
SERIES = 2  # dated lines of one section that give a value: another one gives it, too, in words
Order: TypeAlias = tuple[str, int, float]
"""What a step is put in order by: since when, of what ended before the later end first, then how near it is."""
_GOES_ON = re.compile(
    r"\W*(?:back to|then|now|later|since|from|снова|опять|потом|теперь|сейчас|затем|обратно|с|со|until|before"
    r"|previously|earlier|after that|до этого|до того|раньше|прежде|после этого)\b",
    re.IGNORECASE,
)
_WAS = re.compile(r"\W*(?:был[оаи]?|was|were|used to be)\b", re.IGNORECASE)
BARE_WORDS = 5  # of «Было 800.»: more is a sentence of its own
_SINCE_THEN = re.compile(
    r"\W*(?:since then|after that|from then on|с тех пор|после этого|потом|затем|then)\b", re.IGNORECASE
)
_BEFORE_THAT = re.compile(
    r"\W*(?:before (?:that|then)|previously|earlier|до этого|до того|раньше|прежде)\b", re.IGNORECASE
)
_AFTERTHOUGHT = re.compile(r",\s*(?:с|со|since|from)\s[^,]*\W*\Z", re.IGNORECASE)


def chain_of(
    asked: AskedHistory, candidates: Sequence[NearClaim], like: Likeness | None = None
) -> tuple[HistoryStep, ...]:
    """Return the values that candidates give to what is asked for, in order of time; they stand as in their notes."""
    weighed = weighed_claims(asked, candidates, like)
    best = max((one.share for one in weighed), default=0.0)
    if best < LEAST:
        return ()
    kind = _kind(asked, [one for one in weighed if one.share >= NEAR * best])
    if kind and asked.is_amount:
        leading = (one for one in weighed if one.share >= NEAR * best)
        asked = replace(asked, counts=any(counts_it(asked, one.claim.values) for one in leading))
    taken = _with_series(asked, _taken(asked, weighed, kind), weighed, kind)
    lists = Counter(_section(one.claim) for one in taken if _is_dated(one.claim) and _gives(asked, one, kind))
    told = {(_section(one.claim), one.claim.as_of) for one in taken if _gives(asked, one, kind)}
    steps: list[tuple[Order, HistoryStep]] = []
    last = -BEHIND
    for one in taken:
        section = _section(one.claim)
        is_line = _is_dated(one.claim) and lists[section] >= SERIES and (section, one.claim.as_of) not in told
        if is_line or _gives(asked, one, kind):
            steps += _steps(asked, one, kind, steps[-1][1] if one.place - last < BEHIND else None)
            last = one.place
    return tuple(_collapsed([step for _, step in sorted(steps, key=lambda pair: pair[0])]))


def _taken(asked: AskedHistory, weighed: Sequence[Relevant], kind: StatedKind | None) -> list[Relevant]:
    """Return what gives the value and speaks of it nearly as well as what does so best: a dated list, or one claim.

    Beside a list that tells the history what stands elsewhere must speak of it nearly as well.
    """
    giving = [one for one in weighed if one.share and _gives(asked, one, kind)]
    best = max((one.share for one in giving), default=0.0)
    groups = _groups([one for one in giving if one.share >= max(LEAST_OF_ALL, NEAR_AS_LINE * best)], weighed)
    scores = [_score(group) for group in groups]
    own = [score for group, score in zip(groups, scores, strict=True) if any(_is_own(one.claim) for one in group)]
    lead = max(own or scores, default=0.0)
    is_list = any(_times(group) >= SERIES and score >= lead for group, score in zip(groups, scores, strict=True))
    needed = NEAR_A_SERIES if is_list else NEAR if kind else NEAR_IN_WORDS
    if lead < LEAST:
        return []
    taken = [one for group, score in zip(groups, scores, strict=True) if score >= needed * lead for one in group]
    return sorted(taken, key=lambda one: one.place)


def _groups(giving: Sequence[Relevant], weighed: Sequence[Relevant]) -> list[list[Relevant]]:
    """Return the dated lines of one list together, and each other claim alone; a diary's lines are none of a list."""
    dated = Counter(_section(one.claim) for one in weighed if _is_dated(one.claim))
    groups: dict[object, list[Relevant]] = defaultdict(list)
    for one in giving:
        section = _section(one.claim)
        is_line = _is_dated(one.claim) and dated[section] <= LONGEST_SERIES
        groups[section if is_line else one.place].append(one)
    return list(groups.values())


def _score(group: Sequence[Relevant]) -> float:
    best = sorted((one.share for one in group), reverse=True)[:TELLING]
    return sum(best) / len(best) + SERIES_BONUS * min(2, _times(group) - 1)


def _times(group: Sequence[Relevant]) -> int:
    """Return of how many times a list, or a sentence that lists values, tells."""
    return len({part.as_of for one in group for part in parts_of(one.claim)})


def _kind(asked: AskedHistory, found: Sequence[Relevant]) -> StatedKind | None:
    """Return of which kind the value is, by what speaks of it best; None where words say it."""
    if asked.in_words:
        return None
    own = [one for one in found if _is_own(one.claim)] or list(found)
    best = max(one.share for one in own)
    weights = [(one, one.share**CLEAR * _telling(one.claim)) for one in own if one.share >= LEADS * best]
    votes: dict[StatedKind, float] = defaultdict(float)
    for one, weight in weights:
        for rank, kind in enumerate(dict.fromkeys(value.kind for value in one.claim.values if value.kind in NUMERIC)):
            votes[kind] += weight * (BESIDE if rank else 1.0)
            if asked.unit and any(value.unit == asked.unit for value in one.claim.values if value.kind is kind):
                votes[kind] += weight * LINE
    if not votes:
        return None
    if StatedKind.MONEY in votes and any(one.word.concept in WORDS_OF_MONEY for one in asked.words):
        return StatedKind.MONEY
    counted = sum(weight for one, weight in weights if any(value.kind in NUMERIC for value in one.claim.values))
    is_number = asked.is_amount or counted >= NUMERIC_SHARE * sum(weight for _, weight in weights)
    if not is_number:
        return None

    def lead(kind: StatedKind) -> tuple[float, float]:
        groups = _groups([one for one in own if _gives(asked, one, kind)], found)
        return round(max(map(_score, groups), default=0.0), 1), votes[kind]

    return max(votes, key=lead)


def _telling(claim: Claim) -> float:
    """Return how many votes a claim has: so a history is written, with a date of its own, or with what was before."""
    return LINE if _is_dated(claim) else CHANGE if replaced(claim.quote) else 1.0


def _with_series(
    asked: AskedHistory, found: Sequence[Relevant], weighed: Sequence[Relevant], kind: StatedKind | None
) -> list[Relevant]:
    """Add what goes on where something was found: dated lines of the same section, and bare values right behind."""
    taken = {one.place: one for one in found}
    sections = {_section(one.claim): one for one in found if one.says or one.like >= ALIKE}
    counts = Counter(_section(one.claim) for one in found if _is_dated(one.claim))
    lines = Counter(_section(one.claim) for one in weighed if _is_dated(one.claim))
    best = max((one.share for one in found), default=0.0)
    pages = {_page(one.claim) for one in found if _is_dated(one.claim) and one.share >= NEAR * best}
    for place, one in enumerate(weighed):
        if place in taken or one.lacks_a_name:
            continue
        before, section = taken.get(place - 1), _section(one.claim)
        if before and _page(before.claim) == _page(one.claim) and _goes_on(one.claim, kind):
            taken[place] = replace(one, share=before.share, headed=True, is_named=before.is_named)
            continue
        if _page(one.claim) in pages and _is_measured(one.claim, kind) and _gives(asked, one, kind):
            taken[place] = replace(one, share=best, headed=True)
            continue
        may_be_line = section in sections and _is_dated(one.claim) and lines[section] <= LONGEST_SERIES
        if may_be_line and _is_line(asked, one, kind, counts[section]):
            taken[place] = replace(one, share=sections[section].share, headed=True, said=frozenset(asked.words))
    return [taken[place] for place in sorted(taken)]


def _is_line(asked: AskedHistory, one: Relevant, kind: StatedKind | None, count: int) -> bool:
    """Tell whether a dated line goes on with the list in which so many were found."""
    claim = one.claim
    if kind is None and decides(claim):
        return True
    is_listed = bool(claim.heading_path or claim.lead) and count > 0
    if not asked.in_words:
        return is_listed
    is_item = claim.context is not ClaimContext.PROSE and is_listed
    return (is_item and one.says) or (count >= SERIES and one.like >= LIKE_A_LINE and not asked.alternatives)


def _gives(asked: AskedHistory, one: Relevant, kind: StatedKind | None) -> bool:
    if kind is None:
        return says_in_words(asked, one)
    return any(value_of(asked, part, kind) for part in parts_of(one.claim))


def _section(claim: Claim) -> tuple[object, ...]:
    """Return what lines of one list share: a column and what its rows name, or the key of an item that tells all."""
    column = claim.attribute if is_keyed(claim) or claim.context is ClaimContext.CELL else ""
    is_of_row = claim.context is ClaimContext.CELL and claim.subject_from is SubjectSource.ROW
    row = claim.subject if is_of_row and not times_in(claim.subject, None) else ""
    return claim.path, claim.heading_path, claim.lead, column, row, claim.holder is Holder.ASSISTANT


def _is_measured(claim: Claim, kind: StatedKind | None) -> bool:
    is_of_kind = kind in MEASURED and any(value.kind is kind for value in claim.values)
    return is_of_kind and _is_dated(claim) and claim.context is not ClaimContext.CELL


def _page(claim: Claim) -> tuple[object, ...]:
    return claim.path, claim.heading_path, claim.holder is Holder.ASSISTANT


def _is_dated(claim: Claim) -> bool:
    return claim.as_of is not None and claim.as_of.source is AsOfSource.TEXT


def _goes_on(claim: Claim, kind: StatedKind | None) -> bool:
    is_bare = kind is not None and not claim.attribute and any(value.kind in NUMERIC for value in claim.values)
    return is_bare or bool(_GOES_ON.match(claim.quote))


def _steps(
    asked: AskedHistory, one: Relevant, kind: StatedKind | None, before: HistoryStep | None
) -> list[tuple[Order, HistoryStep]]:
    """Return what a claim tells, each with what it is put in order by: a part without a date behind the one before.

    Of one day the nearest to what is asked for stands last, without a date first: so it is the one that is held.
    """
    claim = one.claim
    found: list[tuple[Order, HistoryStep]] = []
    for part in parts_of(claim):
        value = value_of(asked, part, kind)
        if part.told and kind and not value:
            continue
        as_of = _beside(part, before) or _as_of(part, one.day)
        step = HistoryStep(
            value=value,
            as_of=as_of,
            holder=claim.holder,
            speaker=claim.speaker,
            stance=claim.stance,
            is_own=_is_own(claim),
            place=QuotedPlace(claim.path, claim.title, within(claim.span, claim.quote, part.quote), part.quote),
            follows=as_of is None and bool(found),
            is_named=one.is_named,
        )
        order = _order(as_of, one.share) if as_of else found[-1][0] if found else ("~", 0, -one.share)
        found.append((order, step))
    return found


def _beside(part: ClaimPart, before: HistoryStep | None) -> AsOf | None:
    """Return when "since then …" and "before that …" held, right behind what says until or since when."""
    told = before.as_of if before and before.place.path == part.claim.path else None
    if part.as_of is not None and part.as_of.source is AsOfSource.TEXT:
        return None
    if told and told.last and _SINCE_THEN.match(part.quote):
        return AsOf(day_off(told.last, 1), "", told.source, told.year_known)
    is_was = _WAS.match(part.quote) and len(part.quote.split()) <= BARE_WORDS
    if told and told.first and (is_was or _BEFORE_THAT.match(part.quote)):
        return AsOf("", day_off(told.first, -1), told.source, told.year_known)
    return None


def _order(as_of: AsOf, share: float) -> Order:
    ended = -date.fromisoformat(as_of.last).toordinal() if not as_of.first and as_of.last else 0
    return as_of.first, ended, share


def _as_of(part: ClaimPart, day: str) -> AsOf | None:
    """Return when it held; «35 в неделю, с 2016-го» tells since when one runs, and 35 is of the day of the note."""
    as_of = part.as_of
    if as_of and day and not as_of.last and as_of.first < day and _AFTERTHOUGHT.search(part.quote):
        return AsOf(day, day, AsOfSource.NOTE)
    return as_of


def _is_own(claim: Claim) -> bool:
    if claim.holder is Holder.USER:
        return claim.stance is Stance.ASSERTED
    before, colon, _ = claim.quote.partition(":")
    return claim.holder is Holder.QUOTED and bool(colon) and decides(replace(claim, quote=before))


def _collapsed(steps: Sequence[HistoryStep]) -> list[HistoryStep]:
    """Take what says the same value again together, with all its places, where nothing else came between."""
    kept: list[HistoryStep] = []
    for step in steps:
        last = next((place for place in range(len(kept) - 1, -1, -1) if kept[place].is_own == step.is_own), -1)
        if last >= 0 and _says_the_same(kept[last], step):
            kept[last] = replace(kept[last], also=(*kept[last].also, step.place))
        else:
            kept.append(step)
    return kept


def _says_the_same(one: HistoryStep, other: HistoryStep) -> bool:
    is_one_voice = (one.holder, one.is_own, one.as_of is None) == (other.holder, other.is_own, other.as_of is None)
    said, again = (step.value or step.place.quote for step in (one, other))
    return is_one_voice and (said.casefold() == again.casefold() or _is_one_amount(one.value, other.value))


def _is_one_amount(one: str, other: str) -> bool:
    """Tell whether «950 $» and «950» are one amount."""
    first, second = find_quantities(one)[:1], find_quantities(other)[:1]
    return bool(first and second) and all(
        (a.low, a.high) == (b.low, b.high) and (a.unit == b.unit or not a.unit or not b.unit)
        for a, b in zip(first, second, strict=True)
    )
