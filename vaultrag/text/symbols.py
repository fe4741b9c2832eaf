"""Signs that mean something by themselves: emoji, arrows, currencies. Punctuation and bullets are none."""

from __future__ import annotations

import re

_RANGES = (
    (0xA2, 0xA5),  # cent, pound, currency, yen
    (0xA7, 0xA7),  # section
    (0xB1, 0xB1),
    (0xD7, 0xD7),
    (0xF7, 0xF7),
    (0x20A0, 0x20CF),  # currencies
    (0x2190, 0x23FF),  # arrows, mathematics, technical signs with the first clocks among them
    (0x25A0, 0x27BF),  # shapes, weather, ticks and crosses
    (0x27C0, 0x27E5),
    (0x27F0, 0x2982),
    (0x2999, 0x2BFF),
    (0x3030, 0x3030),
    (0x1F000, 0x1FAFF),  # emoji
)
_FLAG = "[\U0001f1e6-\U0001f1ff]"  # two of them are one flag
_JOINER = "\u200d"
_LOOK = "\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"  # skin, colour, the letters of a region's flag
_BASE = "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES) + "]"
SYMBOL = rf"(?:{_FLAG}{_FLAG}|{_BASE}[{_LOOK}]*(?:{_JOINER}{_BASE}[{_LOOK}]*)*)"
"""A sign as a reader sees it, with what colours it and what is joined to it."""

_PART = re.compile(_BASE)
_COLOURING = re.compile(f"[{_LOOK}{_JOINER}]")
_IS_FLAG = re.compile(_FLAG * 2)


def plain_symbol(symbol: str) -> str:
    """Return a sign without its colour: a hand is found in any skin. One that is a colour itself stays."""
    return _COLOURING.sub("", symbol) or symbol


def joined_symbols(symbol: str) -> list[tuple[int, str]]:
    """Return (offset, sign) of the signs that one is joined from; none for one that stands alone, and for a flag."""
    if _JOINER not in symbol or _IS_FLAG.match(symbol):
        return []
    return [(match.start(), match.group()) for match in _PART.finditer(symbol) if not _COLOURING.match(match.group())]
