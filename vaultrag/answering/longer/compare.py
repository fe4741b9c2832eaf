"""Whether two answers to one question say the same: by their values first, by a model's judgement where these are mute.

Two models put the same thing in other words; what must be equal is what the question asks for: numbers, dates, names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vaultrag.answering.attribution import bag_of
from vaultrag.answering.citations import overlap
from vaultrag.answering.judging.checks import Supports
from vaultrag.answering.judging.support import Premise, Statement
from vaultrag.answering.longer.steps import told
from vaultrag.domain import Answer, AnswerStatus, Backing
from vaultrag.text.language import fold, stem, tokens
from vaultrag.text.transliteration import transliterations

_NEGATIONS = frozenset("не ни нет без никогда not no never none neither nor without cannot".split())


class Standing(StrEnum):
    """How two answers stand to each other. UNSETTLED: nothing tells."""

    SAME = "same"
    DIFFERENT = "different"
    UNSETTLED = "unsettled"
    NEITHER = "neither"
    ONE_ONLY = "one only"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two answers stand to each other, and by what that was told."""

    verdict: Standing
    why: str


@dataclass(frozen=True, slots=True)
class Values:
    """What an answer says beyond its question: numbers, dates and identifiers, names, and whether it denies."""

    exact: frozenset[str]
    names: frozenset[frozenset[str]]
    denies: bool


def compare(question: str, one: Answer, other: Answer, supports: Supports | None) -> Comparison:
    """Compare two answers. Raises ModelError where the judge is lost."""
    silent = [answer.status is AnswerStatus.NOT_IN_VAULT for answer in (one, other)]
    if all(silent):
        return Comparison(Standing.NEITHER, "Neither found that the notes say it.")
    if any(silent):
        return Comparison(Standing.ONE_ONLY, "Only one found that the notes say it.")
    by_values = compare_values(values_of(question, one), values_of(question, other))
    if by_values.verdict is not Standing.UNSETTLED:
        return by_values
    if supports is not None:
        judged = _judged(question, one, other, supports)
        if judged is not None:
            return judged
    if share_a_place(one, other):
        return Comparison(Standing.SAME, "Both stand on the same lines.")
    return Comparison(Standing.UNSETTLED, by_values.why)


def values_of(question: str, answer: Answer) -> Values:
    """Return what an answer says that can be compared letter by letter."""
    text = " ".join(one.text for one in told(answer)) or answer.text
    bag, asked = bag_of(text), bag_of(question)
    known = asked.distinct | {spelled for name in asked.names for spelled in _spellings(name)}
    names = {_spellings(name) for name in bag.names}
    denies = any(fold(token.text) in _NEGATIONS or fold(token.text).endswith("n't") for token in tokens(text))
    return Values(bag.exact - asked.distinct, frozenset(name for name in names if name and not name & known), denies)


def compare_values(one: Values, other: Values) -> Comparison:
    """Tell by numbers, dates and names alone whether two answers say the same."""
    if one.denies != other.denies:
        return Comparison(Standing.UNSETTLED, "One of them denies something.")
    for what, mine, theirs in (
        ("numbers or dates", one.exact, other.exact),
        ("names", one.names, other.names),
    ):
        if mine and theirs and not _share(mine, theirs):
            return Comparison(Standing.DIFFERENT, f"They share none of their {what}.")
    shared = _share(one.exact, other.exact) or _share(one.names, other.names)
    if shared and (one.exact <= other.exact or other.exact <= one.exact):
        return Comparison(Standing.SAME, "They name the same values.")
    if one.exact and other.exact:
        return Comparison(Standing.DIFFERENT, "Some of their numbers or dates differ.")
    return Comparison(Standing.UNSETTLED, "They name no values that could be compared.")


def share_a_place(one: Answer, other: Answer) -> bool:
    """Tell whether both stand on the same lines."""
    return any(overlap(mine, theirs) for mine in one.citations for theirs in other.citations)


def _judged(question: str, one: Answer, other: Answer, supports: Supports) -> Comparison | None:
    """Ask a model whether each answer follows from the other; None where it is of two minds."""
    texts = [" ".join(sentence.text for sentence in told(answer)) or answer.text for answer in (one, other)]
    backings = supports([Statement(texts[b], (Premise(question, texts[a]),), question) for a, b in ((0, 1), (1, 0))])
    if Backing.UNCHECKED in backings:
        return None
    if all(backing is Backing.BACKED for backing in backings):
        return Comparison(Standing.SAME, "Each follows from the other.")
    if all(backing is Backing.NOT_BACKED for backing in backings):
        return Comparison(Standing.DIFFERENT, "Neither follows from the other.")
    return None


def _share(
    mine: frozenset[str] | frozenset[frozenset[str]], theirs: frozenset[str] | frozenset[frozenset[str]]
) -> bool:
    """Tell whether any value is in both; names are, where they share a spelling."""
    flat = [
        {stem for value in values for stem in ((value,) if isinstance(value, str) else value)}
        for values in (mine, theirs)
    ]
    return not flat[0].isdisjoint(flat[1])


def _spellings(name: str) -> frozenset[str]:
    """Return the stems of a name in both scripts."""
    return frozenset({stem(name), *(stem(spelled) for spelled in transliterations(name))})
