"""Markdown to the words that a reader sees: what is embedded and indexed. Code stays as it is."""

from __future__ import annotations

import re

from vaultrag.domain import BlockKind
from vaultrag.vault.parsing.chats import clean_text
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.syntax import displayed

_QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
_ONE_QUOTE = re.compile(r"\A {0,3}> ?")
_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)")
_CALLOUT = re.compile(r"[ \t]*\[!(?P<type>[^\]|]{1,80})(?:\|[^\]]{0,80})?\][+-]?[ \t]*")
_INLINE_FOOTNOTE = re.compile(r"\^\[([^\[\]]{1,1000})\]")
_MARKER = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+(?:\[[^\]]\][ \t]+)?")
_HEADING = re.compile(r"[ \t]*#{1,6}(?:[ \t]+|$)")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,100}\]:?")
_BLOCK_ID = re.compile(r"(?:^|[ \t])\^[A-Za-z0-9-]+[ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_CODE_SPAN = re.compile(r"(`[^`]+`)")
_MARKUP = re.compile(r"[\[\]<*_~=`%\\^!$]")

_WIKILINK = re.compile(r"(!?)\[\[((?:(?!\[\[|\]\])[^|])*)(?:\|((?:(?!\[\[|\]\]).)*))?\]\]")
_LINK = re.compile(  # bounded, so that a failed attempt costs a constant
    r"!?\[([^\[\]]{0,500})\]\((<[^<>]{0,2000}>|[^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500}){0,4})"
    r"(?:[ \t]{1,9}\"[^\"]{0,500}\")?\)"
)
_BREAKING_TAG = re.compile(r"</?(?:br|p|div|li|tr|td|th|hr|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>")
# Both begin with the sign itself and look back over it: an expression that begins by looking back is tried everywhere.
_STRONG = re.compile(r"\*\*(?:(?<=\S\*\*)|(?=\S))|~~|%%|__(?:(?<!\w__)(?=\S)|(?<=\S__)(?!\w))")
_EMPHASIS = re.compile(
    r"\*(?<![\w*]\*)(?=[^\s*])([^*]{1,500}?)(?<=\S)\*(?![\w*])|_(?<!\w_)(?=[^\s_])([^_]{1,500}?)(?<=\S)_(?!\w)"
)
_HIGHLIGHT = re.compile(r"==(?=\S)([^=]{1,2000}?)(?<=\S)==")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_INVISIBLE = {"\u00a0": " ", "\u202f": " ", "\u200b": "", "\ufeff": "", "\u00ad": "", "\t": " "}


def plain_text(text: str, kind: BlockKind, quote_depth: int = 0) -> str:
    """Return the words of a block or a part of one, line by line, without Markdown, comments and citation marks.

    `quote_depth` says how many `>` stand before each line of code: those of the code itself are kept.
    """
    text = NEWLINE.sub("\n", text)
    if kind is BlockKind.CODE:
        return _code(text, quote_depth)
    text = without_comments(text)
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        quote = _QUOTE.match(line) if ">" in line else None
        content = line[quote.end() :] if quote else line
        mark = _FENCE.fullmatch(content)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif fence:
            lines.append(content)
        else:
            lines.append(_row(content) if kind is BlockKind.TABLE else plain_line(content))
    return _visible(clean_text("\n".join(line for line in lines if line.strip()))).strip()


def _visible(text: str) -> str:
    for sign, shown in _INVISIBLE.items():
        text = text.replace(sign, shown)  # most texts hold none of them: several times faster than `str.translate`
    return text


def without_comments(text: str) -> str:
    """Return the text without its closed HTML comments; one that nothing closes hides nothing."""
    parts: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts.append(text[at:start])
        at = end + 3
    return "".join((*parts, text[at:]))


def plain_line(line: str) -> str:
    """Return the words of one line that stands outside code."""
    for opening in (_CALLOUT, _MARKER, _HEADING):
        match = opening.match(line)
        line = line[match.end() :] or (_callout_title(match) if opening is _CALLOUT else "") if match else line
    return plain_heading(line)


def _callout_title(callout: re.Match[str]) -> str:
    """Return the title that Obsidian shows for a callout without one: its type."""
    kind = callout["type"].strip().replace("-", " ")
    return "" if kind.lower().startswith("nexus_") else kind[:1].upper() + kind[1:]


def plain_heading(line: str) -> str:
    """Return the words of a heading's text, or of a line whose markers are gone; its number stays."""
    if not _MARKUP.search(line):
        return line.strip()
    if "^" in line:
        line = _BLOCK_ID.sub("", line)
    if "`" not in line:
        return _inline(line).strip()
    parts = _CODE_SPAN.split(line)
    return "".join(part.strip("`") if index % 2 else _inline(part) for index, part in enumerate(parts)).strip()


def _inline(text: str) -> str:
    if "^" in text:
        text = _INLINE_FOOTNOTE.sub(r" (\1)", _FOOTNOTE.sub("", text))
    if "[" in text:
        text = _LINK.sub(_link_words, _WIKILINK.sub(_wikilink_words, text))
    if "<" in text:
        text = _TAG.sub("", _BREAKING_TAG.sub(" ", text))
    text = _HIGHLIGHT.sub(r"\1", text) if "==" in text else text
    if "*" in text or "_" in text or "~~" in text or "%%" in text:
        text = _STRONG.sub("", text)
        text = _EMPHASIS.sub(lambda match: match.group(1) or match.group(2), text)
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _wikilink_words(match: re.Match[str]) -> str:
    embed, link, text = match.group(1), match.group(2).removesuffix("\\"), match.group(3)
    target = link.partition("#")[0].strip().rpartition("/")[2].removesuffix(".md")
    if embed:
        return target or displayed(link)
    return (text or "").strip() or displayed("#".join((target, *link.split("#")[1:])))


def _link_words(match: re.Match[str]) -> str:
    return match.group(1) or match.group(2).rpartition("/")[2]


def _row(line: str) -> str:
    if _TABLE_RULE.fullmatch(line):
        return ""
    protected = _WIKILINK.sub(_wikilink_words, line)
    cells = [plain_line(cell) for cell in _CELL_BORDER.split(protected.strip().strip("|"))]
    return " | ".join(cell for cell in cells if cell)


def _code(text: str, quote_depth: int) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        content = line
        for _ in range(quote_depth):
            content = _ONE_QUOTE.sub("", content, count=1)
        mark = _FENCE.fullmatch(content)
        lines.append(mark.group(2).strip() if mark else content)
    return "\n".join(line for line in lines if line.strip()).strip("\n")
