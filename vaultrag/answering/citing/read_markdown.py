"""Markdown as an app shows it, each character with its place: marks fall away, links show their text. Pure, linear.

One pass, left to right. What is written only to be rendered is dropped on both sides of a comparison; what it names is
kept aside (`ReadText.kept`), so that `[[a|b]]` is not repeated as `[[c|b]]`, nor an open task as a done one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from vaultrag.answering.citing.read_text import (
    BORDER,
    CELL,
    CHANGING,
    CHARACTERS,
    DASHES,
    FIRST_OF_PAIR,
    NEWLINE_RUN,
    ReadText,
    TextBuilder,
)
from vaultrag.text.code_spans import CodeSpans
from vaultrag.text.entities import REFERENCE, character
from vaultrag.vault.parsing.chats.search_marks import CITATION_MARK
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.syntax import HTML_TAG, displayed

LONGEST_CODE = 2000  # characters of a code span; a backtick that nothing near closes stands for itself

_PROPERTIES = re.compile(r"\ufeff?---[ \t]*(?:\r\n|\r|\n)")
_PROPERTIES_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_LINE_END = r"(?=[\r\n]|\Z)"
_QUOTE = re.compile(r"[ \t]{0,99}(?:>[ \t]{0,9})*+")
_ITEM = re.compile(
    rf"[ \t]*+(?:[-*+•–—]|(?P<number>\d{{1,3}}[.)]))(?:[ \t]++|{_LINE_END})(?:(?P<box>\[[^\]\r\n]\])[ \t]++)?"
)
_BOX = re.compile(r"\[[^\]\r\n\d]\][ \t]++")
_HEADING = re.compile(rf"#{{1,6}}(?:[ \t]++|{_LINE_END})")
_CALLOUT = re.compile(r"\[!(?P<mark>[^\]|\r\n]{1,80})(?:\|[^\]\r\n]{0,80})?\][+-]?[ \t]*+")
_FOOTNOTE_TEXT = re.compile(r"(?P<mark>\[\^[^\]\s]{1,100}\]):[ \t]*+")
_CELL_RULE = r"[ \t]*+:?-++:?[ \t]*+"
_RULE = re.compile(
    rf"(?:(?:[-*_=][ \t]*+){{3,}}+|={{2}}|\|?{_CELL_RULE}(?:\|{_CELL_RULE})++\|?|\|{_CELL_RULE}\|?)[ \t]*+{_LINE_END}"
)
_FENCE = re.compile(rf"(`{{3,}}+|~{{3,}}+)[^`\r\n]*+{_LINE_END}")
_FENCE_LINE = re.compile(rf"(?:^|(?<=[\r\n]))[ \t>]{{0,99}}(`{{3,}}+|~{{3,}}+)[ \t]*+{_LINE_END}")
_BLOCK_ID = re.compile(rf"\^[A-Za-z0-9-]++[ \t]*+{_LINE_END}")

_CHAT_MARK = "【\ue200-\ue206"
_TOKEN = re.compile(  # the look-ahead keeps what is rare from costing time at every letter
    rf"(?=[\r\n\\`&<%!\[^*_~=|$:{_CHAT_MARK}{CHANGING}]|{FIRST_OF_PAIR})(?:"
    rf"{NEWLINE_RUN}|(?P<escape>\\(?:[!-/:-@\[-`{{-~]|(?=[\r\n])))|(?P<code>`+)|(?P<entity>{REFERENCE})"
    rf"|(?P<comment><!--|%%)|(?P<tag><[A-Za-z/])|(?P<bracket>!?\[)|(?P<inner>\^\[)|(?P<id>\^)"
    rf"|(?P<run>\*+|_+|~~|==)|(?P<bar>\|)|(?P<mark>[{_CHAT_MARK}])|(?P<math>\$+)|(?P<field>::(?=\s))|{CHARACTERS})"
)
_FORMULA = re.compile(r"(\${1,2})(?=[^\s$\d])([^$]{1,1000}?)(?<=\S)\1(?![\d$])")
_WIKILINK = re.compile(r"(!?)\[\[([^\[\]|\r\n]{1,1000})(?:\|([^\[\]\r\n]{0,1000}))?\]\]")
_LINK = re.compile(  # bounded, so that a failed attempt costs a constant
    r"(!?)\[([^\[\]]{0,500})\]\((<[^<>\r\n]{0,2000}>|[^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500}){0,4})"
    r"(?:[ \t]{1,9}(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?\)"
)
_REFERENCED = re.compile(r"\[([^\[\]]{1,500})\]\[([^\[\]]{0,100})\]")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,100}\]")
_INNER_FOOTNOTE = re.compile(r"\^\[([^\[\]]{1,1000})\]")
_TAG = re.compile(HTML_TAG)
_ADDRESS = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,2000})>")
_EMPHASIS = re.compile(r"\*(?![\s*])[^*]{1,500}?(?<=\S)\*(?![\w*])|_(?![\s_])[^_]{1,500}?(?<=\S)_(?![\w_])")
_FORMATTING = frozenset(  # whatever else stands in angle brackets may be text: `vector<int>`
    "a abbr b big center cite code del em font i ins kbd mark q s small span strike strong sub tt u var".split()
)
_BREAKING = frozenset("br p div li ul ol tr td th table tbody thead hr details summary blockquote pre".split())


def read_as_shown(text: str, *, short: bool = False) -> ReadText:
    """Read Markdown as Obsidian shows it; `short` names linked notes without their folder and writes `key:: value`
    with one colon, as our own prompts do.

    Obsidian shows `folder/note#part` as `folder/note > part`, and of embedded files and inner footnotes no word.
    """
    return _Reader(text, short=short).read()


class _Reader:
    """One pass over a text. `at` never goes back, and what fails is bounded, so time grows with the text."""

    def __init__(self, text: str, *, short: bool) -> None:
        self.text = text
        self.short = short
        self.builder = TextBuilder(text)
        self.code = CodeSpans(text)
        self.links: list[tuple[int, int, int, int]] = []  # where the words end, and the link; its first word; its start
        self.run_ends: dict[int, tuple[int, int]] = {}
        self.runs: dict[str, tuple[int, int]] = {}
        self.row_end = -1
        self.ends_block = False
        self.depth = 0
        self.never: set[str] = set()  # what nothing further on closes
        self.readers: dict[str, Callable[[re.Match[str]], int]] = {
            "newline": self._newline,
            "escape": self._escape,
            "entity": self._entity,
            "code": self._code,
            "comment": self._comment,
            "tag": self._tag,
            "bracket": self._bracket,
            "mark": self._bracket,
            "inner": self._inner_footnote,
            "id": self._block_id,
            "run": self._run,
            "bar": self._bar,
            "math": self._math,
            "field": self._field,
        }

    def read(self) -> ReadText:
        at = self._properties()
        at = self._line(at, at, border=True)
        while match := _TOKEN.search(self.text, at):
            closed = self._close_links(at, match.start())
            if closed > match.start():
                at = closed
                continue
            self.builder.copy(closed, match.start())
            at = self._step(match)
        at = self._close_links(at, len(self.text))
        self.builder.copy(at, len(self.text))
        return self.builder.read()

    def _properties(self) -> int:
        opening = _PROPERTIES.match(self.text)
        closing = _PROPERTIES_END.search(self.text, opening.end()) if opening else None
        if opening is None or closing is None:
            return 0
        at = opening.end()
        for link in _WIKILINK.finditer(self.text, at, closing.start()):
            self.builder.literal(at, link.start(), lines_end=True)
            at = self._wikilink(link)
        self.builder.literal(at, closing.start(), lines_end=True)
        self.builder.space(closing.start(), closing.end(), BORDER)
        return closing.end()

    def _close_links(self, at: int, until: int) -> int:
        """End the links whose words end before a place; return where to go on."""
        while self.links and self.links[-1][0] <= until:
            words_end, end, first, start = self.links.pop()
            self.builder.copy(at, words_end)
            self.builder.whole(first, start, end)
            at = max(at, end)
        return at

    def _step(self, match: re.Match[str]) -> int:
        """Read one sign; return where to go on."""
        read = self.readers.get(match.lastgroup or "")
        if read is not None:
            return read(match)
        self.builder.characters(match)
        return match.end()

    def _escape(self, match: re.Match[str]) -> int:
        self.builder.put(match.group()[1:], *match.span())
        return match.end()

    def _field(self, match: re.Match[str]) -> int:
        self.builder.copy(match.start(), match.start() + 1 if self.short else match.end())
        return match.end()

    def _newline(self, match: re.Match[str]) -> int:
        is_border = self.ends_block or len(NEWLINE.findall(match.group())) > 1
        self.ends_block = False
        if is_border:
            self.runs.clear()
        return self._line(match.end(), match.start(), border=is_border)

    def _line(self, at: int, line_break: int, *, border: bool) -> int:
        """Read what opens a line, and the border or the space before it; return where its words begin."""
        quote = _QUOTE.match(self.text, at)
        words = quote.end() if quote else at
        depth = self.text.count(">", at, words)
        border |= depth > self.depth
        self.depth = depth
        if fence := _FENCE.match(self.text, words):
            return self._fence(fence, line_break)
        rule = _RULE.match(self.text, words) or _BLOCK_ID.match(self.text, words)
        if rule:
            self._break(line_break, at, border=True)
            self.ends_block = True
            return rule.end()
        opened, marks = self._opening(words)
        is_row = self.text.startswith("|", opened)
        self._break(line_break, at, border=border or opened > words or is_row)
        for mark in marks:
            self.builder.keep(mark)
        if is_row:
            self.row_end = self._end_of_line(opened)
            self.ends_block = True
        return opened + is_row

    def _opening(self, at: int) -> tuple[int, list[str]]:
        """Return where the words of a line begin after the marks that open it, and those that mean something."""
        marks: list[str] = []
        while (item := _ITEM.match(self.text, at)) and item.end() > at:
            marks.extend(mark for mark in (item["number"], item["box"]) if mark)
            at = item.end()
        if not marks and (box := _BOX.match(self.text, at)):  # of a task that is quoted without its bullet
            marks.append(box.group().rstrip())
            at = box.end()
        if heading := _HEADING.match(self.text, at):
            self.ends_block = True
            return heading.end(), marks
        callout = _CALLOUT.match(self.text, at) if self.depth else None
        self.ends_block = callout is not None
        if opening := callout or _FOOTNOTE_TEXT.match(self.text, at):
            return opening.end(), [*marks, opening["mark"].lower()]
        return at, marks

    def _break(self, line_break: int, at: int, *, border: bool) -> None:
        self.builder.space(line_break, max(at, line_break + 1), BORDER if border else "")

    def _end_of_line(self, at: int) -> int:
        match = NEWLINE.search(self.text, at)
        return match.start() if match else len(self.text)

    def _fence(self, fence: re.Match[str], line_break: int) -> int:
        self._break(line_break, fence.start(), border=True)
        lines = _FENCE_LINE.finditer(self.text, fence.end())
        closing = next((line for line in lines if line.group(1).startswith(fence.group(1))), None)
        end = closing.start() if closing else len(self.text)
        self.builder.literal(fence.end(), end, lines_end=True)
        self.ends_block = True
        return closing.end() if closing else end

    def _entity(self, match: re.Match[str]) -> int:
        shown = character(match.group())
        if shown == " ":
            self.builder.space(*match.span())
        elif shown and shown in DASHES:
            self.builder.dash(match)
        else:
            self.builder.put(shown, *match.span())
        return match.end()

    def _code(self, match: re.Match[str]) -> int:
        start, end = match.span()
        closed = self.code.end(start, end - start)
        if closed is None or closed - start > LONGEST_CODE or "\n\n" in self.text[start:closed]:
            self.builder.copy(start, end)
            return end
        first = self.builder.length
        self.builder.literal(end, closed - (end - start))
        self.builder.whole(first, start, closed)
        return closed

    def _math(self, match: re.Match[str]) -> int:
        """Read a formula by its signs, `$a_1$`; what begins with a digit is money."""
        start, end = match.span()
        formula = _FORMULA.match(self.text, start)
        if formula is None:
            self.builder.copy(start, end)
            return end
        first = self.builder.length
        self.builder.literal(*formula.span(2))
        self.builder.whole(first, start, formula.end())
        return formula.end()

    def _comment(self, match: re.Match[str]) -> int:
        closing = "-->" if match.group() == "<!--" else "%%"
        end = -1 if closing in self.never else self.text.find(closing, match.end())
        if end < 0:
            self.never.add(closing)
            self.builder.copy(*match.span())
            return match.end()
        return end + len(closing)

    def _tag(self, match: re.Match[str]) -> int:
        start, end = match.span()
        if address := _ADDRESS.match(self.text, start):
            first = self.builder.length
            self.builder.literal(*address.span(1))
            self.builder.whole(first, start, address.end())
            return address.end()
        tag = _TAG.match(self.text, start)
        name = tag["name"].lower() if tag else ""
        if tag is None or name not in _FORMATTING | _BREAKING | {"sup"}:
            self.builder.copy(start, end)
            return end
        if name in _BREAKING:
            self.builder.space(start, tag.end(), BORDER)
        elif name == "sup" and not tag["close"]:
            self.builder.put("^", start, tag.end())  # 10<sup>2</sup> is not 102
        return tag.end()

    def _bracket(self, match: re.Match[str]) -> int:
        start, end = match.span()
        if mark := CITATION_MARK.match(self.text, start):  # `【2†L10-L18】`, left by a chat's export
            return mark.end()
        if footnote := _FOOTNOTE.match(self.text, start):
            self.builder.keep(footnote.group().lower())
            return footnote.end()
        if wikilink := _WIKILINK.match(self.text, start):
            return self._wikilink(wikilink)
        link = _LINK.match(self.text, start)
        if link is not None:
            return self._link(start, link.span(2), link.end(), link.group(3))
        referenced = _REFERENCED.match(self.text, start)
        if referenced is None or self.text[start - 1 : start].isalnum():
            self.builder.copy(start, end)
            return end
        return self._link(start, referenced.span(1), referenced.end(), referenced.group(2))

    def _link(self, start: int, words: tuple[int, int], end: int, target: str) -> int:
        self.builder.keep(target)
        self.links.append((words[1], end, self.builder.length, start))
        return words[0]

    def _wikilink(self, match: re.Match[str]) -> int:
        embed, link, alias = match.group(1), match.group(2).removesuffix("\\"), match.group(3)
        target, _, part = link.partition("#")
        self.builder.keep(f"{embed}{link.strip()}")
        if embed and not self.short:
            return match.end()
        first = self.builder.length
        if alias and alias.strip() and not embed:
            self.builder.literal(*match.span(3))
        else:
            name = target.rpartition("/")[2].removesuffix(".md") if self.short else target
            self.builder.words(displayed(f"{name}#{part}" if part else name).strip(), *match.span())
        self.builder.whole(first, *match.span())
        return match.end()

    def _inner_footnote(self, match: re.Match[str]) -> int:
        start, end = match.span()
        note = _INNER_FOOTNOTE.match(self.text, start)
        if note is None:
            self.builder.copy(start, end)
            return end
        if self.short:
            self.builder.space(start, start + 1)
            self.builder.put("(", start, start + 2)
            self.builder.literal(*note.span(1))
            self.builder.put(")", note.end() - 1, note.end())
        return note.end()

    def _block_id(self, match: re.Match[str]) -> int:
        start, end = match.span()
        identifier = _BLOCK_ID.match(self.text, start) if self.text[start - 1 : start] in (" ", "\t") else None
        if identifier is None:
            self.builder.copy(start, end)
            return end
        return identifier.end()

    def _bar(self, match: re.Match[str]) -> int:
        """A bar between cells ends one; so does one that stands between spaces, as in a row without outer bars."""
        start, end = match.span()
        if start < self.row_end or self.text[start - 1 : start] == self.text[end : end + 1] == " ":
            self.builder.space(start, end, CELL)
        else:
            self.builder.copy(start, end)
        return end

    def _run(self, match: re.Match[str]) -> int:
        """Drop signs that mark the words beside them: `**bold**`, not `2 * 3`, `a == b` or `snake_case`."""
        run, (start, end) = match.group(), match.span()
        before, after = self.text[start - 1 : start] if start else "", self.text[end : end + 1]
        if len(run) == 1 and run in "*_":
            self._single(start, end, before)
        elif not _marks_words(run, before, after):
            self.builder.copy(start, end)
        elif run in self.runs and not before.isspace():
            self.builder.whole(*self.runs.pop(run), end)
            self._strike(run)
        else:
            self._strike(run)
            self.runs[run] = (self.builder.length, start)
        return end

    def _single(self, start: int, end: int, before: str) -> None:
        if start in self.run_ends:
            self.builder.whole(*self.run_ends.pop(start), end)
            return
        emphasis = None if before.isalnum() or before == "_" else _EMPHASIS.match(self.text, start)
        if emphasis is None or "\n\n" in emphasis.group():
            self.builder.copy(start, end)
            return
        self.run_ends[emphasis.end() - 1] = (self.builder.length, start)

    def _strike(self, run: str) -> None:
        if run == "~~":
            self.builder.keep(run)


def _marks_words(run: str, before: str, after: str) -> bool:
    if len(run) > 3 or (not before.strip() and not after.strip()):
        return False
    if before.isdigit() and after.isdigit():
        return False
    return run[0] == "*" or not (before.isalnum() and after.isalnum())
