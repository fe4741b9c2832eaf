"""Markdown to the words that a reader sees: what is embedded and indexed. Code stays as it is."""

from __future__ import annotations

import re
from collections.abc import Collection

from vaultrag.domain import BlockKind
from vaultrag.text.code_spans import CodeSpans, parts
from vaultrag.text.entities import REFERENCE, character
from vaultrag.text.machine_data import without_machine_data
from vaultrag.vault.parsing.chats.search_marks import clean_text
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.syntax import HTML_TAG, displayed

QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
ONE_QUOTE = re.compile(r"\A {0,3}> ?")
FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}+|~{3,}+)(.*)")
CALLOUT = re.compile(r"[ \t]*\[!(?P<type>[^\]|]{1,80})(?:\|[^\]]{0,80})?\][+-]?[ \t]*")
_INLINE_FOOTNOTE = re.compile(r"\^\[([^\[\]]{1,1000})\]")
_MARKER = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)+(?:\[[^\]]\][ \t]+)?")  # «1998. Переезд» names a year
_HEADING = re.compile(r"[ \t]*#{1,6}(?:[ \t]+|$)")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,100}\]:?")
BLOCK_ID = re.compile(r"(?:^|[ \t])\^[A-Za-z0-9-]+[ \t]*$")
TABLE_RULE = re.compile(r"[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_MARKUP = re.compile(r"[\[\]<*_~=`%\\^!$&]")

_WIKILINK = re.compile(r"(!?)\[\[((?:(?!\[\[|\]\])[^|])*)(?:\|((?:(?!\[\[|\]\]).)*))?\]\]")
_LINK = re.compile(  # bounded, so that a failed attempt costs a constant
    r"!?\[([^\[\]]{0,500})\]\((<[^<>]{0,2000}>|[^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500}){0,4})"
    r"(?:[ \t]{1,9}(?:\"([^\"]{0,500})\"|'([^']{0,500})'))?\)"
)
_SIZE = re.compile(r"(?:^|\|)[ \t]*\d{1,5}(?:x\d{1,5})?[ \t]*\Z")
_TAG = re.compile(HTML_TAG)
_ATTRIBUTE = re.compile(r"([A-Za-z_:][\w.:-]*)(?:\s*+=\s*+(?:([^\s\"'=<>`]+)|'([^']*)'|\"([^\"]*)\"))?+")
_TAG_NAME = re.compile(r"</?[a-z][a-z0-9-]*")
_BREAKING = frozenset("br p div li tr td th hr h1 h2 h3 h4 h5 h6".split())
_ELEMENTS = _BREAKING | frozenset(  # whatever else stands in angle brackets is no tag to a reader: `vector<int>`
    "a abbr b bdi bdo big blockquote center cite del details dfn em font i iframe img ins kbd mark ol pre q rp rt ruby"
    " s samp small span strike strong sub summary sup svg tbody tfoot thead tt u ul wbr".split()
)
_WORDS = frozenset(  # elements whose names are words, too: `<address>` alone is what somebody is to put in
    "address area article aside audio base body button canvas caption circle code col data datalist dd defs dialog dl"
    " dt embed fieldset figcaption figure footer form g head header html input label legend line link main map math"
    " menu meta meter nav object optgroup option output param path picture polygon polyline progress rect script"
    " search section select slot source style table template text textarea time title track tspan var video".split()
)
_SWITCHES = frozenset(  # attributes that need no value; other bare words make `<b and c>` text
    "allowfullscreen async autofocus autoplay checked controls default defer disabled hidden ismap loop multiple muted"
    " nowrap noshade novalidate open playsinline readonly required reversed selected".split()
)
_COMMENTS = (re.compile(r"`+|<!--"), "-->")
_HIDDEN = (re.compile(r"`+|%%"), "%%")
# Both begin with the sign itself and look back over it: an expression that begins by looking back is tried everywhere.
_STRONG = re.compile(r"\*\*(?:(?<=\S\*\*)|(?=\S))|~~|%%|__(?:(?<!\w__)(?=\S)|(?<=\S__)(?!\w))")
_EMPHASIS = re.compile(
    r"\*(?<![\w*\\]\*)(?=[^\s*])([^*]{1,500}?)(?<=[^\s\\])\*(?![\w*])"
    r"|_(?<![\w\\]_)(?=[^\s_])([^_]{1,500}?)(?<=[^\s\\])_(?!\w)"
)
_HIGHLIGHT = re.compile(r"==(?=\S)([^=]{1,2000}?)(?<=\S)==")
_ESCAPE = re.compile(rf"\\([!-/:-@\[-`{{-~])|{REFERENCE}")
_YAML_MARKS = re.compile(r"(?<=: )[\"'\[{]++|^[\"'{\[]++|(?<![\"'\]}])[\"'\]}]++(?=,|$)|(?<=, )[\"']++", re.MULTILINE)
_INVISIBLE = {"\u00a0": " ", "\u202f": " ", "\u200b": "", "\ufeff": "", "\u00ad": "", "\t": " "}


def plain_text(text: str, kind: BlockKind, quote_depth: int = 0) -> str:
    """Return the words of a block or a part of one: no Markdown, comments, citation marks or machine data.

    `quote_depth` says how many `>` stand before each line of code: those of the code itself are kept.
    """
    return shown_words(without_machine_data(text, is_code=kind is BlockKind.CODE), kind, quote_depth)


def shown_words(text: str, kind: BlockKind, quote_depth: int = 0) -> str:
    """Return the words of a text that holds no machine data."""
    text = NEWLINE.sub("\n", text)
    if kind is BlockKind.CODE:
        return _code(text, quote_depth)
    text = without_comments(text)
    if kind is BlockKind.HTML:
        text = _TAG.sub(_tag_of_block, text)
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        quote = QUOTE.match(line) if ">" in line else None
        content = line[quote.end() :] if quote else line
        mark = FENCE.fullmatch(content)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif fence:
            lines.append(content)
        else:
            lines.append(_row(content) if kind is BlockKind.TABLE else plain_line(content))
    words = "\n".join(line for line in lines if line.strip())
    return _visible(clean_text(_YAML_MARKS.sub("", words) if kind is BlockKind.PROPERTIES else words)).strip()


def _visible(text: str) -> str:
    for sign, shown in _INVISIBLE.items():
        text = text.replace(sign, shown)  # most texts hold none of them: several times faster than `str.translate`
    return text


def without_comments(text: str) -> str:
    """Return the text without its closed HTML comments; one that nothing closes or that is code hides nothing."""
    return _without(text, *_COMMENTS) if "<!--" in text else text


def without_hidden(text: str) -> str:
    """Return the text without what no reader sees: HTML comments, and the app's own between `%%` and `%%`."""
    text = without_comments(text)
    return _without(text, *_HIDDEN) if "%%" in text else text


def _without(text: str, opening: re.Pattern[str], closing: str) -> str:
    """Drop what stands between the signs; `opening` finds runs of backticks, too, since code hides nothing."""
    kept: list[str] = []
    at = look = 0
    code = CodeSpans(text)
    while match := opening.search(text, look):
        if match.group()[0] == "`":
            look = code.end(match.start(), len(match.group())) or match.end()
        elif (end := text.find(closing, match.end())) < 0:
            break
        else:
            kept.append(text[at : match.start()])
            at = look = end + len(closing)
    return "".join((*kept, text[at:]))


def plain_line(line: str) -> str:
    """Return the words of one line that stands outside code."""
    for lead in (CALLOUT, _MARKER, _HEADING):
        match = lead.match(line)
        line = line[match.end() :] or (callout_title(match) if lead is CALLOUT else "") if match else line
    return plain_heading(line)


def callout_title(callout: re.Match[str]) -> str:
    """Return the title that Obsidian shows for a callout without one: its type."""
    kind = callout["type"].strip().replace("-", " ")
    return "" if kind.lower().startswith("nexus_") else kind[:1].upper() + kind[1:]


def plain_heading(line: str) -> str:
    """Return the words of a heading's text, or of a line whose markers are gone; its number stays."""
    if not _MARKUP.search(line):
        return line.strip()
    if "^" in line:
        line = BLOCK_ID.sub("", line)
    if "`" not in line:
        return plain_inline(line).strip()
    return "".join(part.strip("`") if is_code else plain_inline(part) for part, is_code in parts(line)).strip()


def plain_inline(text: str) -> str:
    """Return the words of a stretch of a line that holds no code: links, marks, tags and references as they show."""
    if "^" in text:
        text = _INLINE_FOOTNOTE.sub(r" (\1)", _FOOTNOTE.sub("", text))
    if "[" in text:
        text = _LINK.sub(_link_words, _WIKILINK.sub(_wikilink_words, text))
    if "<" in text:
        tags = frozenset(_TAG_NAME.findall(text.lower()))
        text = _TAG.sub(lambda tag: _tag_words(tag, tags), text)
    text = _HIGHLIGHT.sub(r"\1", text) if "==" in text else text
    if "*" in text or "_" in text or "~~" in text or "%%" in text:
        text = _STRONG.sub("", text)
        text = _EMPHASIS.sub(lambda match: match.group(1) or match.group(2), text)
    return _ESCAPE.sub(lambda match: match.group(1) or character(match.group()), text) if _escapes(text) else text


def _escapes(text: str) -> bool:
    return "\\" in text or "&" in text


def _wikilink_words(match: re.Match[str]) -> str:
    embed, link, text = match.group(1), match.group(2).removesuffix("\\"), match.group(3)
    target = link.partition("#")[0].strip().rpartition("/")[2].removesuffix(".md")
    if embed:
        anchors = [part for part in link.split("#")[1:] if not part.startswith("^")]
        name = displayed("#".join(filter(None, (target, *anchors)))) or displayed(link)
        return " ".join(filter(None, (caption(text), name)))
    return (text or "").strip() or displayed("#".join((target, *link.split("#")[1:])))


def caption(text: str | None) -> str:
    """Return what an image or an embed says of itself; a size such as `300x200` is none."""
    return _SIZE.sub("", text or "").strip()


def _link_words(match: re.Match[str]) -> str:
    text, target, *titles = match.groups()
    shown = caption(text) if match.group().startswith("!") else text
    return " ".join(filter(None, (shown or target.rpartition("/")[2], *titles)))


def _tag_words(tag: re.Match[str], tags: Collection[str]) -> str:
    """Return what a tag shows: nothing, a break, the words of an image; all of it where it only looks like a tag.

    `tags` are the tags of its line: an element whose name is a word has its other half there, or attributes.
    """
    name, written = tag["name"].lower(), tag["attributes"]
    attributes = {key.lower(): one or two or three for key, one, two, three in _ATTRIBUTE.findall(written)}
    partner = f"<{name}" if tag["close"] else f"</{name}"
    is_whole = bool(attributes) or partner in tags or tag.group().endswith("/>")
    if name not in _ELEMENTS and not (name in _WORDS and is_whole):
        return tag.group()
    if "=" not in written and not _SWITCHES.issuperset(attributes):
        return tag.group()
    shown = " ".join(filter(None, (attributes.get("alt"), attributes.get("title"))))
    if name == "img" and not shown:
        shown = attributes.get("src", "").rpartition("/")[2]
    return f"{shown} " if shown else " " * (name in _BREAKING)


def _tag_of_block(tag: re.Match[str]) -> str:
    """Return what a tag in a block of HTML shows: its other half may stand in another block."""
    name = tag["name"].lower()
    return _tag_words(tag, (f"<{name}", f"</{name}"))


def _row(line: str) -> str:
    if TABLE_RULE.fullmatch(line):
        return ""
    protected = _WIKILINK.sub(_wikilink_words, line)
    cells = [plain_line(cell) for cell in _CELL_BORDER.split(protected.strip().strip("|"))]
    return " | ".join(cell for cell in cells if cell)


def _code(text: str, quote_depth: int) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        content = line
        for _ in range(quote_depth):
            content = ONE_QUOTE.sub("", content, count=1)
        mark = FENCE.fullmatch(content)
        lines.append(mark.group(2).strip() if mark else content)
    return "\n".join(line for line in lines if line.strip()).strip("\n")
