"""The marks that open messages of a chat: what stands before or above the words, whoever it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vaultrag.vault.parsing.chats.speakers import LIKELY, LONGEST_LABEL, Speaker, read_speaker
from vaultrag.vault.parsing.lines import Lines

CALLOUT, HEADING, BOLD, LABEL = "callout", "#", "**", ":"  # the forms of marks
QUOTED = ">"  # stands before the form of a mark in a quote
_QUOTE = r"(?P<quote>[ ]{0,3}>[ \t]?)?"
_HEADING = re.compile(rf"{_QUOTE}[ ]{{0,3}}(?P<level>#{{1,6}})[ \t]++(?P<label>\S.{{0,200}}?)[ \t]*+#*+[ \t]*+")
_TIMED = r"[^:：\n]{0,60}(?:\d:\d\d[^:：\n]{0,20})?"  # a colon within a time ends no name
_BOLD = re.compile(
    rf"{_QUOTE}[ ]{{0,3}}[^\w\s*_>#`\[|+-]{{0,4}}[ ]?[*_]{{2,4}}(?:(?P<named>[^*_\n]{{1,100}}?)[ ]?[:：][*_]{{2,4}}"
    rf"|(?P<label>[^*_\n]{{1,100}}?)[*_]{{2,4}}(?P<beside>{_TIMED})(?P<colon>[:：]?))(?:[ \t]++(?P<rest>\S.*)|[ \t]*+)"
)
_CALLOUT = re.compile(
    r"[ ]{0,3}>[ \t]?\[!(?P<type>[^\]|\n]{1,40})(?:\|[^\]\n]*)?\][+-]?[ \t]*+(?P<title>(?:\S.{0,119}?)?)[ \t]*+"
)
_LABEL = re.compile(rf"{_QUOTE}(?P<label>#?[^\s:：#>*`|+\[\d-]{_TIMED}?)[ ]?[:：](?:[ \t]++(?P<rest>\S.*)|[ \t]*+)")
_ALONE = re.compile(  # what a page says above each message, copied without a colon
    rf"{_QUOTE}(?P<label>(?i:you said|you|вы сказали|вы|(?:chatgpt|gemini|claude|copilot|deepseek|grok)"
    r"(?: said| сказал\w?)?))[ \t]*"
)
_FENCE = re.compile(r"[ \t>]*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)")


@dataclass(frozen=True, slots=True)
class Mark:
    """What opens a message: its form, where its line and its own words begin, and who it names, if one of the two.

    It stands `alone` where no word of the message is on its line. `level` is that of a heading; a callout's `label` is
    its type.
    """

    form: str
    line: int
    body: int
    alone: bool
    label: str
    speaker: Speaker | None
    level: int = 0

    @property
    def role(self) -> str:
        return self.speaker.role if self.speaker else ""

    @property
    def weight(self) -> int:
        return self.speaker.weight if self.speaker else 0


def opens_message(line: str) -> bool:
    """Tell whether a line is as the name above a message: it says who spoke, not what."""
    mark = _mark_of(line, 0, 0) if len(line) <= 2 * LONGEST_LABEL else None
    return bool(mark and mark.alone and mark.speaker and mark.speaker.weight >= LIKELY)


def behind_name(line: str) -> int:
    """Return where a message's words begin that stand behind its name, `**User:** And then?`; 0 where none do."""
    label = line[: 2 * LONGEST_LABEL]
    mark = _mark_of(label, 0, 0) if line.strip() else None
    return mark.body if mark and mark.speaker and not mark.alone else 0


def find_marks(source: Sequence[str], lines: Lines, first: int) -> Iterator[Mark]:
    """Yield what may open a message, outside code; names in a run of fields open none."""
    fence = ""
    for number in range(first, len(source)):
        line, start = source[number], lines.starts[number]
        found = None if fence or not line.strip() else _mark_of(line, number, start)
        if found and not (found.speaker and _is_field(source, number, found)):
            yield found
            line = line[found.body - start :]  # an answer may begin with code right behind the name
        fence = fence_behind(line, fence)


def fence_behind(line: str, fence: str) -> str:
    """Return the fence that is open behind a line, empty where none is."""
    match = _FENCE.fullmatch(line)
    if not match:
        return fence
    if not fence:
        return match["mark"]
    return "" if match["mark"].startswith(fence) and not match["info"].strip() else fence


def _mark_of(line: str, number: int, start: int) -> Mark | None:
    if match := _CALLOUT.fullmatch(line):
        return _callout(match, number, start)
    if match := _HEADING.fullmatch(line):
        return replace(_mark(HEADING, match, number, start, match["label"]), level=len(match["level"]))
    if match := _BOLD.fullmatch(line):
        named, colon = match["named"], match["named"] or match["colon"]
        words = match["rest"] and not colon
        return None if words else _mark(BOLD, match, number, start, named or f"{match['label']}{match['beside']}")
    if match := _LABEL.fullmatch(line) or _ALONE.fullmatch(line):
        return _mark(LABEL, match, number, start, match["label"])
    return None


def _mark(form: str, match: re.Match[str], number: int, start: int, label: str) -> Mark:
    rest = "rest" in match.re.groupindex and match["rest"]
    body = start + (match.start("rest") if rest else len(match.string))
    return Mark(f"{QUOTED if match['quote'] else ''}{form}", number, body, not rest, label, read_speaker(label))


def _callout(match: re.Match[str], number: int, start: int) -> Mark:
    """Read a callout's type as a name, or else its title; behind a type that is one, words are the message's first."""
    kind, title = read_speaker(match["type"]), match["title"]
    beside = read_speaker(f"{match['type']} · {title}") or read_speaker(title)
    words = bool(kind and title and not beside)
    body = start + (match.start("title") if words else len(match.string))
    return Mark(CALLOUT, number, body, not words, match["type"], kind if words else beside or kind)


def _is_field(source: Sequence[str], number: int, mark: Mark) -> bool:
    """Tell whether a name with a value stands right between other names of the form: `**Дата:** …`, `**Автор:** …`."""
    if mark.form.lstrip(QUOTED) not in (BOLD, LABEL):
        return False
    beside = [source[near] for near in (number - 1, number + 1) if 0 <= near < len(source)]
    near = [_mark_of(line, 0, 0) for line in beside if line.strip()]
    return any(other and other.form == mark.form and not other.speaker for other in near)
