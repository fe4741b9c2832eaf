"""What a history is asked for: the words of a subject and its attribute, and the day that is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from vaultrag.contradictions.comparing.bilingual import CONCEPTS
from vaultrag.contradictions.comparing.concepts import ClaimWord, read_words
from vaultrag.text.language import language_of, stem
from vaultrag.text.quantities.read import masked
from vaultrag.text.times.periods import Period, periods_of

_FRAMES = re.compile(
    r"\b(?:с каких пор|с какого времени|как (?:менял\w*|изменил\w*)|истори[яи]|что я (?:думал\w*|считал\w*|писал\w*)"
    r"|как(?:ой|ая|ое|ие|ов|ова) (?:был|была|было|были)|сколько|насколько|since when|how (?:did|has|have)|chang\w+"
    r"|what did i (?:think|say|write)|how (?:much|many|long|often)|history of|what (?:was|were|is))\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\b(?:сколько|how (?:much|many|long|often)|number of|count)\b", re.IGNORECASE)
_CHOICE = re.compile(r"\b(?:или|ли|or|whether|should)\b", re.IGNORECASE)
_RATES = {
    stem(word): rate
    for rate, written in {
        "hour": "hour hours hourly час часа часов",
        "day": "day days daily день дня дней сутки ежедневно",
        "week": "week weeks weekly неделя недели неделю еженедельно",
        "month": "month months monthly месяц месяца ежемесячно",
        "year": "year years yearly год года лет ежегодно",
    }.items()
    for word in written.split()
}


@dataclass(frozen=True, slots=True)
class AskedHistory:
    """`words` name the subject and its attribute, `rates` the times per which it is counted: «в неделю».

    `is_amount` where a number is asked for, `counts` where notes count the very thing that is named,
    `is_choice` where it is one of two things: «или», «ли», "whether".
    """

    text: str
    words: tuple[ClaimWord, ...]
    rates: frozenset[str]
    day: str
    is_amount: bool = False
    is_choice: bool = False
    counts: bool = False

    @property
    def translated(self) -> str:
        """The words in the other language as far as the list of everyday words has them, names as they are."""
        is_russian = language_of(self.text) == "ru"
        return " ".join(
            word.text if word.is_name else " ".join(_translations(word.concept, is_russian)) for word in self.words
        ).strip()


def read_asked(question: str, today: date) -> AskedHistory:
    """Read a question such as «бюджет ремонта», "how much do I run a week" or «что я думал об этом в марте».

    `day` is the last day of the time that it names, at most today; empty where it names none.
    """
    periods = [period for period in periods_of(question, today) if period.first_day or period.end_day]
    bare = masked(question, [(period.start, period.end) for period in periods])
    bare = _FRAMES.sub(" ", bare)
    words = read_words(bare)
    kept = tuple(word for word in words if rate_of(word.text) is None)
    rates = frozenset(filter(None, (rate_of(word.text) for word in words)))
    return AskedHistory(
        text=" ".join(bare.split()),
        words=kept or words,
        rates=rates if kept else frozenset(),
        day=_last_day(periods, today),
        is_amount=bool(_AMOUNT.search(question) or (kept and rates)),
        is_choice=bool(_CHOICE.search(question)),
    )


@lru_cache(maxsize=1_000)
def _translations(concept: str, is_russian: bool) -> tuple[str, ...]:
    """Return the stems that mean the same in the other language."""
    found = [stem for stem, meant in CONCEPTS.items() if meant == concept]
    return tuple(stem for stem in found if (language_of(stem) == "ru") != is_russian)


def rate_of(word: str) -> str | None:
    """Return which stretch of time a word names, in either language."""
    return _RATES.get(stem(word))


def _last_day(periods: Sequence[Period], today: date) -> str:
    if not periods:
        return ""
    end = periods[-1].end_day
    last = date.fromisoformat(end) - timedelta(days=1) if end else date.fromisoformat(periods[-1].first_day)
    return min(last, today).isoformat()
