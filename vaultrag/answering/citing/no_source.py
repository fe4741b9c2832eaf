"""Lines that say nothing by themselves, and so back no sentence: headings, header rows, embeds, the marks of code.

They still tell what the lines below them speak of.
"""

from __future__ import annotations

import re

from vaultrag.vault.parsing.lines import NEWLINE

LONGEST_LINE = 2000  # characters looked at before and after a place: no heading, rule or embed is longer

_LEAD = r"[ \t>]*+"
_HEADING = re.compile(rf"{_LEAD}(?:[-*+][ \t]++)?#{{1,6}}(?:[ \t]|\Z)")
_UNDERLINE = re.compile(rf"{_LEAD}(?:={{2,}}|-{{3,}})[ \t]*+\Z")
_CELL = r"[ \t]*+:?-++:?[ \t]*+"
_TABLE_RULE = re.compile(rf"{_LEAD}\|?{_CELL}(?:\|{_CELL})*+\|?[ \t]*+\Z")
_EMBED = r"!\[\[[^\]\r\n]*+\]\]|!\[[^\]\r\n]*+\]\([^)\r\n]*+\)"
_LINK = r"\[\[[^\]\r\n]*+\]\]|\[[^\]\r\n]*+\]\([^)\r\n]*+\)"
_ITEM = r"(?:(?:[-*+]|\d{1,9}[.)])[ \t]++(?:\[[^\]\r\n]\][ \t]++)?)?"
_APART = r"[ \t.,;·|]*+"
_SHOWS_ONLY = re.compile(rf"{_LEAD}{_ITEM}(?:(?:{_EMBED}){_APART})++(?:\^[\w-]++[ \t]*+)?\Z")
_LINKS_ONLY = re.compile(
    rf"{_LEAD}(?:(?:{_EMBED}|{_LINK}){_APART})++(?:\^[\w-]++[ \t]*+)?\Z"
)  # an item may be asked for
_FENCE = re.compile(rf"{_LEAD}{_ITEM}(?:`{{3,}}|~{{3,}})")
_COMMENT = r"<!--(?:(?!-->)[^\r\n])*+-->"
_MARKS_ONLY = re.compile(rf"{_LEAD}(?:#![^\r\n]*+|-{{3,}}|{_COMMENT}|\^[\w-]++|(?:#[^\s#]++[ \t]*+)++)[ \t]*+\Z")


def backs_nothing(text: str, start: int, end: int) -> bool:
    """Tell whether the line or sentence `text[start:end]` of a note or a part of one is no source for a fact."""
    line_start = _line_start(text, start)
    line_end = _line_end(text, start)
    if line_end < end:  # of several lines: prose
        return False
    line = text[line_start:line_end]
    is_whole = not text[line_start:start].strip(" \t>-*+#[]xX0123456789.)|") and not text[end:line_end].strip(" \t|")
    if _HEADING.match(line) or _FENCE.match(line) or _MARKS_ONLY.match(line):
        return True
    if _SHOWS_ONLY.match(line) or _LINKS_ONLY.match(line):
        return True
    return is_whole and _is_above_rule(text, line, line_end)


def _is_above_rule(text: str, line: str, line_end: int) -> bool:
    """Tell a table's header row, or a heading that is underlined."""
    newline = NEWLINE.match(text, line_end)
    if newline is None:
        return False
    below = text[newline.end() : _line_end(text, newline.end())]
    if "|" in line:
        return "-" in below and bool(_TABLE_RULE.match(below))
    return bool(_UNDERLINE.match(below))


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", max(0, at - LONGEST_LINE), at), text.rfind("\r", max(0, at - LONGEST_LINE), at)) + 1


def _line_end(text: str, at: int) -> int:
    match = NEWLINE.search(text, at, at + LONGEST_LINE)
    return match.start() if match else min(len(text), at + LONGEST_LINE)
