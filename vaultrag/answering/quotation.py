"""Whether a quote stands in a note, and where: the same words, in the same order, at one place. Pure, linear.

Accepted is what a reader does not see or would not call a change: missing stress marks, е for ё, plain spaces, other
quotation marks and dashes, Markdown that was dropped, the case of the first letter, a full stop where a line ends.
Refused is what says something else: a stress mark or ё that the note has not, other digits, signs, names or order,
letters of the other script, words from places that are not adjacent, words left out; and a quote that begins or ends
where the note says more by it, as after «не» or within a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from vaultrag.answering.citing.read_markdown import read_as_shown
from vaultrag.answering.citing.read_text import BORDER, ReadText, read_literally
from vaultrag.domain import BlockKind, Note, Span
from vaultrag.text.cjk import holds_cjk
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.syntax import BLOCK_ID

WORK = 8  # characters compared for each of the text: honest quotes need one, and a hostile text ends there
_BEFORE = 40  # characters looked at before and after a match: a number, a word
_ENDS_SENTENCE = frozenset(".!?…:;")
_CLOSING = "\"')]»*"
_ATTACHED = frozenset("+-±~≈<>≤≥=^$€£¥₽₴₾₸%‰°′″")  # with a number they are a part of it
_WITHIN_NUMBER = frozenset(".,:/")
_NEGATING = frozenset("не ни нет без никогда not no never without nor neither cannot".split())
_SCALES = frozenset(
    "тыс тысяча тысячи тысяч млн миллион миллиона миллионов млрд миллиард миллиарда миллиардов thousand million billion"
    " mln bn".split()
)
_FIRST_WORD = re.compile(r"[^\W_]+(?:['\"][^\W_]+)?")
_GROUP_BEFORE = re.compile(r"(?<!\d)\d{1,3}(?: \d{3}){0,4} \Z")
_GROUP = re.compile(r"\d{3}(?!\d)")
_GROUP_AT_END = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3}){0,4}\Z")


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
        asked = {one.fine: one for one in (written, *shown)}
        found: set[QuoteMatch] = set()
        for reading in self._readings:
            sought = asked.values() if reading is not self._readings[0] else (written,)
            for one in sought:
                found.update(QuoteMatch(*reading.place(*place)) for place in _places(reading, one))
        return _apart(found)


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
    if "[[" in text or "^[" in text:
        return written, shown, read_as_shown(text, short=True)
    return written, shown


def _places(text: ReadText, quote: ReadText) -> Iterator[tuple[int, int]]:
    """Yield where the characters of a quote stand in a text."""
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
        return cls(plain, fine, tuple(i for i in strict if fine[i] != BORDER), kept)

    def variants(self) -> Iterator[_Sought]:
        """Yield what a quoting hand may change: the case of its first letter, and a full stop where a line ends."""
        for one in (self, self._without_stop()):
            if one is not None:
                yield one
                yield one.with_other_case()

    def places(self, text: ReadText) -> Iterator[tuple[int, int]]:
        size, at, work = len(self.plain), 0, WORK * len(text.plain)
        while (at := text.plain.find(self.plain, at)) >= 0 and work >= 0:
            work -= size
            if _is_cut_off(text, at, at + size) or not self._stands_at(text, at):
                at += 1
                continue
            yield at, at + size
            at += size

    def _without_stop(self) -> _Sought | None:
        if not self.plain.endswith(".") or not self.plain[:-1].strip(". "):
            return None
        return replace(self, plain=self.plain[:-1], fine=self.fine[:-1], stops=True)

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
        if self.fine[border - at] == BORDER:
            return True
        before = text.plain[max(0, border - _BEFORE) : border].rstrip(_CLOSING)
        return before[-1:] in _ENDS_SENTENCE or (_opens(text, at) and _closes(text, at + len(self.plain)))


def _borders(text: ReadText, start: int, end: int) -> Iterator[int]:
    border = text.fine.find(BORDER, start, end)
    while border >= 0:
        yield border
        border = text.fine.find(BORDER, border + 1, end)


def _opens(text: ReadText, start: int) -> bool:
    return start == 0 or text.fine[start - 1] == BORDER


def _closes(text: ReadText, end: int) -> bool:
    rest = text.fine[end : end + _BEFORE]
    return not rest.partition(BORDER)[0].strip(".!?…:;,\"')» ")


def _ends_line(text: ReadText, end: int) -> bool:
    return not text.fine[end : end + _BEFORE].partition(BORDER)[0].strip("\"')»")


def _other_case(text: str, at: int) -> str:
    """Return the text with one letter in the other case, where that is one letter, too."""
    other = text[at].swapcase()
    return text[:at] + (other if len(other) == 1 else text[at]) + text[at + 1 :]


def _is_cut_off(text: ReadText, start: int, end: int) -> bool:
    """Tell whether a stretch begins or ends within a word or a number, or just beside what turns its sense round."""
    before, after = text.plain[max(0, start - _BEFORE) : start], text.plain[end : end + _BEFORE]
    quote = text.plain[start : start + _BEFORE], text.plain[max(start, end - _BEFORE) : end]
    if _opens(text, start):
        before = ""
    if text.fine[end : end + 1] == BORDER:
        after = ""
    return _is_cut_before(before, quote[0]) or _is_cut_after(quote[1], after)


def _is_cut_before(before: str, quote: str) -> bool:
    last, first = before[-1:], quote[0]
    if not before or (last == " " and not first.isalnum()):
        return False
    if last != " ":
        return _is_joined(before[-2:], quote[:1]) or (first.isdigit() and _is_of_number(before[-2:]))
    if first.isdigit() and _GROUP.match(quote) and _GROUP_BEFORE.search(before):
        return True
    return _negates(before[:-1].rpartition(" ")[2].lstrip("\"'([")) and not _negates(_first_word(quote))


def _is_cut_after(quote: str, after: str) -> bool:
    last, first = quote[-1], after[:1]
    if not after:
        return False
    if first != " ":
        return _is_joined(after[1::-1], last) or (last.isdigit() and _is_of_number(after[1::-1]))
    word = _first_word(after[1:]).lower()
    if last.isdigit():
        if _GROUP.match(after, 1) and _GROUP_AT_END.search(quote):
            return True
        return word in _SCALES
    return word == "нет"


def _is_joined(outside: str, inside: str) -> bool:
    """Tell whether two characters outside, the nearer one last, go on with a word whose character is inside."""
    nearer, further = outside[-1], outside[-2:-1]
    if not _is_word(inside):
        return False
    if _is_word(nearer):
        return not (holds_cjk(nearer) or holds_cjk(inside))
    return nearer in "-\"'" and _is_word(further) and not (nearer != "-" and further.isdigit())


def _is_of_number(outside: str) -> bool:
    """Tell whether two characters outside, the nearer one last, belong to a number that begins or ends inside."""
    nearer, further = outside[-1], outside[-2:-1]
    return nearer in _ATTACHED or (nearer in _WITHIN_NUMBER and further.isdigit())


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _first_word(text: str) -> str:
    word = _FIRST_WORD.match(text)
    return word.group() if word else ""


def _negates(word: str) -> bool:
    said = word.lower().replace('"', "'")
    return said in _NEGATING or said.endswith("n't")


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
