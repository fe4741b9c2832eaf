"""The block parser: CommonMark and tables, with Obsidian's comments, math blocks and footnotes as block rules.

Only block structure with line maps is made; what stands inside a line is read by `syntax`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

MAX_NESTING = 40  # CommonMark's 20 is ten levels of lists; outlines of real vaults go deeper
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")
DEEPEST_LOOK = 8  # quotes in quotes whose ends are looked for ahead; deeper ones are found the slow way
_QUOTES, _DEPTH = "quotes", "depth"  # what the parser remembers of a text: which quotes end in a paragraph
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
    """Tell that a line without `>` cannot continue the quote above it, which does not end in a paragraph.

    The quote's own rule would take it in, find this out later, and read all that follows once more for each such line.
    """
    del end
    if not silent or not start or not (quoted := _quoted_above(state, start)):
        return False
    known = state.env.setdefault(_QUOTES, {})
    if quoted not in known:
        if state.env.get(_DEPTH, 0) == DEEPEST_LOOK:
            return False
        state.env[_DEPTH] = state.env.get(_DEPTH, 0) + 1
        known[quoted] = _ends_in_paragraph(state.md.parse(quoted, state.env), quoted.count("\n"))
        state.env[_DEPTH] -= 1
    return not known[quoted]


def _quoted_above(state: StateBlock, start: int) -> str:
    """Return the lines of the quote right above a line, without the signs; empty where it is a continuation itself.

    Where they follow a continuation, a paragraph is open before them, and a word stands for it.
    """
    signs, first = _signs(state, start - 1), start
    if signs <= _signs(state, start):
        return ""
    while first and state.sCount[first - 1] >= 0 and _signs(state, first - 1) == signs:
        first -= 1
    continued = 0 < first < start and state.sCount[first - 1] < 0
    return "x\n" * continued + "".join(f"{_without_tabs(state, line)}\n" for line in range(first, start))


def _without_tabs(state: StateBlock, line: int) -> str:
    """Return a line from where the quote's sign ends, each tab as wide as it stands there."""
    column = state.bsCount[line]
    return f"{' ' * column}{state.src[state.bMarks[line] : state.eMarks[line]]}".expandtabs(4)[column:]


def _signs(state: StateBlock, line: int) -> int:
    """Count the signs of quotes that the parser has stepped over in a line."""
    start = state.bMarks[line]
    return state.src.count(">", state.src.rfind("\n", 0, start) + 1, start)


def _ends_in_paragraph(tokens: Sequence[Token], lines: int) -> bool:
    """Tell whether a paragraph, however deep in lists and quotes, reaches the last line and is open for another."""
    inner = len(tokens) - 1
    while inner >= 0 and tokens[inner].nesting == -1:
        inner -= 1
    if inner < 0 or inner + 1 == len(tokens) or tokens[inner + 1].type != "paragraph_close":
        return False
    place = tokens[inner].map
    return place is not None and place[1] == lines


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _push(state: StateBlock, kind: str, start: int, end: int) -> None:
    token = state.push(kind, "", 0)
    token.map = [start, end]
    state.line = end
