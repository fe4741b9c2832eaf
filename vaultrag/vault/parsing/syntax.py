"""What stands inside a line: wikilinks, embeds, Markdown links, tags and block ids, as Obsidian reads them.

Code spans, HTML comments, HTML tags, math and link targets hide what is in them; `%%` comments do not.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from urllib.parse import unquote

from vaultrag.domain import LinkKind

# The characters that end a tag: punctuation and spaces of the app's own expression (obsidian-help issue 816).
_NOT_TAG = r"\u2000-\u206f\u2e00-\u2e7f'!\"#$%&()*+,.:;<=>?@^`{|}~\[\]\\\s\ufeff"
_TAG = re.compile(rf"#([^{_NOT_TAG}]+)")
_DIGITS = re.compile(r"[0-9]+")
_SPACE = re.compile(r"[\s\ufeff]")

# One pass looks for these only; each either hides a stretch, opens a link or may be a tag.
_START = re.compile(r"\\.|`+|<!--|<[A-Za-z/]|\$\$?|!?\[\[|!?\[|\]|#", re.DOTALL)
_WIKILINK = re.compile(r"!?\[\[((?:(?!\[\[|\]\])[^\r\n])+)\]\]")
_DESTINATION = re.compile(  # bounded, so that a failed attempt costs a constant
    r"\(\s{0,9}(?:<(?P<angled>[^<>\r\n]{0,2000})>"
    r"|(?P<bare>(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.){0,500}\)){0,2000}))"
    r"(?:\s{1,9}(?:\"[^\"]{0,1000}\"|'[^']{0,1000}'))?\s{0,9}\)"
)
HTML_TAG = (  # CommonMark 6.6: attributes are names, and their values hold no bare signs; never gone back over
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*+)"
    r"(?P<attributes>(?:\s++[A-Za-z_:][A-Za-z0-9_.:-]*+(?:\s*+=\s*+(?:[^\s\"'=<>`]++|'[^']*+'|\"[^\"]*+\"))?+)*+)"
    r"\s*+/?>"
)
_TAG_OR_ADDRESS = re.compile(rf"{HTML_TAG}|<[A-Za-z][A-Za-z0-9+.-]{{1,31}}:[^\s<>]*>")
_MATH = re.compile(r"\$(?=[^\s$])(?:[^$\r\n\\]|\\.)*(?<=\S)\$(?!\d)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_QUOTE_PREFIX = re.compile(r"(?:^|(?<=[\r\n]))[ \t]*(?:>[ \t]?)+")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")

BLOCK_ID = re.compile(r"(?:^|(?<=\s))\^([A-Za-z0-9-]+)[ \t]*\Z")
"""Finds a block id at the end of a stretch of text."""


@dataclass(frozen=True, slots=True)
class RawLink:
    """A link where it stands. `link` is the decoded destination with its subpath, `text` what Obsidian displays."""

    start: int
    end: int
    kind: LinkKind
    link: str
    text: str

    @property
    def target(self) -> str:
        """The path part, before the first `#`."""
        return self.link.partition("#")[0].strip()

    @property
    def anchor(self) -> str:
        """The subpath, without its first `#`."""
        return self.link.partition("#")[2].strip()


@dataclass(frozen=True, slots=True)
class RawTag:
    """A tag where it stands, without its `#`."""

    start: int
    tag: str


def scan_inline(text: str, start: int, end: int) -> tuple[list[RawLink], list[RawTag]]:
    """Read the links and tags of one paragraph, heading, table or item: `text[start:end]`."""
    stretch = text[start:end]
    if ">" in stretch:
        stretch = _QUOTE_PREFIX.sub(lambda match: " " * len(match.group()), stretch)
    return _Scanner(stretch, start).scan()


def parse_property(value: str) -> RawLink | None:
    """Return the link that a property's value is: one wikilink or one Markdown link and nothing else."""
    value = value.strip()
    links, _ = _Scanner(value, 0).scan()
    whole = len(links) == 1 and links[0].start == 0 and links[0].end == len(value)
    return links[0] if whole else None


class _Scanner:
    """One left-to-right pass over a stretch of text; linear, whatever the text."""

    def __init__(self, text: str, base: int) -> None:
        self.text = text
        self.base = base
        self.links: list[RawLink] = []
        self.tags: list[RawTag] = []
        self.openings: list[tuple[int, bool]] = []  # places of `[` and `![` that may open a Markdown link
        self.backticks: dict[int, list[int]] | None = None
        self.comment_end = 0
        self.math_end = 0

    def scan(self) -> tuple[list[RawLink], list[RawTag]]:
        at = 0
        while match := _START.search(self.text, at):
            at = self._step(match)
        self.links.sort(key=lambda link: link.start)
        return self.links, self.tags

    def _step(self, match: re.Match[str]) -> int:
        mark, start, end = match.group(), match.start(), match.end()
        if mark[0] == "\\":
            if mark == "\\[" and self.text.startswith("#", end):  # seen in the app: `\[\[#Word` is a tag
                return self._tag(end)
            return end
        if mark[0] == "`":
            return self._after_code(start, end)
        if mark == "<!--":
            return self._after_comment(end)
        if mark[0] == "<":
            tag = _TAG_OR_ADDRESS.match(self.text, start)
            return tag.end() if tag else start + 1
        if mark[0] == "$":
            return self._after_math(mark, start, end)
        if mark.endswith("[["):
            return self._wikilink(start, mark)
        if mark.endswith("["):
            self.openings.append((start, mark[0] == "!"))
            return end
        if mark == "]":
            return self._markdown_link(end)
        return self._tag(start) if start == 0 or _SPACE.match(self.text, start - 1) else end

    def _after_code(self, start: int, end: int) -> int:
        if self.backticks is None:
            self.backticks = {}
            for run in re.finditer(r"`+", self.text):
                self.backticks.setdefault(len(run.group()), []).append(run.start())
        closers = self.backticks.get(end - start, [])
        index = bisect_right(closers, start)
        return closers[index] + end - start if index < len(closers) else end

    def _after_comment(self, end: int) -> int:
        if self.comment_end >= 0 and self.comment_end < end:
            self.comment_end = self.text.find("-->", end)
        return self.comment_end + 3 if self.comment_end >= end else end

    def _after_math(self, mark: str, start: int, end: int) -> int:
        if mark == "$$":
            if self.math_end >= 0 and self.math_end < end:
                self.math_end = self.text.find("$$", end)
            return self.math_end + 2 if self.math_end >= end else end
        math = _MATH.match(self.text, start)
        return math.end() if math else end

    def _wikilink(self, start: int, mark: str) -> int:
        match = _WIKILINK.match(self.text, start)
        if not match:
            self.openings.append((start, mark[0] == "!"))
            return start + len(mark) - 1
        kind = LinkKind.EMBED if mark[0] == "!" else LinkKind.WIKILINK
        link, text = _split_wikilink(match.group(1))
        self.links.append(RawLink(self.base + start, self.base + match.end(), kind, link, text))
        return match.end()

    def _markdown_link(self, end: int) -> int:
        """Handle a `]`: with an opening bracket before it and a destination after it, it closes a Markdown link."""
        if not self.openings:
            return end
        opening, is_embed = self.openings.pop()
        match = _DESTINATION.match(self.text, end)
        if not match:
            return end
        if not is_embed:
            self.openings.clear()  # a link holds no link
        link = _decode(match)
        if link and not _SCHEME.match(link):
            text = self.text[opening + (2 if is_embed else 1) : end - 1]
            kind = LinkKind.EMBED if is_embed else LinkKind.MARKDOWN
            self.links.append(RawLink(self.base + opening, self.base + match.end(), kind, link, text))
        return match.end()

    def _tag(self, start: int) -> int:
        match = _TAG.match(self.text, start)
        if not match:
            return start + 1
        if not _DIGITS.fullmatch(match.group(1)):
            self.tags.append(RawTag(self.base + start, match.group(1)))
        return match.end()


def _split_wikilink(inner: str) -> tuple[str, str]:
    """Split `link|text` at the first bar; a link that begins with a bar is all link (seen in the app)."""
    link, bar, text = inner.partition("|")
    if not link.strip():
        return inner, displayed(inner)
    if bar:
        link = link.removesuffix("\\")  # in a table the bar is written `\|`
    link = "#".join(part.strip() for part in link.split("#"))
    return link, text if bar and text else displayed(link)


def displayed(link: str) -> str:
    """Return what Obsidian shows for a wikilink without a text of its own: `a#b` as `a > b`."""
    return " > ".join(part for part in link.split("#") if part)


def _decode(match: re.Match[str]) -> str:
    written = match["angled"] if match["angled"] is not None else match["bare"]
    link = _ESCAPED.sub(r"\1", written)
    try:
        return unquote(link, errors="strict")
    except UnicodeDecodeError:
        return link
