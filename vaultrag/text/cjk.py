"""Chinese, Japanese and Korean characters: which they are, and how text without spaces is found by them."""

from __future__ import annotations

import re
from itertools import pairwise

LETTERS = (
    (0x1100, 0x11FF),  # hangul jamo
    (0x2E80, 0x2FFF),  # radicals and descriptions of ideographs
    (0x3005, 0x3007),
    (0x3021, 0x302F),
    (0x3031, 0x9FFF),  # kana, bopomofo, hangul jamo, enclosed and squared ideographs, Unihan and the hexagrams inside
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),  # hangul
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),  # half-width kana and hangul
    (0x16FE0, 0x16FFF),
    (0x1AFF0, 0x1B16F),  # kana of former times
    (0x1F200, 0x1F2FF),
    (0x20000, 0x3FFFF),  # the ideographic planes
)
SIGNS = (
    (0x3000, 0x303F),  # their space, stops and brackets
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFFEF),  # full-width Latin letters and punctuation, which models slip into beside ideographs
)


def _pattern(ranges: tuple[tuple[int, int], ...]) -> re.Pattern[str]:
    return re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]")


ANY = _pattern(LETTERS + SIGNS)
_LETTER = _pattern(LETTERS)
_CHARACTER = re.compile(r".[\u3099\u309a]*", re.DOTALL)  # with the marks that NFD parts from it: が
_RUN = re.compile(f"(?:{_LETTER.pattern})+")


def holds_cjk(text: str) -> bool:
    """Whether a text is written in one of these scripts somewhere. Their punctuation alone does not count."""
    return _LETTER.search(text) is not None


def runs(text: str) -> list[tuple[int, str]]:
    """Return (offset, text) of the stretches that are written in these scripts, and of those between them."""
    found: list[tuple[int, str]] = []
    at = 0
    for match in _RUN.finditer(text):
        if match.start() > at:
            found.append((at, text[at : match.start()]))
        found.append((match.start(), match.group()))
        at = match.end()
    return [*found, (at, text[at:])] if at < len(text) else found


def pieces(run: str) -> list[tuple[int, str]]:
    """Return (offset, text) of what a stretch without spaces is found by: its pairs, then each character.

    Where its words end only a dictionary of the language could tell; pairs of characters find as much
    (Nie and others, "On the use of words and n-grams for Chinese information retrieval", 2000).
    """
    single = [(match.start(), match.group()) for match in _CHARACTER.finditer(run)]
    pairs = [(at, one + other) for (at, one), (_, other) in pairwise(single)] if len(single) > 2 else []
    return [*pairs, *single] if len(single) > 1 else []


def is_inside_run(text: str, start: int, end: int) -> bool:
    """Tell whether a character stands beside others of these scripts, whose pairs say more."""
    if end - start != 1 or not holds_cjk(text[start:end]):
        return False
    return holds_cjk(text[max(0, start - 1) : start]) or holds_cjk(text[end : end + 1])
