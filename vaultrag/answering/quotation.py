"""Whether a quote stands in a note, and where: the same words, in the same order, at one place. Pure, linear.

Accepted is what a reader does not see or would not call a change: missing stress marks, е for ё, plain spaces, other
quotation marks and dashes, Markdown that was dropped, the case of the first letter, a full stop where a line ends.
Refused is what says something else: a stress mark or ё that the note has not, other digits, signs, names or order,
letters of the other script, words from places that are not adjacent, words left out; and a quote that begins or ends
where the note says more by it, as after «не» or within a number.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from vaultrag.answering.citing.edges import LOOK, is_cut_off
from vaultrag.answering.citing.read_markdown import read_as_shown
from vaultrag.answering.citing.read_text import BORDER, CELL, JOINED, ReadText, read_literally
from vaultrag.domain import BlockKind, Note, Span
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.syntax import BLOCK_ID

WORK = 8  # characters compared for each of the text: honest quotes need one, and a hostile text ends there
_ENDS_SENTENCE = frozenset(".!?…:;")
_CLOSING = "\"')]»*"
_BORDERS = re.compile(f"[{BORDER}{CELL}]")
_SPACED_DASH = re.compile(r"(?<=[^\W\d_]) - (?=[^\W\d_])")


@dataclass(frozen=True, slots=True, order=True)
class QuoteMatch:
    """A stretch of the text that a quote repeats; `end` is exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """Where a quote stands in a note, and how it stands there."""

    quote: str
    span: Span
    heading_path: tuple[str, ...]
    block_id: str


class QuotedText:
    """A text made ready for many quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _readings(self) -> tuple[ReadText, ...]:
        return _readings(self.text)

    def find(self, quote: str) -> list[QuoteMatch]:
        """Return the places at which the quote stands, in order and apart; none for one that says nothing."""
        written, *shown = _readings(quote)
        text_written, *text_shown = self._readings
        found: set[QuoteMatch] = set()
        refused: set[QuoteMatch] = set()
        for reading in text_shown:
            for one in {one.fine: one for one in (written, *shown)}.values():
                for place, stands in _places(reading, one):
                    (found if stands else refused).add(QuoteMatch(*reading.place(*place)))
        as_written = {
            QuoteMatch(*text_written.place(*place)) for place, stands in _places(text_written, written) if stands
        }
        return _apart(found | _outside(as_written, refused - found))


def find_quote(quote: str, text: str) -> list[QuoteMatch]:
    """Return the places in a text at which a quote stands, in order and apart."""
    return QuotedText(text).find(quote)


def places_of_quote(note: Note, quote: str) -> list[QuotePlace]:
    """Return where a quote stands in a note: lines and columns, and the heading or the block that names the place."""
    lines = Lines(note.text)
    return [_place(note, lines, match) for match in find_quote(quote, note.text)]


def _readings(text: str) -> tuple[ReadText, ...]:
    """Return a text as it is written and as it is shown, and that in two ways where it names what is not shown."""
    written, shown = read_literally(text), read_as_shown(text)
    if "[[" in text or "^[" in text or "::" in text:
        return written, shown, read_as_shown(text, short=True)
    return written, shown


def _places(text: ReadText, quote: ReadText) -> Iterator[tuple[tuple[int, int], bool]]:
    """Yield where the characters of a quote stand in a text, and whether it may be taken from there."""
    sought = _Sought.of(quote)
    if any(map(str.isalnum, sought.plain)):
        for one in sought.variants():
            yield from one.places(text)


@dataclass(frozen=True, slots=True)
class _Sought:
    """A quote, and what of it a text must have exactly: stress and ё by their offsets, marks that mean something."""

    plain: str
    fine: str
    strict: tuple[int, ...]
    kept: tuple[tuple[int, frozenset[str]], ...]
    stops: bool = False

    @classmethod
    def of(cls, quote: ReadText) -> _Sought:
        start = len(quote.plain) - len(quote.plain.lstrip())
        end = len(quote.plain.rstrip())
        plain, fine = quote.plain[start:end], quote.fine[start:end]
        strict = tuple(i for i, (one, other) in enumerate(zip(plain, fine, strict=True)) if one != other)
        kept = tuple((max(0, at - start), frozenset(marks)) for at, marks in quote.kept.items())
        return cls(plain, fine, tuple(i for i in strict if fine[i] not in (BORDER, CELL, JOINED)), kept)

    def variants(self) -> Iterator[_Sought]:
        """Yield what a quoting hand may change.

        That is the case of the first letter, a full stop where a line ends, and the spaces round a long dash.
        """
        for ended in (self, self._without_stop()):
            for one in (ended, ended and ended.with_dashes_joined(), ended and ended.with_dashes_apart()):
                if one is not None:
                    yield one
                    yield one.with_other_case()

    def places(self, text: ReadText) -> Iterator[tuple[tuple[int, int], bool]]:
        """Yield where it stands in a text, and whether it is cut off there or lacks what must be the text's."""
        size, at, work = len(self.plain), 0, WORK * len(text.plain)
        while (at := text.plain.find(self.plain, at)) >= 0 and work >= 0:
            work -= size
            stands = not is_cut_off(text, at, at + size) and self._stands_at(text, at)
            yield (at, at + size), stands
            at += size if stands else 1

    def _without_stop(self) -> _Sought | None:
        if not self.plain.endswith(".") or not self.plain[:-1].strip(". "):
            return None
        return replace(self, plain=self.plain[:-1], fine=self.fine[:-1], stops=True)

    def with_dashes_joined(self) -> _Sought | None:
        """Return it with dashes that stand between spaces as long ones without: «слово - слово» for «слово—слово»."""
        fine = _SPACED_DASH.sub(JOINED, self.fine)
        if fine == self.fine or self.strict or self.kept:
            return None
        joined = tuple(at for at, sign in enumerate(fine) if sign == JOINED)
        return replace(self, plain=_SPACED_DASH.sub("-", self.plain), fine=fine, strict=joined)

    def with_dashes_apart(self) -> _Sought | None:
        """Return it with long dashes between spaces that stand without."""
        if JOINED not in self.fine or self.strict or self.kept:
            return None
        return replace(self, plain=self.fine.replace(JOINED, " - "), fine=self.fine.replace(JOINED, " - "))

    def with_other_case(self) -> _Sought:
        first = next(at for at, character in enumerate(self.plain) if character.isalnum())
        return replace(self, plain=_other_case(self.plain, first), fine=_other_case(self.fine, first))

    def _stands_at(self, text: ReadText, at: int) -> bool:
        if self.stops and not _ends_line(text, at + len(self.plain)):
            return False
        if any(text.fine[at + offset] != self.fine[offset] for offset in self.strict):
            return False
        if any(not marks <= text.kept.get(at + offset, set()) for offset, marks in self.kept):
            return False
        return all(self._may_pass(text, at, border) for border in _borders(text, at, at + len(self.plain)))

    def _may_pass(self, text: ReadText, at: int, border: int) -> bool:
        """Tell whether the quote may go on past a border of the text: it has one, or a sentence or a block ends there.

        «закрыт Порт 80» stands nowhere where one item ends with «закрыт» and the next begins with «Порт 80».
        """
        kind, own = text.fine[border], self.fine[border - at]
        if own == BORDER or (own == CELL and kind == CELL):
            return True
        if own == CELL:
            return False
        before = text.plain[max(0, border - LOOK) : border].rstrip(_CLOSING)
        return before[-1:] in _ENDS_SENTENCE or (_opens(text, at, kind) and _closes(text, at + len(self.plain), kind))


def _borders(text: ReadText, start: int, end: int) -> Iterator[int]:
    return (match.start() for match in _BORDERS.finditer(text.fine, start, end))


def _opens(text: ReadText, start: int, kind: str) -> bool:
    return start == 0 or text.fine[start - 1] == BORDER or text.fine[start - 1] == kind


def _closes(text: ReadText, end: int, kind: str) -> bool:
    rest = text.fine[end : end + LOOK].partition(BORDER)[0]
    return not (rest.partition(CELL)[0] if kind == CELL else rest).strip(".!?…:;,\"')» ")


def _ends_line(text: ReadText, end: int) -> bool:
    return not _BORDERS.split(text.fine[end : end + LOOK], maxsplit=1)[0].strip("\"')»")


def _other_case(text: str, at: int) -> str:
    """Return the text with one letter in the other case, where that is one letter, too."""
    other = text[at].swapcase()
    return text[:at] + (other if len(other) == 1 else text[at]) + text[at + 1 :]


def _outside(matches: Iterable[QuoteMatch], others: Iterable[QuoteMatch]) -> set[QuoteMatch]:
    """Return the matches that overlap none of the others."""
    borders = _apart(others)
    starts = [other.start for other in borders]
    kept: set[QuoteMatch] = set()
    for match in matches:
        before = bisect_left(starts, match.end) - 1
        if before < 0 or borders[before].end <= match.start:
            kept.add(match)
    return kept


def _apart(found: Iterable[QuoteMatch]) -> list[QuoteMatch]:
    """Return matches in order, of those that overlap the longest: it has the marks around the words, too."""
    kept: list[QuoteMatch] = []
    for match in sorted(found, key=lambda match: (match.start, -match.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
        elif match.end - match.start > kept[-1].end - kept[-1].start:
            kept[-1] = match
    return kept


def _place(note: Note, lines: Lines, match: QuoteMatch) -> QuotePlace:
    block = next((block for block in note.blocks if block.start <= match.start < block.end), None)
    span = lines.span(match.start, match.end)
    quote = note.text[match.start : match.end]
    if block is None:
        return QuotePlace(quote, span, (), "")
    name = block.block_id
    if not name and block.kind is BlockKind.LIST:
        ending = BLOCK_ID.search(note.text[lines.starts[span.last_line - 1] : lines.ends[span.last_line - 1]])
        name = ending.group(1) if ending else ""
    return QuotePlace(quote, span, block.heading_path, name)
