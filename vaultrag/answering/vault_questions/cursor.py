"""A question as words with places, and which of them are accounted for so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vaultrag.answering.vault_questions.phrases import FoundPhrase, Phrase
from vaultrag.answering.vault_questions.terms import (
    Match,
    QuestionWord,
    TermKind,
    VaultTerms,
    across_scripts,
    question_words,
)
from vaultrag.answering.vault_questions.words import UNTRUE
from vaultrag.text.language import is_function_word, stem
from vaultrag.text.times.periods import Period, plain

MOST_ALTERNATIVES = 8  # of one condition: more are a word that says nothing in this vault
_SMALL = frozenset("the a an my our all any какой какая каким какими моей моем моими мой моя мое нашей нашем".split())
_CLOSING = {'"': '"', "«": "»", "“": "”", "„": "“", "'": "'"}
_PART = re.compile(r"[^\W_]+")
_TAG = re.compile(r"[\w/-]+")


@dataclass(slots=True)
class Cursor:
    """The words of a question. Places between words are counted in words, those in the text in characters."""

    question: str
    terms: VaultTerms
    phrases: Sequence[FoundPhrase]
    text: str = field(init=False)
    words: list[QuestionWord] = field(init=False)
    taken: list[bool] = field(init=False)
    has_times: bool = False
    at_word: dict[int, FoundPhrase] = field(init=False)

    def __post_init__(self) -> None:
        self.text = plain(self.question)
        self.words = question_words(self.question)
        self.taken = [False] * len(self.words)
        self.at_word = {self.word_at(one.start): one for one in self.phrases}

    def take(self, period: Period) -> None:
        """Account for the words of a stretch of time."""
        self.has_times = True
        for index, word in enumerate(self.words):
            if period.start <= word.start < period.end:
                self.taken[index] = True

    def matches(self, at: int, *kinds: TermKind, parts: bool = False) -> list[Match]:
        """Return what the vault calls so from this word on; with `parts` also those said in part, or across scripts."""
        if at >= len(self.words) or self.taken[at]:
            return []
        found = self.terms.at(self.words, at, kinds=kinds, parts=parts)
        if not found and parts and self.is_name(at):
            found = self.terms.at([across_scripts(word) for word in self.words], at, kinds=kinds, parts=True)
        free = [match for match in found if not any(self.taken[match.first : match.after])]
        return free if len(free) <= MOST_ALTERNATIVES else []

    def named(self, at: int) -> tuple[list[Match], bool]:
        """Return the properties that a word names, and whether it negates them: «неоплаченные», "unpaid"."""
        found = self.matches(at, TermKind.PROPERTY)
        untrue = None if found or at >= len(self.words) else self.says(rf"{UNTRUE}(?P<rest>\w+)", at)
        if untrue is None or self.taken[at]:
            return found, False
        words = [*self.words]
        words[at] = question_words(untrue["rest"])[0]
        return self.terms.at(words, at, kinds=(TermKind.PROPERTY,)), True

    def quoted(self, at: int) -> tuple[str, int] | None:
        """Return what stands in quotes, or behind a `#`, from this word on, and the word behind it."""
        start = self.words[at].start
        before = self.question[start - 1 : start]
        if before == "#" and (match := _TAG.match(self.question, start)):
            return match.group(), self.after(match.end())
        closing = _CLOSING.get(before)
        end = self.question.find(closing, start) if closing else -1
        return (self.question[start:end].strip(), self.after(end)) if end > start else None

    def written(self, first: int, after: int) -> str:
        """Return words as the question writes them."""
        return self.question[self.words[first].start : self.words[after - 1].end]

    def is_name(self, at: int) -> bool:
        """Tell whether a word is written as names are."""
        return self.question[self.words[at].start].isupper()

    def says_itself(self, match: Match) -> bool:
        """Tell whether a name is said by its own words, and not by what they mean in the other language."""
        stems = {stem(word) for word in _PART.findall(plain(match.term.name.rpartition("/")[2]))}
        return any(not stems.isdisjoint(word.keys) for word in self.words[match.first : match.after])

    def is_taken(self, place: int) -> bool:
        """Tell whether a place of the text is accounted for already."""
        at = self.word_at(place)
        return at < len(self.words) and self.taken[at]

    def is_generic(self, at: int) -> bool:
        return at in self.at_word and self.at_word[at].phrase is Phrase.GENERIC

    def is_free_word(self, at: int) -> bool:
        """Tell whether nothing accounts for a word so far, and it says something."""
        return not self.taken[at] and at not in self.at_word and not is_function_word(self.words[at].text)

    def behind_small(self, at: int) -> int:
        """Return the first word from one on that is no article and no "my"."""
        while at < len(self.words) and self.words[at].text in _SMALL:
            at += 1
        return at

    def word_at(self, place: int) -> int:
        """Return the word that a place of the text is in or before."""
        return next((index for index, word in enumerate(self.words) if word.end > place), len(self.words))

    def after(self, place: int) -> int:
        """Return the first word that begins at a place of the text, or behind it."""
        return next((index for index, word in enumerate(self.words) if word.start >= place), len(self.words))

    def says(self, expression: str, at: int) -> re.Match[str] | None:
        """Match an expression at the beginning of a word; it ends where a word does."""
        return re.compile(rf"(?:{expression})(?![\w'-])").match(self.text, self.words[at].start)
