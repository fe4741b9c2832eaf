"""The citation marks that a chat's search tool leaves in its messages."""

from __future__ import annotations

import re

CITATION_MARK = re.compile(
    r"【\d{1,4}(?::\d{1,4})?(?:†[^】\r\n]{0,120})?】"
    r"|\[\d{1,4}(?::\d{1,4})?†[^\]\r\n]{0,120}\]"
    r"|\ue200[a-z_]{1,30}\ue202[^\ue200\ue201\r\n]{0,600}\ue201"
    r"|\b(?:cite)?(?:\ue202?turn\d{1,4}[a-z]{3,12}\d{1,4})+\b"
    r"|[\ue200-\ue206]"
)
"""Marks of a chat's search tool: `【1†L281-L288】`, `[3†source]`, `citeturn0search1`."""
_MARK_SIGNS = ("【", "†", "turn", *map(chr, range(0xE200, 0xE207)))  # every mark holds one; found far faster than marks


def clean_text(text: str) -> str:
    """Return the text without the citation marks of chat exports; what stands around them is kept."""
    return CITATION_MARK.sub("", text) if any(sign in text for sign in _MARK_SIGNS) else text
