"""What a history is asked for: the words of a subject and its attribute, what it is measured in, and the day meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from vaultrag.answering.evidence.translations import translated
from vaultrag.contradictions.comparing.bilingual import CONCEPTS
from vaultrag.contradictions.comparing.concepts import ClaimWord, read_words
from vaultrag.domain import StatedKind
from vaultrag.text.language import fold, language_of, stem
from vaultrag.text.morphology import grammar_of, term_of
from vaultrag.text.quantities.read import find_quantities, masked
from vaultrag.text.times.periods import Period, periods_of
from vaultrag.text.transliteration import transliterations

_FRAMES = re.compile(
    r"\b(?:с каких пор|с какого (?:времени|года|месяца)|как давно|как (?:менял\w*|изменил\w*|изменял\w*)"
    r"|истори[яи](?= изменени\w+)?|изменени[йея]"
    r"|(?:что|как) (?:я|мы) (?:дума\w+|считал\w*|писал\w*|решил\w*|относил\w*)(?: (?:о|об|обо|про|насч[её]т|к)\b)?"
    r"|како(?:й|го|му|м)|как(?:ая|ое|ие|ую|ов|ова|им|их)|был|была|было|были|сколько|насколько|кто|кем|ч[её]м|где|когда"
    r"|since when|how long (?:have|has|had)|how (?:did|has|have|do|does)|chang\w+|over time|evolv\w+|со временем"
    r"|what (?:did|do) (?:i|we) (?:think|say|write|decide)(?: (?:about|of|on)\b)?"
    r"|how (?:much|many|long|often|big|high|old)"
    r"|history of|what (?:was|were|is|are)|who|whom|where|when|which|used to)\b",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\b(?:с каких пор|с какого|как давно|since when|how long)\b", re.IGNORECASE)
_AMOUNT = re.compile(r"\b(?:сколько|how (?:much|many|long|often)|number of|count)\b", re.IGNORECASE)
_CHOICE = re.compile(r"\b(?:или|ли|or|whether|should)\b", re.IGNORECASE)
_OPINION = re.compile(
    r"\b(?:(?:что|как) (?:я|мы) (?:дума|счита|решил|относ)\w*|what (?:did|do) (?:i|we) (?:think|decide)"
    r"|кто|кем|ч[её]м|где"
    r"|в как\w+ (?:город|стран|квартир)\w*|what (?:city|country)|who|whom|where|which)\b",
    re.IGNORECASE,
)
_NOTHING_SAID = frozenset(
    """
    on up between among our we us my mine now new сейчас теперь наш наша наше наши нашу нам мой моя мое мои моего моей
    каждый каждую каждое каждая every each per раз time times пор времени тогда then note notes заметках заметка
    """.split()
)
WRITTEN = 2  # spellings in the other script of a word that the list has not: «мелатонин» is "melatonin"
SHORTEST = 4  # letters of a stem by which another form or spelling is known: what is shorter meets anything
PREFIX = 5  # letters of a stem that tell whether a text may hold a word
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
class AskedWord:
    """A word of the question and the stems by which a note may say it: its forms, in either language and script.

    The head names the attribute: the mileage of "the car's mileage" and of «пробег машины». `is_state` of a verb.
    """

    word: ClaimWord
    stems: frozenset[str]
    is_head: bool = False
    is_state: bool = False


@dataclass(frozen=True, slots=True)
class AskedHistory:
    """`words` name the subject and its attribute, `rates` the times per which it is counted: «в неделю».

    `unit` is what the question measures in, as "ватт". `is_amount` where a number is asked for, `counts` where notes
    count the very thing that is named, `in_words` where words answer: one of two things
    (`alternatives`), a person, an opinion.
    """

    text: str
    words: tuple[AskedWord, ...]
    rates: frozenset[str]
    day: str
    unit: str = ""
    is_amount: bool = False
    in_words: bool = False
    counts: bool = False
    alternatives: frozenset[AskedWord] = frozenset()

    @property
    def prefixes(self) -> frozenset[str]:
        """How each word begins, in all its forms: a text without any of them says none."""
        return frozenset(stem[:PREFIX] for one in self.words for stem in one.stems)

    @property
    def restated(self) -> str:
        """The words by which a change of what is asked for is told: «устроился» and «уволился» of «где я работаю»."""
        others = [" ".join(_CHANGED_BY.get(stem(one.word.text), ()) if one.is_state else ()) for one in self.words]
        kept = [other or one.word.text for one, other in zip(self.words, others, strict=True)]
        return " ".join(kept) if any(others) else ""

    @property
    def translated(self) -> str:
        """The words in the other language as far as the list of everyday words has them, names as they are."""
        is_russian = language_of(self.text) == "ru"
        said = (_in_other_language(one.word, is_russian) for one in self.words)
        return " ".join(" ".join(said).split())


def read_asked(question: str, today: date) -> AskedHistory:
    """Read a question such as «бюджет ремонта», "how much do I run a week" or «что я думал об этом в марте».

    `day` is the last day of the time that it names, at most today; empty where it names none.
    """
    periods = [period for period in periods_of(question, today) if period.first_day or period.end_day]
    bare = masked(question, [(period.start, period.end) for period in periods])
    bare = _FRAMES.sub(" ", bare)
    said = read_words(bare)
    words = tuple(word for word in said if fold(word.text) not in _NOTHING_SAID) or said
    if _SINCE.search(question):  # «с каких пор я плачу 950»: the number is the value, and names nothing
        words = tuple(word for word in words if not word.text[0].isdigit()) or words
    units = {word: unit for word in words if (unit := _unit_of(word.text))}
    counted = tuple(word for word in words if rate_of(word.text) is None)
    kept = tuple(word for word in counted if word not in units)
    rates = frozenset(filter(None, (rate_of(word.text) for word in words)))
    named = _with_head(question, kept or counted or words)
    chosen = _alternatives(bare, kept)
    return AskedHistory(
        text=" ".join(bare.split()),
        words=named,
        rates=rates if counted else frozenset(),
        day=_last_day(periods, today),
        unit=next(iter(units.values()), "") if kept else "",
        is_amount=bool(_AMOUNT.search(question) or (counted and rates) or (kept and units)),
        alternatives=frozenset(one for one in named if one.word in chosen),
        in_words=bool(_CHOICE.search(question) or _OPINION.search(question)),
    )


def _is_verb(word: ClaimWord, question: str) -> bool:
    """Tell whether a word says a state: a Russian verb, or an English word behind who does it."""
    if any(one.pos in ("VERB", "INFN") for one in grammar_of(word.text)[:1]):
        return True
    doer = r"\b(?:i|we|you|he|she|they|it)\s+(?:\w+\s+)?"
    return language_of(word.text) == "en" and bool(re.search(doer + re.escape(word.text), question, re.IGNORECASE))


def _with_head(question: str, words: Sequence[ClaimWord]) -> tuple[AskedWord, ...]:
    found = [_asked_word(word, _is_verb(word, question)) for word in words]
    if len(found) > 1 and not any(one.pos in ("VERB", "INFN") for word in words for one in grammar_of(word.text)[:1]):
        before = [place for place, word in enumerate(words) if word.text in question.partition(" of ")[0]]
        head = 0 if language_of(question) == "ru" else before[-1] if before else len(found) - 1
        found[head] = replace(found[head], is_head=True)
    return tuple(found)


_STATES = """
живем живу жили жил live lived living: переехали переехал переезжаю moved relocated
работаю работал работает работали work worked working: устроился устроилась перешел перешла уволился joined hired quit
пользуюсь пользуемся пользовался использую use uses used using: перешел перешли сменил поставил switched moved migrated
плачу платим платил платить pay paid paying: отдал отдали отдаю заплатил подорожал подорожала подорожало charged costs
стоит стоил стоила стоило cost costs price: подорожал подорожала подорожало подешевел подешевела отдал отдали paid
вешу весит весил weigh weight: похудел похудела поправился поправилась набрал lost gained
курю курил smoke smoked smoking: бросил бросила quit
пью пьет пил принимаю принимает take taking drink: назначил назначили перешел отменил таблетки лекарство препарат
пью пьет пил принимаю принимает take taking: принимал принимаю принимает пью pills medicine prescribed
едим ем ешь ест ел ели eat eats ate eating: food корм кормим еда порция перестал
кормим кормлю кормит feed feeds feeding: ест даем даю корм кормим food eats
езжу ездим ездил drive driving commute: пересел купил продал bought sold
учу учит учится учусь study learn: записался бросил enrolled
встаю ложусь сплю sleep wake: встаю ложусь подъем отбой bedtime
"""


def _changed_by() -> dict[str, list[str]]:
    """Return by each verb of a state the words that change it, or say it otherwise."""
    found: dict[str, list[str]] = {}
    for row in _STATES.strip().splitlines():
        said, colon, others = row.partition(":")
        if colon:
            for word in said.split():
                found.setdefault(stem(word), []).extend(others.split())
    return found


_CHANGED_BY = _changed_by()


def _alternatives(question: str, words: Sequence[ClaimWord]) -> list[ClaimWord]:
    """Return the words between which is chosen: verbs if there are any, else those beside «или», or before «ли»."""
    choice = _CHOICE.search(question)
    if choice is None or choice.group().casefold() in ("whether", "should"):
        return []
    verbs = [word for word in words if any(one.pos in ("VERB", "INFN") for one in grammar_of(word.text)[:1])]
    before = [word for word in words if word.text in question[: choice.start()]]
    after = [word for word in words if word.text in question[choice.end() :] and word not in before]
    return verbs or [*before[-1:], *(after[:1] if choice.group().casefold() != "ли" else ())]


@lru_cache(maxsize=1_000)
def _asked_word(word: ClaimWord, is_state: bool = False) -> AskedWord:
    terms = term_of(word.text)
    written = {stem(other) for other in transliterations(word.text)}
    meant = {one for one, concept in CONCEPTS.items() if concept == word.concept}
    meant |= {stem(one) for one in _CHANGED_BY.get(stem(word.text), ())} if is_state else set()
    others = (one for one in (*written, *terms) if len(one) >= SHORTEST)
    stems = frozenset((*terms[:1], *meant, *others, *translated(terms)))
    return AskedWord(word, stems, is_state=is_state)


def _in_other_language(word: ClaimWord, is_russian: bool) -> str:
    """Return a word's like in the other language; a name as it is, and what the list has not by its letters."""
    listed = tuple(one for one in translated(term_of(word.text)) if (language_of(one) == "ru") != is_russian)
    if word.is_name:
        return " ".join((word.text, *listed))
    found = _translations(word.concept, is_russian) or listed or transliterations(word.text)[:WRITTEN]
    return " ".join(found)


@lru_cache(maxsize=1_000)
def _translations(concept: str, is_russian: bool) -> tuple[str, ...]:
    """Return the stems that mean the same in the other language."""
    found = [stem for stem, meant in CONCEPTS.items() if meant == concept]
    return tuple(stem for stem in found if (language_of(stem) == "ru") != is_russian)


@lru_cache(maxsize=1_000)
def _unit_of(word: str) -> str:
    """Return the unit that a word names: `W` of "watts"; empty where it names a thing, or a time."""
    [*read] = find_quantities(f"5 {word}")
    is_unit = len(read) == 1 and read[0].kind in (StatedKind.MEASURE, StatedKind.MONEY) and read[0].end >= len(word) + 2
    return read[0].unit if is_unit else ""


def rate_of(word: str) -> str | None:
    """Return which stretch of time a word names, in either language."""
    return _RATES.get(stem(word))


def _last_day(periods: Sequence[Period], today: date) -> str:
    if not periods:
        return ""
    end = periods[-1].end_day
    last = date.fromisoformat(end) - timedelta(days=1) if end else date.fromisoformat(periods[-1].first_day)
    return min(last, today).isoformat()
