"""Chinese, Japanese and Korean characters: which they are."""

from __future__ import annotations

import re

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


def holds_cjk(text: str) -> bool:
    """Whether a text is written in one of these scripts somewhere. Their punctuation alone does not count."""
    return _LETTER.search(text) is not None
