"""What kind of question about the vault a sentence is, by its fixed phrases: how many, list all, the latest, tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from vaultrag.answering.vault_questions import words as said
from vaultrag.answering.vault_questions.kinds import meanings_by_stem
from vaultrag.text.morphology import term_of
from vaultrag.text.times.periods import plain


class Phrase(StrEnum):
    COUNT = "count"
    IMPERATIVE = "imperative"
    INTERROGATIVE = "interrogative"
    WHO = "who"
    WHEN = "when"
    ALL = "all"
    LATEST = "latest"
    EARLIEST = "earliest"
    HIGHEST = "highest"
    LOWEST = "lowest"
    GENERIC = "generic"
    WRITING = "writing"
    TASKS = "tasks"
    WHAT_TASKS = "what tasks"
    WHAT_WRITTEN = "what was written"
    WHAT_DONE = "what was done"
    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"
    OVERDUE = "overdue"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class FoundPhrase:
    """A phrase where a question says it, `end` exclusive."""

    phrase: Phrase
    start: int
    end: int
    text: str


# In the order in which they are looked for: where two overlap, the longer one counts, then the first of these.
_PHRASES: tuple[tuple[Phrase, str], ...] = (
    (Phrase.WHAT_TASKS, said.WHAT_TASKS),
    (Phrase.WHAT_WRITTEN, said.WHAT_WRITTEN),
    (Phrase.WHAT_DONE, said.WHAT_DONE),
    (Phrase.COUNT, said.COUNT),
    (Phrase.OVERDUE, said.OVERDUE),
    (Phrase.OPEN, said.OPEN),
    (Phrase.CANCELLED, said.CANCELLED),
    (Phrase.DONE, said.DONE),
    (Phrase.DUE, said.DUE),
    (Phrase.TASKS, said.TASKS),
    (Phrase.GENERIC, said.GENERIC),
    (Phrase.HIGHEST, said.HIGHEST),
    (Phrase.LOWEST, said.LOWEST),
    (Phrase.LATEST, said.LATEST),
    (Phrase.EARLIEST, said.EARLIEST),
    (Phrase.IMPERATIVE, said.IMPERATIVE),
    (Phrase.INTERROGATIVE, said.INTERROGATIVE),
    (Phrase.WHO, said.WHO),
    (Phrase.WHEN, said.WHEN),
    (Phrase.WRITING, said.WRITING),
    (Phrase.ALL, said.ALL),
)
_READ = [(phrase, re.compile(rf"(?<![\w'-])(?:{expression})(?![\w'-])")) for phrase, expression in _PHRASES]
_ASKING = (
    *(
        Phrase.COUNT,
        Phrase.IMPERATIVE,
        Phrase.INTERROGATIVE,
        Phrase.WHO,
        Phrase.WHEN,
        Phrase.WHAT_TASKS,
        Phrase.WHAT_WRITTEN,
    ),
    *(Phrase.WHAT_DONE, Phrase.ALL, Phrase.LATEST, Phrase.EARLIEST, Phrase.HIGHEST, Phrase.LOWEST, Phrase.TASKS),
    *(Phrase.OPEN, Phrase.DONE, Phrase.OVERDUE, Phrase.CANCELLED, Phrase.GENERIC),
)
_LEAD = re.compile(
    r"\W*(?:(?:а|ну|и|так|скажи|подскажи|пожалуйста|слушай|can you|could you|please|hey|ok|tell me|so|and|i want to see"
    r"|i want|my|мои|мой|моя|the|хочу увидеть|хочу посмотреть|мне нужен|мне нужны|нужен|нужны)\b[ ,]*)*"
)


def phrases_of(question: str) -> list[FoundPhrase]:
    """Return the phrases that a question says, in its order and apart."""
    found = sorted(_all_phrases(plain(question)), key=lambda one: (one[1].start, -one[1].end, one[0]))
    kept: list[FoundPhrase] = []
    for _, one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def may_be_asked(question: str) -> bool:
    """Tell, without a look at the vault, whether a question may be one about it: it begins as such questions do."""
    if len(question) > LONGEST:
        return False
    start = _begin(question)
    phrases = phrases_of(question)
    if any(one.phrase in _ASKING and one.start <= start for one in phrases):
        return True
    words = list(_WORD.finditer(plain(question), start))[:FIRST]
    if any(one.phrase is Phrase.GENERIC and words and one.start <= words[-1].start() for one in phrases):
        return True
    return any(meanings_by_stem().get(stem) for word in words for stem in term_of(word.group()))


def begins_asking(question: str, phrases: list[FoundPhrase]) -> FoundPhrase | None:
    """Return the phrase that a question begins with."""
    start = _begin(question)
    return next((one for one in phrases if one.phrase in _ASKING and one.start <= start < one.end), None)


_WORD = re.compile(r"[^\W_]+")
LONGEST = 500  # characters: who asks for a list does so in a sentence
FIRST = 3  # words, in which a kind of thing may stand that a question without a verb asks for


def _begin(question: str) -> int:
    lead = _LEAD.match(plain(question))
    return lead.end() if lead else 0


def _all_phrases(text: str) -> Iterator[tuple[int, FoundPhrase]]:
    for order, (phrase, expression) in enumerate(_READ):
        for match in expression.finditer(text):
            yield order, FoundPhrase(phrase, *match.span(), match.group())
