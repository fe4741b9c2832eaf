"""What two claims are to each other, as far as code can tell: by values first, then by what explains a difference.

A difference that time, scope, holder or another thing of the kind explains is no contradiction, and the verdict says
which of these it is. What has no value to compare is left to the judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vaultrag.contradictions.comparing.concepts import ClaimWord, are_alike
from vaultrag.contradictions.comparing.denials import denied_by_one
from vaultrag.contradictions.comparing.opposites import Opposed, is_another_modifier, opposites
from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.comparing.reasons import OF_KIND, Ground, Reason
from vaultrag.contradictions.comparing.scopes import Extent, is_planned, part_of, scopes_of
from vaultrag.contradictions.comparing.subjects import are_editions, two_of_a_kind
from vaultrag.contradictions.comparing.times import (
    TimeRelation,
    are_two_acts,
    is_event,
    is_of_one_day,
    is_within,
    later_of,
    may_change,
    opens_with_day,
    relation_in_time,
    replaces,
    says_again,
    says_update,
)
from vaultrag.contradictions.comparing.topics import Topic
from vaultrag.contradictions.comparing.values import NUMERIC, Compared, Relation, compare_values, relation_of
from vaultrag.domain import AsOfSource, Claim, PairVerdict, Stance, StatedKind
from vaultrag.text.language import fold
from vaultrag.text.morphology import grammar_of

SAID_AGAIN = 0.5  # of what each says: two claims that share so much, and their values, say the same
LONG_LIST = 2  # values: two claims of so many that share none are of two things
_IF = re.compile(r"\A[\W_]*(?:если|допустим|предположим|if|suppose|unless)\b|\b(?:бы|would have|could have)\b")
_TURNED = re.compile(r"→|->|=>")
_SUPPOSED = frozenset({Stance.ASKED, Stance.HYPOTHETICAL})


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where two claims differ so that both cannot be right of one thing at one time; `words` are what one denies.

    It `recurs` where two days of the month are told, as of what is due.
    """

    reason: Reason
    kind: StatedKind | None
    labelled: bool = False
    named: bool = False
    words: tuple[str, str] = ("", "")
    recurs: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """What code makes of a pair. `conflict` is the difference that was found, whether or not something explains it.

    `agreeing` counts the values that both give alike.
    """

    verdict: PairVerdict
    reason: Reason
    conflict: Conflict | None = None
    agreeing: int = 0


def compare(one: ReadClaim, other: ReadClaim, topic: Topic) -> Compare:
    """Return the verdict on two claims, if they speak of one thing; whether they do, `topic` tells."""
    first, second = one.claim, other.claim
    refused = _refusal(first, second)
    if refused:
        return Compare(*refused)
    compared = compare_values(first, second)
    agreeing = sum(pair.relation is Relation.SAME for pair in compared)
    opposed = opposites(one.words, other.words)
    conflict = _conflict(one, other, compared, opposed)
    if conflict is None:
        return _without_conflict(one, other, topic, compared, agreeing)
    explained = next(_explanations(one, other, topic, conflict, compared, opposed), None)
    verdict, reason = explained or (PairVerdict.CONTRADICTION, conflict.reason)
    return Compare(verdict, reason, conflict, agreeing)


def _refusal(one: Claim, other: Claim) -> tuple[PairVerdict, Reason] | None:
    """Tell what no difference is looked for in: statements of two people, or such as nobody asserts."""
    if Stance.REPORTED in (one.stance, other.stance):
        return PairVerdict.REPORTED_ONLY, Reason(Ground.REPORTED)
    if one.holder is not other.holder or (one.holder.value == "quoted" and one.speaker != other.speaker):
        return PairVerdict.DIFFERENT_HOLDER, Reason(Ground.HOLDER)
    if _SUPPOSED & {one.stance, other.stance} or any(_IF.search(fold(claim.quote)) for claim in (one, other)):
        return PairVerdict.INSUFFICIENT, Reason(Ground.SUPPOSED)
    return None


def _conflict(
    one: ReadClaim, other: ReadClaim, compared: Sequence[Compared], opposed: Sequence[Opposed]
) -> Conflict | None:
    apart = [pair for pair in compared if pair.relation is Relation.APART and pair.kind is not StatedKind.POLARITY]
    if apart:
        told = min(apart, key=lambda pair: (pair.kind is StatedKind.DATE, not pair.labelled, pair.kind not in NUMERIC))
        reason = Reason(OF_KIND[told.kind], told.one.words, told.other.words)
        recurs = told.one.text.startswith("---") and told.other.text.startswith("---")
        return Conflict(reason, told.kind, told.labelled, told.named, recurs=recurs)
    telling = [pair for pair in opposed if not (pair.is_condition or is_another_modifier(pair, one.words, other.words))]
    if telling:
        pair = min(telling, key=lambda pair: pair.tells_apart)
        return Conflict(Reason(Ground.OPPOSITE, pair.one.text, pair.other.text), StatedKind.TEXT)
    denied = denied_by_one(one.own, other.own)
    if denied:
        return Conflict(Reason(Ground.YES_NO), StatedKind.POLARITY, words=(denied[0].text, denied[1].text))
    polarity = [pair for pair in compared if pair.kind is StatedKind.POLARITY and pair.relation is Relation.APART]
    if polarity and polarity[0].labelled:
        return Conflict(Reason(Ground.YES_NO, polarity[0].one.words, polarity[0].other.words), StatedKind.POLARITY)
    return None


def _without_conflict(
    one: ReadClaim, other: ReadClaim, topic: Topic, compared: Sequence[Compared], agreeing: int
) -> Compare:
    if agreeing and agreeing == len(compared) and topic.share >= SAID_AGAIN:
        return Compare(PairVerdict.CONSISTENT, Reason(Ground.SAME), agreeing=agreeing)
    if _are_one_sentence(one, other):
        return Compare(PairVerdict.CONSISTENT, Reason(Ground.SAME), agreeing=agreeing)
    return Compare(PairVerdict.INSUFFICIENT, Reason(Ground.NOTHING), agreeing=agreeing)


def _are_one_sentence(one: ReadClaim, other: ReadClaim) -> bool:
    return [word.concept for word in one.words] == [word.concept for word in other.words]


def _explanations(
    one: ReadClaim,
    other: ReadClaim,
    topic: Topic,
    conflict: Conflict,
    compared: Sequence[Compared],
    opposed: Sequence[Opposed],
) -> Iterator[tuple[PairVerdict, Reason]]:
    """Yield what explains a difference, the surest first."""
    first, second = one.claim, other.claim
    kind = two_of_a_kind(one, other, topic.own_shared)
    if kind:
        yield PairVerdict.DIFFERENT_SUBJECT, kind
    if are_editions(first, second):
        yield PairVerdict.EVOLVED, Reason(Ground.CHANGED)
    if (first.stance is Stance.PLANNED) != (second.stance is Stance.PLANNED) or is_planned(first) != is_planned(second):
        yield PairVerdict.EVOLVED, Reason(Ground.PLAN)
    agree = any(pair.relation is Relation.SAME for pair in compared) or _share_amount(first, second)
    are_lists = min(_amounts(first), _amounts(second)) >= LONG_LIST
    if conflict.kind in NUMERIC and are_lists and not (agree or conflict.labelled):
        yield PairVerdict.DIFFERENT_SUBJECT, Reason(Ground.MODIFIER)
    modifier = _other_modifier(one.words, other.words)
    if modifier:
        yield PairVerdict.DIFFERENT_SUBJECT, Reason(Ground.MODIFIER, *modifier)
    if conflict.kind in NUMERIC or conflict.kind in (StatedKind.TIME, StatedKind.DATE):
        conditions = [pair for pair in opposed if not _is_what_differs(pair, conflict)]
        yield from _scope(first, second, conflict, conditions)
    yield from _time(first, second, conflict, compared)


def _amounts(claim: Claim) -> int:
    return sum(value.kind in NUMERIC for value in claim.values)


def _is_what_differs(pair: Opposed, conflict: Conflict) -> bool:
    """Tell whether two opposite words are the very values: on Thursdays and on Wednesdays is no condition of either."""
    return pair.one.text in conflict.reason.one and pair.other.text in conflict.reason.other


def _share_amount(one: Claim, other: Claim) -> bool:
    """Tell whether both give one amount, of whatever it is: over two languages labels do not meet."""
    first, second = ({(v.kind, v.magnitude) for v in claim.values if v.kind in NUMERIC} for claim in (one, other))
    return not first.isdisjoint(second)


def _scope(
    one: Claim, other: Claim, conflict: Conflict, opposed: Sequence[Opposed]
) -> Iterator[tuple[PairVerdict, Reason]]:
    scopes = scopes_of(one), scopes_of(other)
    if all(scopes) and scopes[0].isdisjoint(scopes[1]):
        yield PairVerdict.DIFFERENT_SCOPE, Reason(Ground.PER)
    if opposed:
        yield PairVerdict.DIFFERENT_SCOPE, Reason(Ground.CONDITION, opposed[0].one.text, opposed[0].other.text)
    parts = {part_of(one), part_of(other)}
    if conflict.kind in NUMERIC and len(parts) == 2 and parts & {Extent.PART, Extent.WHOLE}:
        yield PairVerdict.DIFFERENT_SCOPE, Reason(Ground.PART)
    if conflict.kind in (StatedKind.NUMBER, StatedKind.MONEY, StatedKind.MEASURE) and is_within(one, other):
        yield PairVerdict.DIFFERENT_SCOPE, Reason(Ground.PERIOD)


def _time(
    one: Claim, other: Claim, conflict: Conflict, compared: Sequence[Compared]
) -> Iterator[tuple[PairVerdict, Reason]]:
    relation, sides = relation_in_time(one, other), (one, other)
    if _TURNED.search(one.quote) or _TURNED.search(other.quote):
        yield PairVerdict.EVOLVED, Reason(Ground.CHANGED)
    if conflict.kind is StatedKind.DATE:
        if (
            are_two_acts(one, other)
            or any(map(says_again, sides))
            or all(map(opens_with_day, sides))
            or all(map(is_of_one_day, sides))
        ):
            yield PairVerdict.EVENT_HISTORY, Reason(Ground.TWO_EVENTS)
        return
    if any(pair.kind is StatedKind.DATE and pair.relation is Relation.APART for pair in compared) or _days_apart(
        *sides
    ):
        relation = TimeRelation.APART
    if relation is TimeRelation.APART and is_event(one) and is_event(other):
        yield PairVerdict.EVENT_HISTORY, Reason(Ground.TWO_EVENTS)
    values = (conflict.reason.one, conflict.reason.other)
    if relation in (TimeRelation.APART, TimeRelation.MAYBE) and says_update(later_of(one, other), values):
        yield PairVerdict.SUPERSEDED, Reason(Ground.UPDATE)
    if relation is TimeRelation.APART:
        yield PairVerdict.EVOLVED, Reason(Ground.CHANGED)
    if relation is TimeRelation.UNKNOWN and replaces(one, values) != replaces(other, values):
        yield PairVerdict.SUPERSEDED, Reason(Ground.UPDATE)
    if conflict.kind in NUMERIC - {StatedKind.MEASURE} and any(
        is_event(side) and is_of_one_day(side) for side in sides
    ):
        yield PairVerdict.INSUFFICIENT, Reason(Ground.UNDATED)  # what happened once is no rule
    if relation is TimeRelation.MAYBE:
        if conflict.kind in NUMERIC and (may_change(one) or may_change(other)):
            yield PairVerdict.INSUFFICIENT, Reason(Ground.UNDATED)
        if is_of_one_day(one) or is_of_one_day(other) or _names_its_time(one) or _names_its_time(other):
            yield PairVerdict.INSUFFICIENT, Reason(Ground.UNDATED)


def _days_apart(one: Claim, other: Claim) -> bool:
    """Tell whether each claim names days, whatever of, none of which may be one of the other's."""
    days, others = ([value for value in claim.values if value.kind is StatedKind.DATE] for claim in (one, other))
    pairs = [relation_of(day, another) for day in days for another in others if day.text and another.text]
    return bool(pairs) and all(relation is Relation.APART for relation in pairs)


def _names_its_time(claim: Claim) -> bool:
    return claim.as_of is not None and claim.as_of.source is not AsOfSource.NOTE


def _other_modifier(one: Sequence[ClaimWord], other: Sequence[ClaimWord]) -> tuple[str, str] | None:
    """Return the adjectives before one noun, where both claims have such and they differ: «верхняя», «нижняя»."""
    for a, first in pairwise(one):
        for b, second in pairwise(other):
            if (
                are_alike(first, second)
                and not are_alike(a, b)
                and _is_adjective(a.text)
                and _is_adjective(b.text)
                and not _is_adjective(first.text)
            ):
                return a.text, b.text
    return None


def _is_adjective(word: str) -> bool:
    readings = grammar_of(word)
    return bool(readings) and readings[0].pos in ("ADJF", "PRTF")
