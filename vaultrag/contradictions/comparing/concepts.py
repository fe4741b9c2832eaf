"""The words of claims, so that they meet across forms, scripts and two languages: «рост», «роста» and "height".

Three ways lead from a word to its like: the dictionary's forms, the sound of a name or of a loan word («Леван»,
"Levan"; «роутер», "router"), and a list of what people keep notes about. The list is short; meaning is the embedder's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from vaultrag.contradictions.comparing.bilingual import CONCEPTS
from vaultrag.text.language import Token, fold, is_function_word, stem, words
from vaultrag.text.morphology import term_of

SHORTEST_SOUND = 3  # letters of a name's sound: what is shorter meets anything
ROOT = 5  # letters: «продали» and «продажа», "vaccinated" and "vaccination"
ROOT_SHARE = 0.7  # of the shorter stem that the root must be

_CYRILLIC = re.compile(r"[а-яё]")
_LETTERS = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "j", "з": "z", "и": "i", "й": "i",
        "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
        "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu",
        "я": "ia",
    }
)  # fmt: skip
# What several spellings write alike, the longest first; both scripts go through it.
_SPELLINGS = (
    ("shch", "sh"), ("sch", "sh"), ("tch", "ch"), ("tz", "ts"), ("kh", "h"), ("zh", "j"), ("dj", "j"), ("ph", "f"),
    ("ck", "k"), ("qu", "kv"), ("q", "k"), ("x", "ks"), ("w", "v"), ("y", "i"), ("ee", "i"), ("oo", "u"), ("ou", "u"),
    ("c", "k"), ("kh", "ch"),
)  # fmt: skip
_CASES = re.compile(r"(?<=[а-яё]{3})(?:[оеё][мйю]|ою|ею|ого|ому|ами|ям[и]?|ах|ях|ов|ев)\Z")
_TWICE = re.compile(r"(.)\1+")
_ENDING = re.compile(r"[aeiou]+\Z")


_LEADING = " \t\u00a0-–—,\"'«“(*_=[]"
_CLAUSE_ENDS = ",;.!?…:()|"
_DENIES = {
    **dict.fromkeys("не not never никогда cannot нельзя cant dont".split(), 1),
    **dict.fromkeys("без without no none нет ни нету nor neither".split(), 2),
}
_MAY_FOLLOW = frozenset("нет не none never no нету".split())  # «собаки нет», "surgery: none"
_DENIED_BEFORE = 2  # words that one at the end of a clause denies
_CLAUSE_ENDED = re.compile(r"\s*(?:было|была|был|были|будет|есть)?\s*(?:[,;.!?…()|]|\Z)")
_LIMITS = re.compile(
    r"\s+(?:боле\w+|больше(?=\s+(?:чем\s+)?\d)|менее|меньше(?=\s+\d)|позже|позднее|раньше|ранее|только|дольше|more than"
    r"|less than|only|later|earlier|longer|fewer|until|before)\b",
    re.IGNORECASE,
)
_SWITCHES = frozenset("on off".split())


@dataclass(frozen=True, slots=True)
class ClaimWord:
    """A word with meaning: `concept` is one for all its forms, `sound` one for both scripts, empty where too short.

    `is_denied` behind "not" and «без», and before a «нет» that ends the clause; "not more than" denies nothing.
    `clause` counts from 0.
    """

    text: str
    concept: str
    sound: str
    is_name: bool
    is_first: bool = False
    is_denied: bool = False
    clause: int = 0

    @property
    def is_number(self) -> bool:
        return any(map(str.isdigit, self.text))


@lru_cache(maxsize=10_000)
def read_words(text: str) -> tuple[ClaimWord, ...]:
    """Return the words of a text that carry meaning, in order."""
    return tuple(_read(text))


def are_alike(one: ClaimWord, other: ClaimWord) -> bool:
    """Tell whether two words may be one: by their forms, in another script, or by their root."""
    if one.concept == other.concept:
        return True
    if _is_cyrillic(one) != _is_cyrillic(other):
        return bool(one.sound) and one.sound == other.sound
    return not (one.is_number or other.is_number) and _share_root(_folded(one.text), _folded(other.text))


class WordSet:
    """Words that others are looked for among, each by one step and not by all of them."""

    def __init__(self, words: Iterable[ClaimWord]) -> None:
        self._concepts: set[str] = set()
        self._sounds: set[tuple[bool, str]] = set()
        self._roots: dict[str, list[ClaimWord]] = {}
        for word in words:
            self._concepts.add(word.concept)
            if word.sound:
                self._sounds.add((_is_cyrillic(word), word.sound))
            self._roots.setdefault(_folded(word.text)[:ROOT], []).append(word)

    def has(self, word: ClaimWord) -> bool:
        """Tell whether a word like this one is among them."""
        if word.concept in self._concepts or (word.sound and (not _is_cyrillic(word), word.sound) in self._sounds):
            return True
        return any(are_alike(word, other) for other in self._roots.get(_folded(word.text)[:ROOT], ()))


@lru_cache(maxsize=100_000)
def concept_of(word: str, *, is_name: bool = False) -> str:
    """Return one spelling for all forms of a word, and for its like in the other language where the list has it."""
    terms = term_of(word)
    if is_name:  # «Леван» is no form of «левый»
        return CONCEPTS.get(stem(word)) or min(terms)
    return CONCEPTS.get(stem(word)) or next((CONCEPTS[term] for term in terms if term in CONCEPTS), min(terms))


@lru_cache(maxsize=100_000)
def sound_of(word: str) -> str:
    """Return how a word sounds, roughly, whatever script it is in; empty where it is too short to tell."""
    bare = fold(word)
    latin = _CASES.sub("", bare).translate(_LETTERS) if _CYRILLIC.search(bare) else bare
    for written, plain in _SPELLINGS:
        latin = latin.replace(written, plain)
    sound = _ENDING.sub("", _TWICE.sub(r"\1", latin.replace("iu", "u").replace("ia", "a").replace("ie", "e")))
    return sound if len(sound) >= SHORTEST_SOUND and sound.isalpha() else ""


def _read(text: str) -> Iterator[ClaimWord]:
    kept: list[ClaimWord] = []
    denying, end, clause = 0, 0, 0  # how many words a "not" still denies
    for token in words(text):
        between = text[end : token.start]
        opens = (end == 0 and not between.strip(_LEADING)) or any(mark in between for mark in ".!?…:›|")
        folded = fold(token.text)
        if any(mark in between for mark in _CLAUSE_ENDS):
            denying, clause = 0, clause + (end > 0)
        if folded in _DENIES or text[token.end : token.end + 2] in ("'t", "’t"):
            denying = 0 if _LIMITS.match(text, token.end) else _DENIES.get(folded, 1)
            if folded in _MAY_FOLLOW and _CLAUSE_ENDED.match(text, token.end):
                kept[-_DENIED_BEFORE:] = [replace(word, is_denied=True) for word in kept[-_DENIED_BEFORE:]]
                denying = 0
        elif not token.is_symbol and (folded in _SWITCHES or not is_function_word(token.text)):
            kept.append(replace(_word(token, opens), is_denied=denying > 0, clause=clause))
            denying -= denying > 0
        end = token.end
    yield from kept


def _word(token: Token, opens: bool) -> ClaimWord:
    is_name = token.text[0].isupper() or (any(map(str.isupper, token.text)) and token.text.isalpha())
    concept = concept_of(token.text, is_name=is_name and not opens)
    return ClaimWord(token.text, concept, sound_of(token.text), is_name, opens)


def _is_cyrillic(word: ClaimWord) -> bool:
    return _has_cyrillic(word.text)


@lru_cache(maxsize=100_000)
def _has_cyrillic(word: str) -> bool:
    return bool(_CYRILLIC.search(fold(word)))


@lru_cache(maxsize=100_000)
def _folded(word: str) -> str:
    return fold(word)


def _share_root(one: str, other: str) -> bool:
    shared = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return shared >= max(ROOT, ROOT_SHARE * min(len(stem(one)), len(stem(other))))
