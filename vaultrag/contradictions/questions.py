"""The chat model as judge of short claims: not what it says, but how much likelier it finds one answer than another.

It tells what follows from what contradicts, and hardly what contradicts from what is only different: so it takes back,
and proposes only where somebody measured that it may. What its scores mean is known of measured models alone.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from vaultrag.answering.judging.calibration import ANY_LANGUAGE, PairLines
from vaultrag.answering.judging.yes_or_no import NO, SYSTEM, YES
from vaultrag.contradictions.decision import FOLLOWS, POSSIBLE
from vaultrag.domain import ChatModel, Message, PairJudgement, Priority
from vaultrag.text.language import language_of

ACROSS = "across"  # the language of a pair whose claims have two

# As entailment, with the words of those who study it: small models take "does it say the same?" for "is it about it?".
FOLLOWS_ASKED = "Passage:\n{one}\n\nHypothesis: {two}\nDoes the passage entail the hypothesis? Answer Yes or No."
BOTH_ASKED = (
    "Утверждение 1: {one}\nУтверждение 2: {two}\n"
    "Могут ли оба утверждения быть верны одновременно? Ответь Да или Нет."
)  # in Russian whatever the language: on 45 pairs it told more than the same in English

Pair: TypeAlias = tuple[str, str]
Scoring: TypeAlias = Callable[[ChatModel, Sequence[Pair]], list[float]]


@dataclass(frozen=True, slots=True)
class QuestionJudge:
    """Judges pairs by what a measured model finds likelier, each in both orders. A domain.PairJudge.

    It asks only what `lines` tell the meaning of, and says 0 of the rest. `key` tells the model from all others.
    """

    model: ChatModel
    lines: PairLines
    key: str

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def fingerprint(self) -> str:
        drawn = hashlib.sha256(json.dumps(asdict(self.lines), sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.key} asked {drawn}"

    def judge_pairs(self, pairs: Sequence[Pair]) -> list[PairJudgement]:
        """Judge each pair; not a number where a server gives no probabilities. Raises ModelError."""
        against = self._shares(pairs, self.lines.contradicts, contradiction_scores, POSSIBLE)
        following = self._shares(pairs, self.lines.follows, following_scores, FOLLOWS)
        return [PairJudgement(*shares) for shares in zip(against, following, strict=True)]

    def _shares(self, pairs: Sequence[Pair], lines: Mapping[str, float], scores: Scoring, at: float) -> list[float]:
        """Return what scores are worth between 0 and 1, where the line of their languages lies at `at`."""
        drawn = [lines.get(languages_of(pair), lines.get(ANY_LANGUAGE)) for pair in pairs]
        asked = [pair for pair, line in zip(pairs, drawn, strict=True) if line is not None]
        found = iter(scores(self.model, asked) if asked else ())
        return [0.0 if line is None else _share(next(found) - line, at) for line in drawn]


def languages_of(pair: Pair) -> str:
    """Return the language of both claims, ACROSS where they have two."""
    one, two = map(language_of, pair)
    return one if one == two else ACROSS


def following_scores(model: ChatModel, pairs: Sequence[Pair]) -> list[float]:
    """Return how much likelier the model finds it that one claim follows from the other than that neither does.

    Not a number where a server gives no probabilities. Raises ModelError.
    """
    return [max(yes - no for yes, no in said) for said in _asked(model, FOLLOWS_ASKED, (YES, NO), pairs)]


def contradiction_scores(model: ChatModel, pairs: Sequence[Pair]) -> list[float]:
    """Return how much likelier the model finds it that the claims exclude each other than that both can be true.

    Not a number where a server gives no probabilities. Raises ModelError.
    """
    return [sum(no - yes for yes, no in said) / len(said) for said in _asked(model, BOTH_ASKED, ("Да", "Нет"), pairs)]


def _asked(
    model: ChatModel, question: str, options: tuple[str, str], pairs: Sequence[Pair]
) -> list[list[tuple[float, ...]]]:
    """Return the logarithms of both options, for each pair in both orders."""
    prompts = [question.format(one=one, two=two) for pair in pairs for one, two in (pair, pair[::-1])]
    conversations = [(SYSTEM, Message("user", prompt)) for prompt in prompts]
    scores = model.score_each(conversations, options, Priority.NIGHT)
    said = [one.logprobs if one.calibrated else (math.nan,) * len(options) for one in scores]
    return [list(orders) for orders in zip(said[::2], said[1::2], strict=True)]


def _share(above: float, at: float) -> float:
    """Return a score between 0 and 1 that is `at` where it lies on the line."""
    odds = above + math.log(at / (1 - at))
    return odds if math.isnan(odds) else 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))
