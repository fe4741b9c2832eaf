"""The block parser: CommonMark and tables, with Obsidian's comments, math blocks and footnotes as block rules.

Only block structure with line maps is made; what stands inside a line is read by `syntax`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

MAX_NESTING = 40  # CommonMark's 20 is ten levels of lists; outlines of real vaults go deeper
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")
_QUOTED = re.compile(r"(?P<marks>(?: {0,3}> ?)+)(?P<rest>.*)")
_NO_PARAGRAPH = re.compile(r"\s*$| {0,3}#{1,6}(?:\s|$)")
_FENCE = re.compile(r" ?(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")  # a deeper one may belong to a list
_INTERRUPTS = ["paragraph", "blockquote", "list"]

BlockRule = Callable[[StateBlock, int, int, bool], bool]


@cache
def block_parser() -> MarkdownIt:
    """Return the parser; it keeps no state between texts."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.disable("reference")  # it would swallow `[^1]: [[Note]]` without a token
    ruler = parser.block.ruler
    ruler.before("fence", "comment", _delimited("%%", "comment"), {"alt": _INTERRUPTS})
    ruler.before("fence", "math", _delimited("$$", "math"), {"alt": _INTERRUPTS})
    ruler.before("list", "footnote", _footnote, {"alt": _INTERRUPTS})
    ruler.before("blockquote", "quote_end", _quote_end, {"alt": ["blockquote"]})
    return parser


def _delimited(marker: str, kind: str) -> BlockRule:
    """Make the rule for a block between two lines that hold `marker`; without the second line it is plain text."""

    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if state.is_code_block(start) or not _line(state, start).startswith(marker):
            return False
        last = _closing_line(state, start, end, marker)
        if last is None:
            return False
        if not silent:
            _push(state, kind, start, last + 1)
        return True

    return rule


def _closing_line(state: StateBlock, start: int, end: int, marker: str) -> int | None:
    rest = _line(state, start)[len(marker) :]
    if marker in rest:
        return start if marker == "$$" and rest.rstrip().endswith(marker) and rest.strip() != marker else None
    for line in range(start + 1, end):
        if not state.isEmpty(line) and state.sCount[line] < state.blkIndent:
            return None
        if marker in _line(state, line):
            return line
    return None


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`[^id]: text`, its lazy lines, and after blank lines those indented by two spaces or more."""
    if state.is_code_block(start) or not _FOOTNOTE.match(_line(state, start)):
        return False
    if silent:
        return True
    following = start + 1
    while following < end:
        content = following
        while content < end and state.isEmpty(content):
            content += 1
        if content == end or not _continues(state, following, content, end):
            break
        following = content + 1
    _push(state, "footnote", start, following)
    return True


def _continues(state: StateBlock, following: int, content: int, end: int) -> bool:
    if state.sCount[content] - state.blkIndent >= 2:  # Obsidian's own minimum
        return True
    if content != following or state.sCount[content] < state.blkIndent:
        return False
    return not any(rule(state, content, end, True) for rule in state.md.block.ruler.getRules("paragraph"))


def _quote_end(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Tell that a line without `>` cannot continue the quote above it, which ends in a fence, a heading or nothing.

    The quote's own rule would take it in, find this out later, and read all that follows once more for each such line.
    """
    del end
    if not silent or not start or not (last := _QUOTED.match(_source_line(state, start - 1))):
        return False
    if _NO_PARAGRAPH.match(last["rest"]):
        return True
    fence, depth, quoted = "", 0, []
    while start and (match := _QUOTED.match(_source_line(state, start - 1))):
        quoted.append(match)
        start -= 1
    for line in reversed(quoted):
        marks = line["marks"].count(">")
        fence = fence if marks == depth else ""
        depth = marks
        mark = _FENCE.match(line["rest"])
        if mark and (not fence or (mark["mark"].startswith(fence) and not mark["info"].strip())):
            fence = "" if fence else mark["mark"]
    return bool(fence)


def _source_line(state: StateBlock, line: int) -> str:
    """Return a line with the signs of the quotes around it, which the parser has stepped over."""
    end = state.eMarks[line]
    return state.src[state.src.rfind("\n", 0, end) + 1 : end]


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _push(state: StateBlock, kind: str, start: int, end: int) -> None:
    token = state.push(kind, "", 0)
    token.map = [start, end]
    state.line = end
