"""From what code and judges make of a pair to a verdict: a judge proposes, slots and gates decide, a veto takes back.

What two claims share decides first. Without a difference that code found the judge alone speaks, and the pair is only
"possible". With one, only what follows is taken back: that a small judge sees no contradiction is no reason, for it
missed a third of the true ones; that a large model sees none that read both is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from vaultrag.contradictions.comparing.reasons import Ground, Reason
from vaultrag.contradictions.comparing.topics import LONG, Topic
from vaultrag.contradictions.comparing.values import WORDED
from vaultrag.contradictions.comparing.verdicts import Compare, Conflict
from vaultrag.contradictions.pairing.candidates import ClaimPair
from vaultrag.domain import PairJudgement, PairVerdict, StatedKind

# Chosen on the tuning half of fixtures/contradictions.toml and what was found beside it, none for a single pair.
LEAST_SHARE = 0.2  # of what each claim says that the other says or stands under
LONG_SHARE = 0.35  # of what a long claim says that counts something
LONG_DENIAL_SHARE = 0.5
DENIAL_SHARE = 0.3  # of a pair that only a "not" or an opposite word sets apart
KEYED_SHARE = 0.4  # of a pair that gives one key two values
FEWEST_SHARED = 2  # words: one is none, unless both name their value by it
LEAST_SHARED = 2.8  # rarity of the words that both have: one rare word or two common ones
OPPOSITE_OWN = 6.0  # the same, of two words that exclude each other
DENIAL_OWN = 8.0  # rarity of the words that both say themselves
DATE_OWN = 8.0  # two days are of one event only where it is told in the same words
LEAST_NEAR = 98.5  # percent of the pairs drawn at random that are farther apart in meaning
USUAL_NEAR = 99.0  # of a pair that shares few words
MUCH_SHARED = 6.0  # rarity of words that are no few
ALL = 0.95  # of what is said: then only what they stand under can tell two things apart
NEAREST = 99.9  # so near in meaning they need not stand under one name
POSSIBLE = 0.95  # of the judge, where no value tells: at .9 it proposes some 45 pairs of the fixture, none listed
LIKELY = 0.5  # of the judge, from which on it agrees
FOLLOWS = 0.9  # of the judge's entailment

_TAKEN_BACK = frozenset({Ground.ENTAILED, Ground.READ})
_DENIALS = {Ground.YES_NO: DENIAL_OWN, Ground.OPPOSITE: OPPOSITE_OWN}


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """What is known of a pair besides its words.

    `percentile` is its nearness in meaning, 0 where unknown; `judgement` what a judge said, None where it did not;
    `entailed` tells that one follows from the other, as whoever has the veto says. `reading` is what a larger model
    says that read both: its no counts, too.
    """

    topic: Topic
    percentile: float = 0.0
    judgement: PairJudgement | None = None
    entailed: bool = False
    reading: PairJudgement | None = None

    @property
    def score(self) -> float | None:
        said = self.reading or self.judgement
        return said.contradiction if said else None

    @property
    def is_entailed(self) -> bool:
        """Whether one follows from the other, and nobody sees a contradiction in that."""
        said = self.reading or self.judgement
        return self.entailed or (said is not None and said.entailment >= FOLLOWS and said.contradiction < LIKELY)


@dataclass(frozen=True, slots=True)
class PairDecision:
    """A verdict with its reason, and how sure it is. `possible` where no value tells."""

    verdict: PairVerdict
    reason: Reason
    confidence: float
    possible: bool = False

    @property
    def is_shown(self) -> bool:
        return self.verdict in (PairVerdict.CONTRADICTION, PairVerdict.SUPERSEDED) and self.confidence > 0.0

    @property
    def is_taken_back(self) -> bool:
        """Whether a judge, and not code, says that it is no contradiction."""
        return self.reason.ground in _TAKEN_BACK


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Two claims by their places, what code makes of them, and what it knows of them beside their words."""

    candidate: ClaimPair
    compared: Compare
    evidence: PairEvidence

    @property
    def likelihood(self) -> float:
        return likelihood(self.compared, self.evidence)


def decide(compared: Compare, evidence: PairEvidence) -> PairDecision:
    """Return the verdict on a pair, from what code found in it and a judge said of it."""
    if compared.verdict in (PairVerdict.CONTRADICTION, PairVerdict.SUPERSEDED):
        return _with_conflict(compared, evidence)
    if compared.conflict is None and compared.verdict is PairVerdict.INSUFFICIENT and _may_differ(evidence):
        return PairDecision(PairVerdict.CONTRADICTION, Reason(Ground.WORDS), evidence.score or 0.0, possible=True)
    return PairDecision(compared.verdict, compared.reason, _sureness(compared, evidence))


def is_worth_judging(compared: Compare, evidence: PairEvidence) -> bool:
    """Tell whether a judge's word could change what is shown of a pair."""
    if compared.verdict is PairVerdict.CONTRADICTION:
        return is_one_topic(compared, evidence)
    return compared.conflict is None and compared.verdict is PairVerdict.INSUFFICIENT and _is_near(evidence)


def likelihood(compared: Compare, evidence: PairEvidence) -> float:
    """Return how likely a pair is to be shown: what is judged first, where a budget ends."""
    return (compared.conflict is not None) * 10.0 + evidence.topic.share * 5.0 + min(evidence.topic.shared, 10.0) / 5.0


def is_one_topic(compared: Compare, evidence: PairEvidence) -> bool:
    """Tell whether two claims speak of one thing, by what they share; a bare "not" and a bare day need more of it."""
    topic, conflict = evidence.topic, compared.conflict
    if topic.apart or topic.share < (LONG_SHARE if _is_count_of_much(topic, conflict) else LEAST_SHARE):
        return False
    if topic.count < FEWEST_SHARED and not _is_told_by_one_word(topic, conflict):
        return False
    is_keyed = conflict is not None and conflict.kind in WORDED and topic.share >= KEYED_SHARE
    if not is_keyed and not _is_close(evidence):
        return False
    if topic.share >= ALL and not topic.titles and 0 < evidence.percentile < NEAREST:
        return False
    if conflict is not None and conflict.reason.ground in _DENIALS:
        return _is_one_denied(topic, _DENIALS[conflict.reason.ground])
    is_told = conflict is not None and (conflict.recurs or (conflict.labelled and topic.titles))
    if conflict is not None and conflict.reason.ground is Ground.DATE and not is_told:
        return topic.own_shared >= DATE_OWN
    return topic.shared >= LEAST_SHARED


def _is_told_by_one_word(topic: Topic, conflict: Conflict | None) -> bool:
    """Tell whether the one word that claims share is what they give a value of, or when it is due."""
    if conflict is None:
        return False
    return conflict.named or conflict.kind in WORDED or topic.keyed or (conflict.recurs and topic.share >= DENIAL_SHARE)


def _is_one_denied(topic: Topic, least_own: float) -> bool:
    """Tell whether what one claim denies is what the other says; long claims may speak of much else."""
    if topic.length >= LONG:
        return topic.share >= LONG_DENIAL_SHARE and topic.own_shared >= least_own
    if topic.share >= KEYED_SHARE:
        return topic.own_shared >= min(least_own, OPPOSITE_OWN)
    return topic.share >= DENIAL_SHARE and topic.own_shared >= least_own


def _is_count_of_much(topic: Topic, conflict: Conflict | None) -> bool:
    """Tell whether two counts of things differ in claims so long that they may count anything."""
    return (
        topic.length >= LONG and conflict is not None and conflict.kind is StatedKind.NUMBER and not conflict.labelled
    )


def _with_conflict(compared: Compare, evidence: PairEvidence) -> PairDecision:
    if not is_one_topic(compared, evidence):
        return PairDecision(PairVerdict.DIFFERENT_SUBJECT, Reason(Ground.TOPIC), _sureness(compared, evidence))
    if compared.verdict is PairVerdict.SUPERSEDED:
        return PairDecision(compared.verdict, compared.reason, _sureness(compared, evidence))
    if evidence.is_entailed:
        return PairDecision(PairVerdict.CONSISTENT, Reason(Ground.ENTAILED), 1.0 - (evidence.score or 0.0))
    if evidence.reading is not None and evidence.reading.contradiction < LIKELY:
        return PairDecision(PairVerdict.INSUFFICIENT, Reason(Ground.READ), 1.0 - evidence.reading.contradiction)
    return PairDecision(compared.verdict, compared.reason, _sureness(compared, evidence))


def _may_differ(evidence: PairEvidence) -> bool:
    return evidence.score is not None and evidence.score >= POSSIBLE and not evidence.is_entailed and _is_near(evidence)


def _is_near(evidence: PairEvidence) -> bool:
    topic = evidence.topic
    return _is_close(evidence) and not topic.apart and topic.share >= LEAST_SHARE and topic.shared >= MUCH_SHARED


def _is_close(evidence: PairEvidence) -> bool:
    least = LEAST_NEAR if evidence.topic.own_shared >= MUCH_SHARED else USUAL_NEAR
    return not evidence.percentile or evidence.percentile >= least


def _sureness(compared: Compare, evidence: PairEvidence) -> float:
    """Return how sure a verdict is, between 0 and 1: by what is shared, by labels, and by the judge where it spoke."""
    known = min(1.0, evidence.topic.share + 0.05 * evidence.topic.own_shared)
    if compared.conflict is not None and compared.conflict.labelled:
        known = min(1.0, known + 0.1)
    return known if evidence.score is None else (known + evidence.score) / 2
