"""Judges of pairs of claims, each with one number a pair: the higher, the likelier they contradict each other."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import Protocol

from benchmarks.claim_pairs import ClaimPair
from benchmarks.processes import cpu_seconds, descendants
from benchmarks.products import show_progress
from vaultrag.contradictions.judging import CHAT_BATCH
from vaultrag.contradictions.questions import Scoring, contradiction_scores, following_scores
from vaultrag.domain import ChatModel, Embedder, PairJudge, PairJudgement
from vaultrag.text.terms import index_terms

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
TICK = 0.01  # seconds: what the system counts processor time in
NEVER = 1e-6  # keeps logarithms finite


class ClaimJudge(Protocol):
    """Scores pairs. `name` stands in the table."""

    @property
    def name(self) -> str: ...

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]: ...


@dataclass(slots=True)
class OurJudge:
    """A network that reads pairs: the logarithm of the odds of contradiction."""

    judge: PairJudge
    name: str = "our judge"
    known: dict[ClaimPair, PairJudgement] = field(default_factory=dict)

    def judgements(self, pairs: Sequence[ClaimPair]) -> list[PairJudgement]:
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self.known]
        self.known |= dict(zip(new, self._asked(new), strict=True))
        return [self.known[pair] for pair in pairs]

    def _asked(self, pairs: Sequence[ClaimPair]) -> list[PairJudgement]:
        return self.judge.judge_pairs([(pair.first, pair.second) for pair in pairs])

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return [_log_odds(one.contradiction) for one in self.judgements(pairs)]

    def speed(self, pairs: Sequence[ClaimPair], runs: int = 3) -> tuple[float, float]:
        """Return pairs a second, the best of some runs: on the wall, and by the processor time of this one's children.

        Other work on the machine slows the first; the second it moves little.
        """
        self._asked(pairs[:8])
        walls, processors = [], []
        for _ in range(runs):
            began, before = time.perf_counter(), cpu_seconds(descendants(os.getpid()))
            self._asked(pairs)
            walls.append(time.perf_counter() - began)
            processors.append(cpu_seconds(descendants(os.getpid())) - before)
        return len(pairs) / min(walls), len(pairs) / max(min(processors), TICK)


@dataclass(slots=True)
class WordJudge:
    """The share of the shorter claim's words that both have: what speaks of the same may contradict."""

    name: str = "shared words"

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return [_shared(set(index_terms(pair.first)), set(index_terms(pair.second))) for pair in pairs]


@dataclass(slots=True)
class NumberJudge:
    """Claims that hold other numbers may contradict; those with the same, or with none, say nothing or agree."""

    name: str = "numbers"

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return [_other_numbers(set(NUMBER.findall(pair.first)), set(NUMBER.findall(pair.second))) for pair in pairs]


@dataclass(slots=True)
class MixedJudge:
    """The plain mean of several judges' scores, each measured by its mean and deviation on the same other pairs."""

    parts: Sequence[ClaimJudge]
    others: Sequence[ClaimPair]
    name: str = "our judge, words and numbers"

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        found = [0.0] * len(pairs)
        for part in self.parts:
            known = part.scores(self.others)
            middle, width = fmean(known), pstdev(known) or 1.0
            found = [sofar + (score - middle) / width for sofar, score in zip(found, part.scores(pairs), strict=True)]
        return found


@dataclass(slots=True)
class CosineJudge:
    """Likeness of the claims by the embedder."""

    embedder: Embedder
    name: str = "cosine"

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        first = self.embedder.embed_passages([pair.first for pair in pairs])
        second = self.embedder.embed_passages([pair.second for pair in pairs])
        return [float(value) for value in (first * second).sum(1)]


@dataclass(slots=True)
class ChatJudge:
    """The chat model's questions, as the product asks them: what contradicts, and what follows.

    A few pairs at a time, as the product does, so that a run that was ended goes on where it was.
    """

    model: ChatModel
    name: str = "chat model"
    known: dict[tuple[Scoring, ClaimPair], float] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        """How many pairs it was asked of, all its questions together counted once."""
        return len({pair for _, pair in self.known})

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return self._asked(contradiction_scores, pairs)

    def following(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return self._asked(following_scores, pairs)

    def _asked(self, scoring: Scoring, pairs: Sequence[ClaimPair]) -> list[float]:
        new = [pair for pair in dict.fromkeys(pairs) if (scoring, pair) not in self.known]
        for first in range(0, len(new), CHAT_BATCH):
            show_progress("pairs", first, len(new))
            batch = new[first : first + CHAT_BATCH]
            scores = scoring(self.model, [(pair.first, pair.second) for pair in batch])
            self.known.update({(scoring, pair): score for pair, score in zip(batch, scores, strict=True)})
        return [self.known[scoring, pair] for pair in pairs]


@dataclass(slots=True)
class BothJudges:
    """Our judge and the chat model: the sum of their log odds."""

    ours: OurJudge
    chat: ChatJudge
    name: str = "both"

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return [a + b for a, b in zip(self.ours.scores(pairs), self.chat.scores(pairs), strict=True)]


def _log_odds(share: float) -> float:
    kept = min(max(share, NEVER), 1 - NEVER)
    return math.log(kept / (1 - kept))


def _shared(first: set[str], second: set[str]) -> float:
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _other_numbers(first: set[str], second: set[str]) -> float:
    if not first or not second:
        return 0.0
    return -1.0 if first <= second or second <= first else 1.0
