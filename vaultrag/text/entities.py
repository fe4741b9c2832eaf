"""Character references of HTML, `M&uuml;ller`, as the character that a reader sees (CommonMark 2.5)."""

from __future__ import annotations

import re
from html.entities import html5

from vaultrag.text.code_spans import outside_code

REFERENCE = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"  # never without its semicolon
_REFERENCE = re.compile(REFERENCE)
_NO_CHARACTER = "\ufffd"
_LAST = 0x10FFFF


def character(reference: str) -> str:
    """Return what a reference stands for: one that names nothing stands for itself, white space for a space."""
    if reference.startswith("&#"):
        number = int(reference[3:-1], 16) if reference[2] in "xX" else int(reference[2:-1])
        valid = 0 < number <= _LAST and not 0xD800 <= number <= 0xDFFF
        shown = chr(number) if valid else _NO_CHARACTER
    else:
        shown = html5.get(reference[1:], reference)
    return " " if shown.isspace() else shown


def decoded(text: str) -> str:
    """Return a text as its reader sees it, code and all."""
    return _REFERENCE.sub(lambda match: character(match.group()), text) if "&" in text else text


def as_shown(text: str) -> str:
    """Return Markdown with its references decoded, save in code, where they stand for themselves."""
    return outside_code(decoded, text) if "&" in text else text
