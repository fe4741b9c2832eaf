"""The vault's own words found in a question, in any form and in either language where a kind of thing has both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from vaultrag.answering.vault_questions.kinds import meanings_by_stem, stems_by_meaning
from vaultrag.answering.vault_questions.words import DONE_WORDS
from vaultrag.store.notes.vocabulary import VaultVocabulary
from vaultrag.text.language import is_function_word, stem
from vaultrag.text.morphology import forms_of, term_of
from vaultrag.text.times.periods import plain
from vaultrag.text.transliteration import transliterations

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_ARTICLES = frozenset({"the", "a", "an"})
LONGEST_NAME = 6  # words of a name that is looked for; longer titles are named by fewer of them
MACHINE_PROPERTIES = frozenset("tags aliases cssclasses date created title id uid".split())


class TermKind(StrEnum):
    TAG = "tag"
    FOLDER = "folder"
    PROPERTY = "property"
    VALUE = "value"
    NOTE = "note"


class QuestionWord(NamedTuple):
    """A word of a question, `end` exclusive, with all it can be found by: stems of its forms, kinds of things."""

    start: int
    end: int
    text: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class VaultTerm:
    """A name of the vault: a tag, a folder, a property, a value of the property `key`, a name of the note `key`."""

    kind: TermKind
    name: str
    key: str = ""


class Match(NamedTuple):
    """A name where a question says it: from one word up to another, exclusive. Not `whole` where only in part."""

    first: int
    after: int
    term: VaultTerm
    whole: bool = True


def question_words(question: str) -> list[QuestionWord]:
    """Return the words of a question; places are those of the question itself."""
    return [
        QuestionWord(match.start(), match.end(), match.group(), _asked(match.group()))
        for match in _WORD.finditer(plain(question))
    ]


def _asked(word: str) -> frozenset[str]:
    stems = term_of(word)
    return frozenset((*stems, *(meaning for one in stems for meaning in meanings_by_stem().get(one, ()))))


def stems_said(question: str) -> frozenset[str]:
    """Return the stems by which the vault may call what a question says, in both languages, and what is done to it."""
    found = {stem(word) for word in DONE_WORDS.split()}
    for word in question_words(question):
        if is_function_word(word.text) or word.text.isdigit():
            continue
        is_name = question[word.start].isupper()
        found.update(key for key in (across_scripts(word) if is_name else word).keys if key[0] not in "@=")
        found.update(stem for key in word.keys if key[0] in "@=" for stem in stems_by_meaning()[key])
    return frozenset(found)


def across_scripts(word: QuestionWord) -> QuestionWord:
    """Return a word with what it would be in the other letters: Oleg is «Олег», and «Анну» is Anna."""
    spelled = {other for form in forms_of(word.text) for other in transliterations(form)}
    return word._replace(keys=word.keys | {stem(other) for other in spelled})


class VaultTerms:
    """The names of one vault, by their words."""

    def __init__(self, vocabulary: VaultVocabulary) -> None:
        self._by_word: dict[str, list[tuple[VaultTerm, tuple[frozenset[str], ...]]]] = {}
        for term, said in _terms(vocabulary):
            words = _held(said)
            if words:
                for key in set().union(*words):
                    self._by_word.setdefault(key, []).append((term, words))

    def at(
        self, words: Sequence[QuestionWord], first: int, *, kinds: Sequence[TermKind], parts: bool = False
    ) -> list[Match]:
        """Return the longest names of these kinds that the question says from a word on; with `parts` also in part."""
        found: list[Match] = []
        seen: set[int] = set()
        for key in words[first].keys:
            for term, said in self._by_word.get(key, ()):
                if term.kind not in kinds or id(said) in seen:
                    continue
                seen.add(id(said))
                length = _length(words, first, said)
                if length == len(said):
                    found.append(Match(first, first + length, term))
                elif parts and (length := _length_of_part(words, first, said)):
                    found.append(Match(first, first + length, term, whole=False))
        if not found:
            return []
        longest = max(match.after for match in found)
        kept = [match for match in found if match.after == longest]
        return [match for match in kept if match.whole] or kept


def _length(words: Sequence[QuestionWord], first: int, said: Sequence[frozenset[str]]) -> int:
    """Return how many words of a name the question says from here on, one after the other."""
    length = 0
    for word, name in zip(words[first : first + len(said)], said, strict=False):
        if word.keys.isdisjoint(name):
            break
        length += 1
    return length


def _length_of_part(words: Sequence[QuestionWord], first: int, said: Sequence[frozenset[str]]) -> int:
    """Return the same for words that stand together anywhere in a name of a few."""
    if len(said) > LONGEST_NAME:
        return 0
    return max((_length(words, first, said[start:]) for start in range(len(said))), default=0)


def _held(name: str) -> tuple[frozenset[str], ...]:
    """Return the words of a name, each with what it is found by; a kind of thing counts where it is all of the name."""
    words = [word for word in _WORD.findall(plain(name)) if word not in _ARTICLES]
    if len(words) > 1 and words[0].isdigit() and not any(map(str.isdigit, words[1:])):
        words = words[1:]  # «01 Проекты», `2. Areas`: the number only puts them in order
    stems = [stem(word) for word in words]
    if len(stems) == 1 and not stems[0].isdigit():
        return (frozenset((stems[0], *meanings_by_stem().get(stems[0], ()))),)
    return tuple(frozenset((one,)) for one in stems) if not all(map(str.isdigit, stems)) else ()


def _terms(vocabulary: VaultVocabulary) -> Iterator[tuple[VaultTerm, str]]:
    yield from _by_last_part(TermKind.TAG, vocabulary.tags)
    yield from _by_last_part(TermKind.FOLDER, vocabulary.folders)
    for key, use in vocabulary.properties.items():
        if key not in MACHINE_PROPERTIES:
            yield VaultTerm(TermKind.PROPERTY, use.name, key), re.sub(r"(?<=[a-zа-я])(?=[A-ZА-Я])", " ", use.name)
            for value in use.values:
                yield VaultTerm(TermKind.VALUE, value, use.name), value
    for name, path in vocabulary.names:
        yield VaultTerm(TermKind.NOTE, name, path), name


def _by_last_part(kind: TermKind, paths: Iterable[str]) -> Iterator[tuple[VaultTerm, str]]:
    for path in paths:
        last = path.rpartition("/")[2]
        yield VaultTerm(kind, path), last
        if last != path:
            yield VaultTerm(kind, path), path
