"""Questions that a model answers by Yes or No: not what it says, but how much likelier it finds the one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaultrag.domain import ChatModel, Message, Priority, Scores

YES, NO = "Yes", "No"
SYSTEM = Message("system", "You are a careful assistant.")


@dataclass(frozen=True, slots=True)
class Inclination:
    """How much likelier a model finds Yes than No, as the difference of the logarithms, and what it took to learn.

    None where a server gave no probabilities: a single forced choice is no measure.
    """

    value: float | None
    prompt_tokens: int
    cached_tokens: int
    seconds: float


def incline(model: ChatModel, prompts: Sequence[str], priority: Priority) -> list[Inclination]:
    """Ask each prompt. Those that follow each other and begin alike are read side by side. Raises ModelError."""
    if not prompts:
        return []
    conversations = [(SYSTEM, Message("user", prompt)) for prompt in prompts]
    return [_inclination(scores) for scores in model.score_each(conversations, (YES, NO), priority)]


def _inclination(scores: Scores) -> Inclination:
    yes, no = scores.logprobs
    value = yes - no if scores.calibrated else None
    return Inclination(value, scores.prompt_tokens, scores.cached_tokens, scores.seconds)
