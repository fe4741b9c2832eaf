"""Names by their first letters: GTD for "Getting Things Done", «вид на жительство» for «ВНЖ». Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vaultrag.text.language import is_function_word

LETTERS = range(3, 7)  # of two letters there are too many: "ML" is Mary Lee, too
LONGEST = 40  # words of a question that are looked at: a page is no name

_WORD = re.compile(r"[^\W\d_]+")
_ABBREVIATION = re.compile(rf"\b[^\W\d_a-zа-яё]{{{LETTERS.start},{LETTERS.stop - 1}}}\b")


def abbreviations_in(text: str) -> list[str]:
    """Return the words of a text that are capitals alone, once each."""
    return list(dict.fromkeys(word for word in _ABBREVIATION.findall(text) if word.isupper()))


def stands_for(abbreviation: str, name: str) -> bool:
    """Tell whether a name's words begin with these letters, its function words counted or not."""
    return abbreviation.lower() in _initials(_WORD.findall(name))


def initials_in(text: str) -> list[str]:
    """Return in capitals the first letters of every few words that follow each other."""
    words = _WORD.findall(text)[:LONGEST]
    runs = (words[first : first + count] for first in range(len(words)) for count in LETTERS)
    return list(dict.fromkeys(letters.upper() for run in runs for letters in _initials(run) if len(letters) in LETTERS))


def _initials(words: list[str]) -> Iterator[str]:
    for kept in (words, [word for word in words if not is_function_word(word)]):
        yield "".join(word[0] for word in kept).lower()
