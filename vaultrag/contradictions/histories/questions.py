"""Which questions ask how something was or changed: "since when", «что я думал об этом в марте», "what was X in 2024".

Fixed phrases tell; whatever else is asked is answered as usual. What was done and is over, as in «сколько я потратил в
марте», is no state, and has no value as of a day.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from enum import StrEnum

from vaultrag.contradictions.histories.parts import replaced
from vaultrag.domain import AsOfSource, History, HistoryStep
from vaultrag.text.language import words
from vaultrag.text.morphology import tells_of_past
from vaultrag.text.quantities.read import find_quantities
from vaultrag.text.times.periods import periods_of, plain

TIMES = 2  # that a history tells of: one line alone may speak of anything, and the search finds it, too
LONGEST = 200  # characters of a question: what is longer asks for more than one value


class HistoryAsked(StrEnum):
    """What is asked of a history: since when it is so, what it was or was thought on a day, or how it changed."""

    SINCE = "since"
    WAS = "was"
    CHANGED = "changed"


_SINCE = re.compile(
    r"\b(?:с каких (?:это )?пор|с какого (?:времени|года|месяца|числа|дня)|как давно|since when|how long (?:have|has)"
    r"|since what (?:day|month|year))\b"
)
_CHANGED = re.compile(
    r"\b(?:как (?:\w+ ){0,3}?(?:менял|изменял|изменил)\w*|истори[яию] изменени\w+|how (?:did|has|have) .{2,80}? "
    r"(?:chang|evolv|develop)\w*|(?:chang|evolv)\w+ over time|over the years|со временем менял\w*)\b"
)
_THOUGHT = re.compile(
    r"\b(?:(?:что|как) (?:я|мы) (?:думал|считал|решил|относил)\w*|what did (?:i|we) (?:think|decide)"
    r"|what (?:i|we) thought)\b"
)
_WAS = re.compile(
    r"\A\W*(?:а |и |and |so )?(?:как(?:ой|ая|ое|ие|им|ов|ова|ово|овы)|сколько|чему|кто|кем|где|what|who|where|which"
    r"|how (?:much|many|big|old|high|long))\b"
)
_ASKS_TWICE = re.compile(  # "what is it now, and what was it before": one value of a day does not answer
    r"[?;].*\w|\b(?:сейчас|now|today|lately)\b"
    r"|(?:,|\band|\bи|\bа)\s+(?:(?:и|а|and)\s+)?(?:с каких|с какого|после чего|когда"
    r"|сколько|какой|какая|какое|какие|что|кто|где|как|почему|since|when|what|who|where|how|why|which)\b"
)
_WAS_SO = re.compile(r"\b(?:был|была|было|были|was|were)\b")


def asks_for_history(question: str, today: date) -> HistoryAsked | None:
    """Return what a question asks of a history; None for any other question."""
    said = plain(question)
    if len(question) > LONGEST or _ASKS_TWICE.search(said):
        return None
    if _SINCE.search(said):
        return HistoryAsked.SINCE
    if _CHANGED.search(said):
        return HistoryAsked.CHANGED
    names_past = any(
        (one.first_day or one.end_day) and (one.first_day or one.end_day) <= today.isoformat()
        for one in periods_of(question, today)
    )
    if not names_past:
        return None
    if _THOUGHT.search(said):
        return HistoryAsked.WAS
    is_state = _WAS_SO.search(said) or said.lstrip().startswith("сколько")
    is_over = any(tells_of_past(word.text) for word in words(question))
    return HistoryAsked.WAS if _WAS.match(said) and is_state and not is_over else None


def of_value_asked(question: str, history: History) -> History:
    """Return the history on the day on which the value began that "since when" names: «с каких пор я плачу 950»."""
    said = {(one.low, one.high) for one in find_quantities(question)}
    for step in history.steps:
        given = {(one.low, one.high) for one in find_quantities(step.value)}
        if said & given and step.is_own and step.as_of and step.as_of.first:
            return replace(history, day=step.as_of.first)
    return history


def is_sure(asked: HistoryAsked, history: History) -> bool:
    """Tell whether a history can be told instead of an answer: its value is the user's own, dated, and speaks of all.

    Where another place gives another value of the same day, or a later value has no date, nothing is sure.
    """
    held = history.held
    if held is None or not held.is_named or held.as_of is None or any(step.follows for step in history.steps):
        return False
    if asked is not HistoryAsked.CHANGED and any(_rivals(held, step) for step in history.steps):
        return False
    if asked is HistoryAsked.SINCE:
        return bool(held.as_of.first) and _tells_since(held)
    return len({step.as_of for step in history.steps if step.is_own and step.is_named and step.as_of}) >= TIMES


def _rivals(held: HistoryStep, step: HistoryStep) -> bool:
    is_same_time = step is not held and step.as_of == held.as_of
    return (
        is_same_time
        and step.is_own
        and step.is_named
        and (step.value, step.place.quote)
        != (
            held.value,
            held.place.quote,
        )
    )


def _tells_since(held: HistoryStep) -> bool:
    """Tell whether a value began on its day, rather than being known on it."""
    return held.as_of is not None and (held.as_of.source is AsOfSource.TEXT or bool(replaced(held.place.quote)))
