"""The judges of a look, and what they say of its pairs: each pair is put once to each, the likeliest first.

What was not said, because a judge failed or a budget ended, is told as not said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from vaultrag.contradictions.decision import (
    FOLLOWS,
    ComparedPair,
    PairDecision,
    PairEvidence,
    decide,
    is_worth_judging,
)
from vaultrag.contradictions.judging import BATCH, CHAT_BATCH, Ask, by_words, judged
from vaultrag.contradictions.reader import ClaimReader
from vaultrag.domain import Claim, PairJudge, PairJudgement
from vaultrag.errors import ModelError

Keys: TypeAlias = tuple[str, str]

Said: TypeAlias = Mapping[Keys, PairJudgement | None]
"""What a judge said of pairs, by the keys of both claims in order; None where it did not."""


@dataclass(frozen=True, slots=True)
class Judges:
    """Who is asked, if anybody, and what each said before, by its fingerprint.

    `goes_on` ends the asking, `failed` is told of each failure.

    `judge` proposes pairs that code leaves open, and ranks. `veto` takes back what would be shown, where one claim
    follows from the other. `reader` reads both claims: it proposes, and takes back where it sees no contradiction.
    """

    judge: PairJudge | None = None
    veto: PairJudge | None = None
    reader: ClaimReader | None = None
    known: Mapping[str, Mapping[Keys, PairJudgement]] = field(default_factory=dict)
    goes_on: Callable[[], bool] = lambda: True
    failed: Callable[[ModelError], None] = lambda _: None

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return tuple(one.fingerprint for one in (self.judge, self.veto, self.reader) if one is not None)


def ordered(one: Claim, other: Claim) -> Keys:
    """Return the keys of two claims, the lesser first."""
    return (one.key, other.key) if one.key <= other.key else (other.key, one.key)


class Hearing:
    """What judges say of pairs. `told` is what they said anew, by their fingerprints."""

    def __init__(self, claims_of: Callable[[ComparedPair], tuple[Claim, Claim]], judges: Judges) -> None:
        self._claims_of = claims_of
        self._judges = judges
        self._evidence: dict[int, PairEvidence] = {}
        self.told: dict[str, dict[Keys, PairJudgement | None]] = {}

    def evidence(self, pairs: Sequence[ComparedPair]) -> Iterator[tuple[ComparedPair, PairEvidence]]:
        """Yield each pair with what is known of it once the judges were asked."""
        self._evidence = {id(pair): pair.evidence for pair in pairs}
        open_pairs = [pair for pair in pairs if is_worth_judging(pair.compared, pair.evidence)]
        self._hear(sorted(open_pairs, key=lambda pair: -pair.likelihood))
        for pair in pairs:
            yield pair, self._evidence[id(pair)]

    def _hear(self, pairs: Sequence[ComparedPair]) -> None:
        judge, veto, reader = self._judges.judge, self._judges.veto, self._judges.reader
        if judge is not None:
            for pair, told in self._said(judge.fingerprint, by_words(judge), pairs, BATCH):
                self._learn(pair, replace(self._evidence[id(pair)], judgement=told))
        if veto is not None:
            shown = [pair for pair in pairs if self._decided(pair).is_shown]
            for pair, told in self._said(veto.fingerprint, by_words(veto), shown, CHAT_BATCH):
                follows = told is not None and told.entailment >= FOLLOWS
                self._learn(pair, replace(self._evidence[id(pair)], entailed=follows))
        if reader is not None:
            for pair, told in self._said(reader.fingerprint, reader.judge_claims, pairs, CHAT_BATCH):
                self._learn(pair, replace(self._evidence[id(pair)], reading=told))

    def _learn(self, pair: ComparedPair, evidence: PairEvidence) -> None:
        self._evidence[id(pair)] = evidence

    def _decided(self, pair: ComparedPair) -> PairDecision:
        return decide(pair.compared, self._evidence[id(pair)])

    def _said(
        self, judge: str, ask: Ask, pairs: Sequence[ComparedPair], size: int
    ) -> list[tuple[ComparedPair, PairJudgement | None]]:
        """Return each pair with what a judge says of it; only what it did not say before is asked."""
        keys = [ordered(*self._claims_of(pair)) for pair in pairs]
        known = self._judges.known.get(judge, {})
        new = {key: self._claims_of(pair) for key, pair in zip(keys, pairs, strict=True) if key not in known}
        told: dict[Keys, PairJudgement | None] = dict.fromkeys(new)
        for first in range(0, len(new), size):
            if not self._judges.goes_on():
                break
            batch = list(new)[first : first + size]
            told |= zip(batch, judged(ask, [new[key] for key in batch], self._judges.failed), strict=True)
        if told:
            self.told[judge] = told
        said = {**told, **known}
        return [(pair, said[key]) for pair, key in zip(pairs, keys, strict=True)]
