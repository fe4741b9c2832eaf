"""A text as its reader sees it, each character with its place: what a quote and a note are compared in. Pure, linear.

Shapes that a reader does not tell apart are one: quotation marks, dashes, spaces, composed and decomposed letters.
Stress and ё stay in `fine` and are gone from `plain`, for a quote may lack them and may not add them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field

from vaultrag.text.language import SOFT_MARKS
from vaultrag.vault.parsing.lines import NEWLINE

BORDER = "\n"
"""In `fine`: an item, a row, a paragraph or a heading ends here; in `plain` it is a space."""
CELL = "\x0b"
"""In `fine`: a cell of a row ends here; in `plain` it is a space."""
JOINED = "—"
"""In `fine`: a long dash without spaces; in `plain` it is any dash."""

_STRESS = frozenset("\u0300\u0301\u0340\u0341")
_STRESSED = 0xF0000  # private use: a letter with its stress is one character of `fine`
_CYRILLIC = range(0x400, 0x530)
_FOLD = {chr(_STRESSED + code): chr(code).replace("ё", "е").replace("Ё", "Е") for code in _CYRILLIC}
_FOLD |= {"ё": "е", "Ё": "Е", BORDER: " ", CELL: " ", JOINED: "-"}
_SHAPES = (
    dict.fromkeys("«»„“”‟〝〞＂", '"')
    | dict.fromkeys("‘’‚‛‹›ʼ＇", "'")
    | dict.fromkeys("‐‑‒–−﹣－", "-")
    | dict.fromkeys(("\t", "\u00a0", "\u1680", *map(chr, range(0x2000, 0x200B)), "\u202f", "\u205f", "\u3000"), " ")
    | {"\u0450": chr(_STRESSED + ord("е")), "\u045d": chr(_STRESSED + ord("и"))}
)
_SHAPED = re.compile(f"[{''.join(map(re.escape, _SHAPES))}]")
_FOLDED = re.compile(f"[ёЁ{BORDER}{CELL}{JOINED}{chr(_STRESSED + _CYRILLIC[0])}-{chr(_STRESSED + _CYRILLIC[-1])}]")
DASHES = "—―"
"""They part words however they are spaced; the shorter ones join or part."""
_SPACES = "[ \\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_INNER_APOSTROPHE = re.compile(r"(?<!\d)'")  # after a digit it tells feet from inches

_MARKS = "\u0300-\u036f\u0483-\u0487\u0653-\u0655\u1161-\u11ff\u3099\u309a"
_SINGLETONS = "\u2126\u212a\u212b\uf900-\ufaff"
CHANGING = rf"{SOFT_MARKS}\u2060{DASHES}…{_SINGLETONS}"
"""What changes the length of a text where it stands, for a set of characters."""
FIRST_OF_PAIR = rf"[^\s{_MARKS}][{_MARKS}]|{_SPACES}{{2}}|\.\.|--"
CHARACTERS = (
    rf"(?P<soft>[{SOFT_MARKS}\u2060]+)|(?P<cluster>[^\s{_MARKS}][{_MARKS}]+|[{_SINGLETONS}])|(?P<dots>\.{{3,}}|…)"
    rf"|(?P<dash>[{DASHES}]|(?<=[ \t])-{{2,3}}(?=[ \t]))|(?P<spaces>{_SPACES}{{2,}})"
)
NEWLINE_RUN = r"(?P<newline>(?:\r\n|\r|\n)(?:[ \t]*+(?:\r\n|\r|\n))*+)"
_LITERAL = re.compile(rf"(?=[\r\n{CHANGING}]|{FIRST_OF_PAIR})(?:{NEWLINE_RUN}|{CHARACTERS})")


@dataclass(frozen=True, slots=True)
class ReadText:
    """What is read of a source, and where each character of it stands there.

    `plain` and `fine` are of one length. `kept` holds, by the offset before which it stood, what was dropped from view
    and means something where it is repeated: the target of a link, the state of a task, a line struck through.
    """

    plain: str
    fine: str
    kept: dict[int, set[str]]
    _at: list[int]
    _source: list[tuple[int, int, bool]]
    _wholes: dict[int, list[tuple[int, int, int]]]
    _closing: dict[int, list[tuple[int, int, int]]]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of the source that `plain[start:end]` shows, marks that stand round all of it included."""
        first, last = self._characters(start)[0], self._characters(end - 1)[1]
        for _, opened, closed in (whole for whole in self._wholes.get(start, ()) if whole[0] <= end):
            first, last = min(first, opened), max(last, closed)
        for _, opened, closed in (whole for whole in self._closing.get(end, ()) if whole[0] >= start):
            first, last = min(first, opened), max(last, closed)
        return first, last

    def _characters(self, index: int) -> tuple[int, int]:
        piece = bisect_right(self._at, index) - 1
        start, end, is_copy = self._source[piece]
        return (start + index - self._at[piece], start + index - self._at[piece] + 1) if is_copy else (start, end)


@dataclass(slots=True)
class TextBuilder:
    """Gathers what is read of `source`, in order."""

    source: str
    length: int = 0
    kept: dict[int, set[str]] = field(default_factory=dict)
    _out: list[str] = field(default_factory=list)
    _at: list[int] = field(default_factory=list)
    _from: list[tuple[int, int, bool]] = field(default_factory=list)
    _wholes: list[tuple[int, int, int, int]] = field(default_factory=list)

    def copy(self, start: int, end: int) -> None:
        """Take a stretch as it is, in which nothing changes its length."""
        if start < end:
            self._piece(self.source[start:end], (start, end, True))

    def literal(self, start: int, end: int, *, lines_end: bool = False) -> None:
        """Take a stretch whose signs all stand for themselves. With `lines_end` each of its lines ends a block."""
        at = start
        for match in _LITERAL.finditer(self.source, start, end):
            self.copy(at, match.start())
            at = match.end()
            if match.lastgroup == "newline":
                is_border = lines_end or len(NEWLINE.findall(match.group())) > 1
                self.space(match.start(), at, BORDER if is_border else "")
            else:
                self.characters(match)
        self.copy(at, end)

    def characters(self, match: re.Match[str]) -> None:
        """Take what a match of `CHARACTERS` holds."""
        start, end = match.span()
        match match.lastgroup:
            case "soft":
                return
            case "spaces":
                self.space(start, end)
            case "dots":
                self.put("…", start, end)
            case "dash":
                self.dash(match)
            case "cluster":
                self.put(_composed(match.group()), start, end)

    def dash(self, match: re.Match[str]) -> None:
        """Take a long dash, or what stands for one: between spaces, however many, or between what it joins."""
        start, end = match.span()
        if not (self.source[start - 1 : start] or " ").isspace() and not (self.source[end : end + 1] or " ").isspace():
            self.put(JOINED, start, end)
            return
        self.space(start, end)
        self.put("-", start, end)
        self.space(start, end)

    def put(self, shown: str, start: int, end: int) -> None:
        """Take what is shown for a stretch."""
        if shown:
            self._piece(shown, (start, end, False))

    def words(self, words: str, start: int, end: int) -> None:
        """Take words that are shown for a stretch: where they stand in it, each at its own place."""
        at = self.source.find(words, start, end)
        if at >= 0:
            self.literal(at, at + len(words))
        else:
            self.put(words, start, end)

    def space(self, start: int, end: int, border: str = "") -> None:
        """Take a space, one for any number of them; BORDER or CELL takes its place, and BORDER that of CELL."""
        if self._out and self._out[-1][-1].isspace():
            if border == BORDER or (border and self._out[-1][-1] != BORDER):
                self._out[-1] = self._out[-1][:-1] + border
        elif self._out:
            self._piece(border or " ", (start, end, False))

    def keep(self, mark: str) -> None:
        """Remember a mark that is not shown and that a quote may not change."""
        self.kept.setdefault(self.length, set()).add(mark)

    def whole(self, first: int, start: int, end: int) -> None:
        """Remember that what was shown since `first` is all of what stands in a stretch with marks around it."""
        self._wholes.append((first, self.length, start, end))

    def read(self) -> ReadText:
        fine = _SHAPED.sub(lambda sign: _SHAPES[sign.group()], "".join(self._out))
        fine = _INNER_APOSTROPHE.sub('"', fine)
        plain = _FOLDED.sub(lambda sign: _FOLD[sign.group()], fine)
        opening: dict[int, list[tuple[int, int, int]]] = {}
        closing: dict[int, list[tuple[int, int, int]]] = {}
        for first, last, start, end in self._wholes:
            opening.setdefault(first, []).append((last, start, end))
            closing.setdefault(last, []).append((first, start, end))
        return ReadText(plain, fine, self.kept, self._at, self._from, opening, closing)

    def _piece(self, shown: str, place: tuple[int, int, bool]) -> None:
        if shown[0].isspace() and self._out and self._out[-1][-1].isspace():
            start, end, is_copy = place
            shown, place = shown[1:], (start + is_copy, end, is_copy)
            if not shown:
                return
        self._out.append(shown)
        self._at.append(self.length)
        self._from.append(place)
        self.length += len(shown)


def read_literally(text: str) -> ReadText:
    """Read a text whose signs all stand for themselves."""
    builder = TextBuilder(text)
    builder.literal(0, len(text))
    return builder.read()


def _composed(cluster: str) -> str:
    """Return a letter with its marks as one composed letter; the stress of a Cyrillic one apart."""
    base, marks = cluster[0], cluster[1:]
    if ord(base) not in _CYRILLIC:
        return unicodedata.normalize("NFC", cluster)
    letter = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in _STRESS))
    return letter if _STRESS.isdisjoint(marks) else chr(_STRESSED + ord(letter[0])) + letter[1:]
