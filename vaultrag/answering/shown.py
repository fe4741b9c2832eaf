"""Markdown as its reader sees it: what only an app renders is read, what reads well without one stays as it is.

For the model and for people, where no app stands between: struck text must not be taken for valid, nor a box for a
word. Quotes are the notes' own characters and are not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vaultrag.text.code_spans import CodeSpans, outside_code, parts
from vaultrag.text.language import language_of
from vaultrag.vault.parsing.chats.search_marks import clean_text
from vaultrag.vault.parsing.dataview import DATE_SIGNS, SIGNED_DATE
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import (
    BLOCK_ID,
    CALLOUT,
    FENCE,
    ONE_QUOTE,
    QUOTE,
    TABLE_RULE,
    callout_title,
    caption,
    plain_inline,
    without_hidden,
)


@dataclass(frozen=True, slots=True)
class _Telling:
    """What an app shows by its looks, in words."""

    struck: str
    image: str
    embedded: str
    footnote: str
    states: Mapping[str, str]
    dates: Mapping[str, str]


_TELLING = {
    "en": _Telling(
        struck="crossed out",
        image="image",
        embedded="embedded",
        footnote="footnote",
        states={
            " ": "not done",
            "x": "done",
            "X": "done",
            "/": "in progress",
            "-": "cancelled",
            ">": "put off",
            "<": "scheduled",
            "?": "in question",
            "!": "important",
        },
        dates={name: name for name in DATE_SIGNS.values()},
    ),
    "ru": _Telling(
        struck="зачёркнуто",
        image="изображение",
        embedded="вставка",
        footnote="сноска",
        states={
            " ": "не сделано",
            "x": "сделано",
            "X": "сделано",
            "/": "в работе",
            "-": "отменено",
            ">": "перенесено",
            "<": "запланировано",
            "?": "под вопросом",
            "!": "важно",
        },
        dates={
            "created": "создано",
            "start": "начало",
            "scheduled": "запланировано",
            "due": "срок",
            "done": "сделано",
            "cancelled": "отменено",
        },
    ),
}

_STRUCK_TAG = re.compile(r"</?(?:s|del|strike)(?:\s[^<>]{0,200})?>", re.IGNORECASE)
_STRIKES = re.compile(r"`+|~{2,}|\n[ \t>]*\n")
_DEFINITION = re.compile(r"^[ \t>]*\[\^([^\]\s]{1,100})\]:[ \t]*", re.MULTILINE)
_REFERENCE = re.compile(r"[ \t]?\[\^([^\]\s]{1,100})\](?!:)")
_TASK = re.compile(r"(?P<marker>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)++)\[(?P<sign>[^\]\r\n])\](?:[ \t]+|$)")
_EMBED = re.compile(r"!\[\[([^\[\]|\r\n]{1,500})(?:\|([^\[\]\r\n]{0,500}))?\]\]")
_IMAGE = re.compile(r"!\[([^\[\]\r\n]{0,500})\]\((?:<([^<>\r\n]{0,2000})>|([^()\s]{0,2000}))[^()\r\n]{0,500}\)")
_PICTURE = re.compile(r"\.(?:bmp|png|jpe?g|gif|svg|webp|avif)\Z", re.IGNORECASE)
_FIELD = re.compile(r"[\[(]([^\[\]():\r\n]{1,100})::[ \t]*+([^\[\]()\r\n]{0,1000})[\])]")
_LINE_FIELD = re.compile(r"([ \t]*(?:[-*+][ \t]+)?[^\W\d_][^:`\[\](\r\n]{0,100})::(?=[ \t]+\S)")
_ADDRESS = re.compile(r"(?<!!)\[([^\[\]\r\n]{1,500})\]\((https?://[^()\s]{1,300})[^()\r\n]{0,300}\)")
_SIGN = "\ufdd0"  # no character, says Unicode: it stands in no text
_PLACE = re.compile(rf"{_SIGN}(\d+){_SIGN}")
_EMPTY_LINES = re.compile(r"\n{3,}")


def as_read(markdown: str, language: str = "") -> str:
    """Return Markdown as its reader sees it.

    Links are what they show, and marks of emphasis, quotes and comments go. Struck text, pictures, embeds and the
    state of tasks are told in words of `language`, by default the text's own: `~~6500~~` is "(crossed out: 6500)".
    Headings, lists, tables and code are kept: they read as well without an app.
    """
    telling = _TELLING["ru" if (language or language_of(markdown)) == "ru" else "en"]
    text, code = _without_fenced(markdown)
    text = _with_struck(clean_text(without_hidden(text)), telling)
    told = _EMPTY_LINES.sub("\n\n", "\n".join(_Lines(text, telling).read()))
    return _with_fenced(told, code).strip("\n").rstrip()


def with_addresses(markdown: str) -> str:
    """Return Markdown with the addresses of its links to the web beside their words: `[a](http://b)` as `a (http://b)`.

    For a model, which can tell an address and cannot follow a link.
    """
    text, code = _without_fenced(markdown)
    return _with_fenced(outside_code(lambda part: _ADDRESS.sub(_with_address, part), text), code)


def _with_address(link: re.Match[str]) -> str:
    return link[2] if link[1] == link[2] else f"{link[1]} ({link[2]})"


def _without_fenced(markdown: str) -> tuple[str, list[str]]:
    """Put a sign in the place of each block of code, closed or not, and return the blocks, too, without quote signs."""
    lines: list[str] = []
    blocks: list[str] = []
    held: list[str] = []
    fence = ""
    depth = 0
    for line in NEWLINE.split(markdown.replace(_SIGN, "")):
        quote = QUOTE.match(line) if ">" in line and not fence else None
        content = line[quote.end() :] if quote else _outside_quotes(line, depth)
        mark = FENCE.fullmatch(content)
        held += [content] if fence else []
        if mark and not fence and "`" not in mark[2]:
            fence, depth, held = mark[1], quote.group().count(">") if quote else 0, [content]
        elif mark and fence and mark[1].startswith(fence) and not mark[2].strip():
            fence, depth = "", 0
            lines.append(f"{_SIGN}{len(blocks)}{_SIGN}")
            blocks.append("\n".join(held))
        elif not fence:
            lines.append(line)
    if fence:
        lines.append(f"{_SIGN}{len(blocks)}{_SIGN}")
        blocks.append("\n".join(held))
    return "\n".join(lines), blocks


def _with_fenced(text: str, blocks: Sequence[str]) -> str:
    return _PLACE.sub(lambda place: blocks[int(place[1])], text) if blocks else text


def _with_struck(text: str, telling: _Telling) -> str:
    """Put into words what is struck out, within one paragraph and outside code; signs without a partner stay."""
    if "<" in text:
        text = outside_code(lambda part: _STRUCK_TAG.sub("~~", part), text)
    if "~~" not in text:
        return text
    kept: list[str] = []
    at = look = 0
    opening: re.Match[str] | None = None
    code = CodeSpans(text)
    while match := _STRIKES.search(text, look):
        look = match.end()
        if match.group()[0] == "`":
            look = code.end(match.start(), len(match.group())) or look
        elif match.group()[0] == "\n":
            opening, look = None, look - 1
        elif match.group() != "~~":
            continue
        elif opening is not None and not text[match.start() - 1].isspace():
            kept.extend((text[at : opening.start()], f"({telling.struck}: ", text[opening.end() : match.start()], ")"))
            at, opening = look, None
        elif not text[look : look + 1].isspace():
            opening = match
    return "".join((*kept, text[at:]))


class _Lines:
    """Reads a text that holds no blocks of code, line by line."""

    def __init__(self, text: str, telling: _Telling) -> None:
        self.lines = text.split("\n")
        self.telling = telling
        self.notes = frozenset(_DEFINITION.findall(text)) if "[^" in text else frozenset()

    def read(self) -> Iterator[str]:
        for line in self.lines:
            quote = QUOTE.match(line) if ">" in line else None
            content = line[quote.end() :] if quote else line
            if not (TABLE_RULE.fullmatch(content) and "|" in content):
                yield from self._prose(content, is_quoted=quote is not None)

    def _prose(self, line: str, *, is_quoted: bool) -> Iterator[str]:
        if is_quoted and (callout := CALLOUT.match(line)):
            line = line[callout.end() :] or callout_title(callout)
        content = BLOCK_ID.sub("", line) if "^" in line else line
        if content.strip() or not line.strip():
            yield self._words(content).rstrip()

    def _words(self, line: str) -> str:
        lead = ""
        if task := _TASK.match(line):
            state = self.telling.states.get(task["sign"], f"[{task['sign']}]")
            lead, line = f"{task['marker']}({state}) ", line[task.end() :]
        elif note := _DEFINITION.match(line):
            lead, line = f"{self.telling.footnote.capitalize()} {note.group(1)}: ", line[note.end() :]
        if field := _LINE_FIELD.match(line):
            line = f"{field.group(1)}:{line[field.end() :]}"
        return lead + "".join(part if is_code else self._inline(part) for part, is_code in parts(line))

    def _inline(self, text: str) -> str:
        if "[^" in text:
            text = _REFERENCE.sub(self._reference, text)
        if "![" in text:
            text = _IMAGE.sub(self._image, _EMBED.sub(self._embed, text))
        if "::" in text:
            text = _FIELD.sub(r"(\1: \2)", text)
        text = SIGNED_DATE.sub(self._date, text)
        return plain_inline(text)

    def _reference(self, match: re.Match[str]) -> str:
        return f" ({self.telling.footnote} {match.group(1)})" if match.group(1) in self.notes else ""

    def _embed(self, match: re.Match[str]) -> str:
        target, text = match.group(1).strip(), caption(match.group(2))
        name = " > ".join(filter(None, (target.rpartition("/")[2]).split("#")))
        kind = self.telling.image if _PICTURE.search(target) else self.telling.embedded
        return f"({kind}: {text or name})"

    def _image(self, match: re.Match[str]) -> str:
        source = match.group(2) or match.group(3) or ""
        return f"({self.telling.image}: {caption(match.group(1)) or source.rpartition('/')[2]})"

    def _date(self, match: re.Match[str]) -> str:
        return f"({self.telling.dates[DATE_SIGNS[match.group(1)]]}: {match.group(2)})"


def _outside_quotes(line: str, depth: int) -> str:
    for _ in range(depth):
        line = ONE_QUOTE.sub("", line, count=1)
    return line
