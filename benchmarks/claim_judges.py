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
from vaultrag.domain import ChatModel, Embedder, Message, PairJudge, PairJudgement
from vaultrag.text.terms import index_terms

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
TICK = 0.01  # seconds: what the system counts processor time in
NEVER = 1e-6  # keeps logarithms finite
SYSTEM = "You are a careful assistant."
BOTH = "Утверждение 1: {a}\nУтверждение 2: {b}\nМогут ли оба утверждения быть верны одновременно? Ответь Да или Нет."
TRUTH = (
    "Statement 1: {a}\nStatement 2: {b}\n"
    "Assume statement 1 is true. Is statement 2 true, false or unknown? Answer True, False or Unknown."
)


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
    """The chat model's two questions, in both orders: can both be true, and if the first is, is the second false."""

    model: ChatModel
    name: str = "chat model"

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return [self._both(pair) + self._falsity(pair) for pair in pairs]

    def _both(self, pair: ClaimPair) -> float:
        scored = self.model.score_each(_asked(BOTH, pair), ("Да", "Нет"))
        return sum(one.logprobs[1] - one.logprobs[0] for one in scored) / 2

    def _falsity(self, pair: ClaimPair) -> float:
        scored = self.model.score_each(_asked(TRUTH, pair), ("True", "False", "Unknown"))
        return sum(one.logprobs[1] - max(one.logprobs[0], one.logprobs[2]) for one in scored) / 2


@dataclass(slots=True)
class BothJudges:
    """Our judge and the chat model: the sum of their log odds."""

    ours: OurJudge
    chat: ChatJudge
    name: str = "both"

    def scores(self, pairs: Sequence[ClaimPair]) -> list[float]:
        return [a + b for a, b in zip(self.ours.scores(pairs), self.chat.scores(pairs), strict=True)]


def _asked(template: str, pair: ClaimPair) -> list[list[Message]]:
    orders = ((pair.first, pair.second), (pair.second, pair.first))
    return [[Message("system", SYSTEM), Message("user", template.format(a=a, b=b))] for a, b in orders]


def _log_odds(share: float) -> float:
    kept = min(max(share, NEVER), 1 - NEVER)
    return math.log(kept / (1 - kept))


def _shared(first: set[str], second: set[str]) -> float:
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _other_numbers(first: set[str], second: set[str]) -> float:
    if not first or not second:
        return 0.0
    return -1.0 if first <= second or second <= first else 1.0
