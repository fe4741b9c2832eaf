"""What judges are asked: short claim against short claim, and each pair once.

A judge that fails, gives no number or too few, has not judged: such a pair is counted as not judged, never as none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import isfinite, nan
from typing import TypeAlias

from vaultrag.contradictions.comparing.reading import own_words
from vaultrag.domain import Claim, PairJudge, PairJudgement
from vaultrag.errors import ModelError

_MARKS = re.compile(r"[*`]|==")
UNJUDGED = PairJudgement(nan, nan)
LONGEST = 200  # characters: a judge trained on short claims loses the end of longer ones
BATCH = 64  # pairs between two looks at the clock
CHAT_BATCH = 8  # the same for chat models, which take a second or more for each

Pair: TypeAlias = tuple[Claim, Claim]
Ask: TypeAlias = Callable[[Sequence[Pair]], Sequence[PairJudgement]]


def judged(ask: Ask, pairs: Sequence[Pair], failed: Callable[[ModelError], None]) -> list[PairJudgement | None]:
    """Return what a judge makes of each pair; None where it failed, and `failed` is told of the error."""
    try:
        told = list(ask(pairs))
    except ModelError as error:
        failed(error)
        return [None] * len(pairs)
    if len(told) != len(pairs):
        return [None] * len(pairs)
    return [judgement if _is_sound(judgement) else None for judgement in told]


def by_words(judge: PairJudge) -> Ask:
    """Return how a judge of short texts is asked of claims: by their own words."""
    return lambda pairs: judge.judge_pairs([(as_asked(one), as_asked(other)) for one, other in pairs])


def as_asked(claim: Claim) -> str:
    """Return a claim as a judge reads it: its own words, on one line.

    With the notes' titles before them a judge takes two notes for two subjects; whether they are, code has told.
    """
    return " ".join(_MARKS.sub("", own_words(claim)).split())[:LONGEST]


def _is_sound(judgement: PairJudgement) -> bool:
    return all(isfinite(score) and 0.0 <= score <= 1.0 for score in (judgement.contradiction, judgement.entailment))
