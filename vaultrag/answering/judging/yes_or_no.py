"""Questions that a model answers by Yes or No: not what it says, but how much likelier it finds the one."""

from __future__ import annotations

from collections.abc import Sequence

from vaultrag.domain import ChatModel, Message, Priority, Scores

YES, NO = "Yes", "No"
SYSTEM = Message("system", "You are a careful assistant.")


def incline(model: ChatModel, prompts: Sequence[str], priority: Priority) -> list[float | None]:
    """Return how much likelier the model finds Yes than No to each prompt: the difference of the logarithms.

    None where a server gave no probabilities: a single forced choice is no measure. Prompts that follow each other and
    begin alike are read side by side. Raises ModelError.
    """
    if not prompts:
        return []
    conversations = [(SYSTEM, Message("user", prompt)) for prompt in prompts]
    return [_inclination(scores) for scores in model.score_each(conversations, (YES, NO), priority)]


def _inclination(scores: Scores) -> float | None:
    yes, no = scores.logprobs
    return yes - no if scores.calibrated else None
