"""One look for contradictions: changed claims are paired with their like, compared by code, judged, and gated."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.comparing.reasons import Ground, Reason
from vaultrag.contradictions.comparing.topics import Topic, topic_at, topic_of
from vaultrag.contradictions.comparing.verdicts import Compare, Conflict, compare
from vaultrag.contradictions.decision import ComparedPair, PairDecision, PairEvidence, decide
from vaultrag.contradictions.gates import Gate, Removal, TextAt, through_gates
from vaultrag.contradictions.hearing import Hearing, Judges, Keys, Said, ordered
from vaultrag.contradictions.pairing.candidates import ClaimPair, candidates
from vaultrag.contradictions.pairing.index import ClaimIndex
from vaultrag.contradictions.pairing.neighbours import Neighbourhood
from vaultrag.domain import (
    AsOf,
    Claim,
    ClaimFinding,
    FindingKind,
    Holder,
    PairVerdict,
    Vectors,
    Verdict,
)

RECIPE = "3"
"""Raise it whenever the same claims would be paired or compared otherwise."""

FEWEST_CLAIMS = 100  # of fewer the likest pair of all is no rare one: nearness then tells nothing


@dataclass(frozen=True, slots=True)
class PairScan:
    """What one look found. `verdicts` counts all pairs that were compared; `judged` is what each judge said anew.

    `owed` are the changed claims of pairs that a judge was not reached about, or failed on. `removed` is what the gates
    and judges took out, `told` the verdict on every pair that was compared.
    """

    found: tuple[PairFinding, ...]
    removed: tuple[PairFinding, ...]
    verdicts: Mapping[PairVerdict, int]
    judged: Mapping[str, Said]
    owed: frozenset[str] = frozenset()
    told: Mapping[Keys, PairDecision] = field(default_factory=dict)

    @property
    def unjudged(self) -> frozenset[Keys]:
        """The pairs whose judge failed or was not reached."""
        return frozenset(keys for said in self.judged.values() for keys, told in said.items() if told is None)

    @property
    def not_judged(self) -> int:
        return len(self.unjudged)


@dataclass(frozen=True, slots=True)
class PairFinding:
    """Two claims that cannot both hold now, and why; `removal` where a gate says that it is not shown."""

    one: Claim
    other: Claim
    told: PairDecision
    removal: Removal | None = None

    @property
    def kind(self) -> FindingKind:
        """What it is to the user. What assistants say is theirs, whatever they differ in."""
        if Holder.ASSISTANT in (self.one.holder, self.other.holder):
            return FindingKind.ASSISTANTS
        if self.told.possible:
            return FindingKind.POSSIBLE
        return FindingKind.SUPERSEDED if self.told.verdict is PairVerdict.SUPERSEDED else FindingKind.CONTRADICTION

    def said(self, language: str, found_at: str = "", decided: Verdict | None = None) -> ClaimFinding:
        """Return it for a reader of this language, the earlier side first where both have a day."""
        one, other, reason = self.one, self.other, self.told.reason
        if one.as_of and other.as_of and _day(other.as_of) < _day(one.as_of):
            one, other, reason = other, one, Reason(reason.ground, reason.other, reason.one)
        return ClaimFinding(
            key=pair_key(one, other),
            kind=self.kind,
            one=one,
            other=other,
            verdict=self.told.verdict,
            confidence=self.told.confidence,
            reason=reason.said(language),
            found_at=found_at,
            decided=decided,
            gate=self.removal.gate.value if self.removal else "",
        )


def _day(as_of: AsOf) -> str:
    return as_of.first or as_of.last


def scan(
    claims: Sequence[Claim],
    changed: Collection[str],
    text_at: TextAt,
    judges: Judges,
    vectors: Vectors | None = None,
) -> PairScan:
    """Compare the changed claims, by their keys, with all others. `vectors` are those of the claims, in their order."""
    scanner = Scanner(claims, vectors)
    return scanner.decided(scanner.pairs(changed), changed, text_at, judges)


class Scanner:
    """The claims of a vault, read once, and compared as many at a time as somebody asks for: no pair twice."""

    def __init__(self, claims: Sequence[Claim], vectors: Vectors | None = None) -> None:
        self._claims = claims
        self._index = ClaimIndex(claims)
        known = vectors if len(claims) >= FEWEST_CLAIMS else None
        self._neighbourhood = None if known is None else Neighbourhood(known, [one.language for one in claims])
        self._places = {claim.key: place for place, claim in enumerate(claims)}
        self._met: dict[int, array[int]] = {}

    def pairs(self, changed: Iterable[str]) -> list[ComparedPair]:
        """Compare some claims, by their keys, with all others; what was compared by an earlier call is left out."""
        places = sorted(self._places[key] for key in changed)
        found = [
            candidate
            for candidate in candidates(self._index, places, self._neighbourhood)
            if candidate.one not in self._met.get(candidate.other, ())
            and candidate.other not in self._met.get(candidate.one, ())
        ]
        own = set(places)
        for candidate in found:
            for mine, other in ((candidate.one, candidate.other), (candidate.other, candidate.one)):
                if mine in own and other not in own:
                    self._met.setdefault(other, array("L")).append(mine)
        return [_compared(self._index, candidate) for candidate in found]

    def claims_of(self, pair: ComparedPair) -> tuple[Claim, Claim]:
        return self._claims[pair.candidate.one], self._claims[pair.candidate.other]

    def decided(
        self, pairs: Sequence[ComparedPair], changed: Collection[str], text_at: TextAt, judges: Judges
    ) -> PairScan:
        """Ask the judges about pairs, and return what comes of them; `changed` are the claims that may stay owed."""
        hearing = Hearing(self.claims_of, judges)
        decided = [(pair, decide(pair.compared, evidence)) for pair, evidence in hearing.evidence(pairs)]
        findings = [one for pair, told in decided for one in _finding(self.claims_of(pair), pair, told, text_at)]
        own = set(changed)
        unjudged = {keys for said in hearing.told.values() for keys, told in said.items() if told is None}
        findings.sort(key=lambda finding: (finding.told.possible, -finding.told.confidence))
        return PairScan(
            found=tuple(finding for finding in findings if not finding.removal),
            removed=tuple(finding for finding in findings if finding.removal),
            verdicts=Counter(told.verdict for _, told in decided),
            judged=hearing.told,
            owed=frozenset(key for keys in unjudged for key in keys if key in own),
            told={ordered(*self.claims_of(pair)): told for pair, told in decided},
        )


def pair_key(one: Claim, other: Claim) -> str:
    """Return the key of a pair in any order; it changes with the words, dates or holder of either side."""
    return hashlib.sha256("\n".join(sorted((one.key, other.key))).encode()).hexdigest()[:24]


def _compared(index: ClaimIndex, candidate: ClaimPair) -> ComparedPair:
    one, other = index.readings[candidate.one], index.readings[candidate.other]
    topic = topic_of(one, other, index.rarity)
    compared = compare(one, other, topic)
    if compared.conflict is not None:
        topic = _narrowed(index, topic, one, other, compared.conflict)
    is_open = compared.verdict in (PairVerdict.CONTRADICTION, PairVerdict.SUPERSEDED, PairVerdict.INSUFFICIENT)
    if is_open and _is_habit(index, candidate):
        compared = Compare(PairVerdict.EVOLVED, Reason(Ground.SERIES), compared.conflict, compared.agreeing)
    return ComparedPair(candidate, compared, PairEvidence(topic, candidate.percentile))


def _narrowed(index: ClaimIndex, topic: Topic, one: ReadClaim, other: ReadClaim, conflict: Conflict) -> Topic:
    is_denial = bool(conflict.words[0])
    values = conflict.words if is_denial else (conflict.reason.one, conflict.reason.other)
    return topic_at(topic, one, other, values, index.rarity, is_denial=is_denial) if values[0] else topic


def _is_habit(index: ClaimIndex, candidate: ClaimPair) -> bool:
    """Tell whether a note says the like again and again, each of its own time, so that two values tell nothing."""
    one, other = index.readings.claims[candidate.one], index.readings.claims[candidate.other]
    if one.path != other.path and one.as_of and other.as_of and one.as_of.first == other.as_of.first:
        return False
    return index.is_in_series(candidate.one) or index.is_in_series(candidate.other)


def _finding(
    claims: tuple[Claim, Claim], pair: ComparedPair, told: PairDecision, text_at: TextAt
) -> Iterator[PairFinding]:
    """Yield what is shown of a pair, or what a gate or a judge keeps back."""
    if told.is_shown:
        yield PairFinding(*claims, told, through_gates(*claims, text_at))
    elif told.is_taken_back and pair.compared.verdict is PairVerdict.CONTRADICTION:
        gate = Gate.FOLLOWS if told.reason.ground is Ground.ENTAILED else Gate.READ
        yield PairFinding(*claims, told, Removal(gate, claims[0], ""))
