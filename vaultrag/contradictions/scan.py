"""One look for contradictions: changed claims are paired with their like, compared by code, judged, and gated."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from vaultrag.contradictions.comparing.reading import ReadClaim
from vaultrag.contradictions.comparing.reasons import Ground, Reason
from vaultrag.contradictions.comparing.topics import topic_of
from vaultrag.contradictions.comparing.verdicts import Compare, compare
from vaultrag.contradictions.decision import PairDecision, PairEvidence, decide, is_worth_judging, likelihood
from vaultrag.contradictions.gates import Removal, TextAt, through_gates
from vaultrag.contradictions.judging import BATCH, Veto, judged, vetoed
from vaultrag.contradictions.pairing.candidates import ClaimPair, candidates
from vaultrag.contradictions.pairing.index import ClaimIndex
from vaultrag.contradictions.pairing.neighbours import Neighbourhood
from vaultrag.domain import (
    Claim,
    ClaimFinding,
    FindingKind,
    Holder,
    PairJudge,
    PairJudgement,
    PairVerdict,
    Vectors,
    Verdict,
)

RECIPE = "1"
"""Raise it whenever the same claims would be paired or compared otherwise."""

FEWEST_CLAIMS = 100  # of fewer the likest pair of all is no rare one: nearness then tells nothing

Judged: TypeAlias = Mapping[tuple[str, str], PairJudgement]
"""What a judge said of pairs, by the keys of both claims in order."""


@dataclass(frozen=True, slots=True)
class Judges:
    """Who is asked, if anybody, and what they said before. `goes_on` ends the asking where a budget does."""

    judge: PairJudge | None = None
    veto: Veto | None = None
    known: Judged = field(default_factory=dict)
    goes_on: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class PairScan:
    """What one look found. `verdicts` counts all pairs that were compared, `judged` is what the judge said anew, None
    where it did not.

    `not_judged` are pairs whose judge failed or was not reached, and `owed` the changed claims of such. `removed` is
    what the gates took out, `told` the verdict on every pair that was compared.
    """

    found: tuple[PairFinding, ...]
    removed: tuple[PairFinding, ...]
    verdicts: Mapping[PairVerdict, int]
    judged: Mapping[tuple[str, str], PairJudgement | None]
    not_judged: int
    owed: frozenset[str] = frozenset()
    told: Mapping[tuple[str, str], PairDecision] = field(default_factory=dict)


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
        """Return it for a reader of this language."""
        return ClaimFinding(
            key=pair_key(self.one, self.other),
            kind=self.kind,
            one=self.one,
            other=self.other,
            verdict=self.told.verdict,
            confidence=self.told.confidence,
            reason=self.told.reason.said(language),
            found_at=found_at,
            decided=decided,
            gate=self.removal.gate.value if self.removal else "",
        )


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Two claims by their places, what code makes of them, and what it knows of them beside their words."""

    candidate: ClaimPair
    compared: Compare
    evidence: PairEvidence

    @property
    def likelihood(self) -> float:
        return likelihood(self.compared, self.evidence)


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
        self._index = ClaimIndex([ReadClaim.of(claim) for claim in claims])
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
        asking = _Asking(self, judges)
        decided = [(pair, decide(pair.compared, evidence)) for pair, evidence in asking.asked(pairs)]
        findings = [_finding(self.claims_of(pair), told, text_at) for pair, told in decided if _is_shown(told)]
        findings.sort(key=lambda finding: (finding.told.possible, -finding.told.confidence))
        return PairScan(
            found=tuple(finding for finding in findings if not finding.removal),
            removed=tuple(finding for finding in findings if finding.removal),
            verdicts=Counter(told.verdict for _, told in decided),
            judged=asking.told,
            not_judged=asking.not_judged,
            owed=frozenset(asking.owed & set(changed)),
            told={ordered(*self.claims_of(pair)): told for pair, told in decided},
        )


def pair_key(one: Claim, other: Claim) -> str:
    """Return the key of a pair in any order; it changes with the words, dates or holder of either side."""
    return hashlib.sha256("\n".join(sorted((one.key, other.key))).encode()).hexdigest()[:24]


def ordered(one: Claim, other: Claim) -> tuple[str, str]:
    """Return the keys of two claims, the lesser first."""
    return (one.key, other.key) if one.key <= other.key else (other.key, one.key)


def _compared(index: ClaimIndex, candidate: ClaimPair) -> ComparedPair:
    one, other = index.readings[candidate.one], index.readings[candidate.other]
    topic = topic_of(one, other, index.rarity)
    compared = compare(one, other, topic)
    is_open = compared.verdict in (PairVerdict.CONTRADICTION, PairVerdict.INSUFFICIENT)
    if is_open and _is_habit(index, candidate):
        compared = Compare(PairVerdict.EVOLVED, Reason(Ground.SERIES), compared.conflict, compared.agreeing)
    return ComparedPair(candidate, compared, PairEvidence(topic, candidate.percentile))


def _is_habit(index: ClaimIndex, candidate: ClaimPair) -> bool:
    """Tell whether a note says the like again and again, each of its own time, so that two values tell nothing."""
    one, other = index.readings[candidate.one].claim, index.readings[candidate.other].claim
    if one.path != other.path and one.as_of and other.as_of and one.as_of.first == other.as_of.first:
        return False
    return index.is_in_series(candidate.one) or index.is_in_series(candidate.other)


def _is_shown(told: PairDecision) -> bool:
    return told.verdict in (PairVerdict.CONTRADICTION, PairVerdict.SUPERSEDED) and told.confidence > 0.0


def _finding(claims: tuple[Claim, Claim], told: PairDecision, text_at: TextAt) -> PairFinding:
    return PairFinding(*claims, told, through_gates(*claims, text_at))


class _Asking:
    """The pairs that a judge is asked about, the likeliest first, and what it said."""

    def __init__(self, scanner: Scanner, judges: Judges) -> None:
        self._claims_of = scanner.claims_of
        self._judges = judges
        self.told: dict[tuple[str, str], PairJudgement | None] = {}
        self.not_judged = 0
        self.owed: set[str] = set()

    def asked(self, pairs: Sequence[ComparedPair]) -> Iterator[tuple[ComparedPair, PairEvidence]]:
        """Yield each pair with what is known of it once the judges were asked."""
        wanted = sorted(
            (pair for pair in pairs if is_worth_judging(pair.compared, pair.evidence)),
            key=lambda pair: -pair.likelihood,
        )
        known = self._judged(wanted) if self._judges.judge or self._judges.veto else {}
        for pair in pairs:
            yield pair, known.get(id(pair), pair.evidence)

    def _judged(self, wanted: Sequence[ComparedPair]) -> dict[int, PairEvidence]:
        self._ask([pair for pair in wanted if ordered(*self._claims_of(pair)) not in self._judges.known])
        judgements = {**self.told, **self._judges.known}
        told: dict[int, PairEvidence] = {}
        for pair in wanted:
            judgement = judgements.get(ordered(*self._claims_of(pair)))
            if judgement is None and self._judges.judge:
                self.not_judged += 1
                self.told[ordered(*self._claims_of(pair))] = None
                self.owed |= {claim.key for claim in self._claims_of(pair)}
            told[id(pair)] = replace(pair.evidence, judgement=judgement)
        return self._unless_entailed(wanted, told)

    def _ask(self, pairs: Sequence[ComparedPair]) -> None:
        judge = self._judges.judge
        for start in range(0, len(pairs), BATCH):
            if judge is None or not self._judges.goes_on():
                return
            batch = [self._claims_of(pair) for pair in pairs[start : start + BATCH]]
            told = judged(judge, batch)
            self.told.update(zip((ordered(one, other) for one, other in batch), told, strict=True))

    def _unless_entailed(
        self, wanted: Sequence[ComparedPair], told: dict[int, PairEvidence]
    ) -> dict[int, PairEvidence]:
        """Ask the veto about what would be shown."""
        veto = self._judges.veto
        shown = [pair for pair in wanted if _is_shown(decide(pair.compared, told[id(pair)]))]
        if veto is None or not shown or not self._judges.goes_on():
            return told
        for pair, entailed in zip(shown, vetoed(veto, [self._claims_of(pair) for pair in shown]), strict=True):
            told[id(pair)] = replace(told[id(pair)], entailed=bool(entailed))
        return told
