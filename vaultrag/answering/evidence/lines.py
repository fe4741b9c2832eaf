"""The lines of passages that can answer something, each with the words around it that say what it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vaultrag.answering.citations import SourceSentence, source_sentences, without_lead
from vaultrag.domain import Passage
from vaultrag.vault.parsing.canvas import is_canvas, shown_strings
from vaultrag.vault.parsing.chats.marks import behind_name
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import plain_heading, plain_line

LONGEST_LEAD = 200  # characters of a line that introduces others: what is longer says something itself
LONGEST_WHOLE = 200  # characters of a line of several sentences that stays whole: a list item says one thing

CELLS = " · "  # between the cells of a row

_HEADING = re.compile(r"[ \t>]*#{1,6}[ \t]++(.*)")
_ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,3}[.)])[ \t]")
# What the importer of Nexus says of a chat, with its days as the user's settings have them: 28.07.2025, 07/28/2025.
_OF_IMPORT = re.compile(r"(?:Created|Last Updated): \d{1,4}[./-]\d{1,2}[./-]\d{1,4} at |Chat URL: ")
_LINKED = re.compile(r"\[\[([^\[\]|#]{1,200})")
_NO_STATEMENT = re.compile(r"\[[^\]\d]\][ \t]|<!--")  # `[1]` is a reference, and no state of a task
_SAID = re.compile(r"[.!…]\s")  # the end of a sentence that asks nothing
_FENCES = ("```", "~~~")
_BOX = re.compile(r"\[[^\]]\][ \t]+$")
_KEY = re.compile(r"^([^\W\d_][\w-]{1,60})(::?(?=\s))")
_JOINT = re.compile(r"(?<=[^\W_])[_-]+(?=[^\W_])|(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")
_SPACES = r"(?:(?<![ \t])[ \t]*+|(?<=[ \t]))"  # those before a border, read once: not anew from each of them
_ENDS = re.compile(rf"\A[ \t>]*\|[ \t]*|{_SPACES}\|[ \t]*\Z")
_BORDER = re.compile(rf"{_SPACES}(?<!\\)\|[ \t]*")


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, list item, row or line of a passage.

    `words` is what a reader sees of it, `around` the title, headings and lead or header row it stands under, of which
    `headings` and `lead` are such. Lines of one `section` have no heading between them.
    """

    source: SourceSentence
    words: str
    around: tuple[str, ...]
    is_lead: bool
    section: int
    headings: tuple[str, ...] = ()
    lead: str = ""

    @property
    def targets(self) -> frozenset[str]:
        """The names of the notes that the line links to, in lower case."""
        return frozenset(name.rpartition("/")[2].strip().lower() for name in _LINKED.findall(self.source.text))

    @property
    def asks(self) -> bool:
        """Tell whether the line is a question and nothing else."""
        return _asks(self.words)

    @property
    def shown(self) -> str:
        """The line under what it stands under, as one text."""
        return f"{' › '.join(self.around)}: {self.words}"


def _asks(words: str) -> bool:
    return words.rstrip("\"'»”)*_ ").endswith("?") and not _SAID.search(words)


def lines_of(index: int, passage: Passage) -> list[Line]:
    """Return a passage's lines, in order: no heading, header row, bare link or fence, which say nothing alone."""
    return list(_Reader(index, passage).read())


def states(line: Line, text: str) -> bool:
    """Tell whether a line of a chunk's text says how something is: no task, comment or code does."""
    fences = sum(row.lstrip(" \t>").startswith(_FENCES) for row in NEWLINE.split(text[: line.source.start]))
    return not _NO_STATEMENT.match(line.source.text) and fences % 2 == 0


class _Reader:
    """Goes through a passage once and remembers what stands above."""

    def __init__(self, index: int, passage: Passage) -> None:
        self._text = passage.chunk.text
        sources = source_sentences(index, self._text)
        if passage.chunk.speaker:
            sources = _behind_name(sources, NEWLINE.split(self._text, maxsplit=1)[0])
        self._sources: Sequence[SourceSentence] = _whole_lines(sources, self._text)
        self._title = passage.title
        self._is_canvas = is_canvas(passage.chunk.path)
        self._headings = tuple(name for name in map(plain_heading, passage.chunk.heading_path) if name != passage.title)
        above = _words(passage.chunk.lead) if passage.chunk.lead else ""
        is_row = passage.chunk.lead.lstrip(" \t>").startswith("|")
        self._lead, self._header = ("", above) if is_row else (above, "")
        self._section = 0

    def read(self) -> Iterator[Line]:
        for number, source in enumerate(self._sources):
            row = self._row(source)
            if heading := _HEADING.match(row):
                self._take_heading(plain_heading(heading.group(1)))
            elif _OF_IMPORT.match(source.text):
                continue
            elif not source.backs:
                if "|" in source.text:
                    self._header, self._lead = _words(source.text), ""
            elif (line := self._line(number, source, row)).words:
                yield line
            else:
                self._section += 1  # what lies between two cards of a canvas

    def _line(self, number: int, source: SourceSentence, row: str) -> Line:
        is_item, is_row = bool(_ITEM.match(row)), row.lstrip(" \t>").startswith("|")
        if not is_row:
            self._header = ""
        if not is_item and not is_row:
            self._lead = ""
        words = self._seen(source)
        leads = words.endswith(":") and len(words) <= LONGEST_LEAD and number + 1 < len(self._sources)
        above = tuple(filter(None, (self._title, *self._headings, self._header, self._lead)))
        under = self._header or self._lead
        if leads and not is_item:
            self._lead = words.rstrip(":")
        return Line(self._with_box(source, row), words, above, leads, self._section, self._headings, under)

    def _seen(self, source: SourceSentence) -> str:
        """Return what a reader sees of a line: of a canvas its texts, and nothing of how they are stored."""
        if not self._is_canvas:
            return _words(source.text)
        return " ".join(shown_strings(self._text, source.start, source.end)).strip()

    def _with_box(self, source: SourceSentence, row: str) -> SourceSentence:
        """A task is told with its state."""
        box = _BOX.search(row[: len(row) - len(source.text)])
        if box is None:
            return source
        start = source.start - len(box.group())
        return replace(source, start=start, text=self._text[start : source.end])

    def _take_heading(self, heading: str) -> None:
        """A passage of several small sections holds their headings; the last one is whose lines these are."""
        self._lead = self._header = ""
        self._section += 1
        if heading and heading != self._title and heading not in self._headings[:-1]:
            self._headings = (*self._headings[:-1], heading) if self._headings else (heading,)

    def _row(self, source: SourceSentence) -> str:
        """Return the source with the marks before it on its line."""
        start = max(self._text.rfind("\n", 0, source.start), self._text.rfind("\r", 0, source.start)) + 1
        before = self._text[start : source.start]
        return ("" if without_lead(before) else before) + source.text


def _whole_lines(sources: Sequence[SourceSentence], text: str) -> list[SourceSentence]:
    """Join the sentences of a line that is short enough to be read as one."""
    joined: list[SourceSentence] = []
    for source in sources:
        before = joined[-1] if joined else None
        if before is not None and before.backs and source.backs and _is_short_line(text, before.start, source.end):
            joined[-1] = replace(before, end=source.end, text=text[before.start : source.end])
        else:
            joined.append(source)
    return joined


def _behind_name(sources: list[SourceSentence], opening: str) -> list[SourceSentence]:
    """Let a message begin behind the name of who speaks, where both stand on its first line."""
    start = behind_name(opening)
    return [
        replace(one, start=start, text=one.text[start - one.start :]) if one.start < start < one.end else one
        for one in sources
        if one.end > start
    ]


def _is_short_line(text: str, start: int, end: int) -> bool:
    return end - start <= LONGEST_WHOLE and not NEWLINE.search(text, start, end)


def _words(line: str) -> str:
    """Return what a reader sees of a line; of a row its cells, apart; of a property its name in words."""
    line = _KEY.sub(lambda match: _JOINT.sub(" ", match[1]) + match[2], line, count=1)
    if "|" not in line:
        return plain_line(line)
    return _BORDER.sub(CELLS, _ENDS.sub("", plain_line(line)))
