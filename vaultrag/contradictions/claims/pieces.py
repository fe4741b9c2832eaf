"""The smallest parts of a passage that may state something: sentences, cells under their header, keys and values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vaultrag.answering.evidence.lines import CELLS, Line, lines_of
from vaultrag.domain import Chunk, ClaimContext, Feature, Passage
from vaultrag.text.language import language_of, sentences, words
from vaultrag.text.morphology import grammar_of
from vaultrag.vault.parsing.chats.speakers import read_speaker
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import TABLE_RULE, plain_line

LONGEST_KEY = 60  # characters before a colon or dash that name what follows
MOST_KEY_WORDS = 7
LONGEST_BEFORE = 400  # characters of a sentence in which a subject is looked for
MOST_COLUMNS = 40  # of a table that people read
MOST_EARLIER = 12  # sentences before a pronoun in which its person may be named
_ITEM = re.compile(r"(?P<quote>(?:[ \t]*>)*)(?P<indent>[ \t]*)(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[(?P<box>[^\]])\][ \t]+)?")
_QUOTE = re.compile(r"[ \t]*>")
_CALLOUT = re.compile(r"(?:[ \t]*>)+[ \t]*\[!")
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?P<mark>`{3,}|~{3,})")
_FIELD = re.compile(r"[\[(]?(?P<key>[^\W\d_][\w -]{0,40})::\s*(?P<rest>[^\])]+)[\])]?\s*\Z")
_KEY = re.compile(
    r"(?P<key>[^:=.!?;\n]{1,60}?(?:\([^()]{1,30}\))?)(?P<sign>:|\s[–—]|\s=|\s-)\s+(?P<rest>\S.*)\Z", re.DOTALL
)
_UNSAID = re.compile(
    r"!\[\[[^\[\]]{0,300}\]\]|!\[[^\[\]]{0,300}\]\([^()]{0,500}\)|\$[^$\n]+\$|【[^】]*】|~~[^~\n]+~~|\[\^[^\]]+\]"
)
_DAY_AT_END = re.compile(r"\d{1,2}(?:[ .]?[^\W\d_]{3,8}\.?)?\Z")
_DAY_AT_START = re.compile(r"\d{1,2}[ .][^\W\d_]{3,8}|\d{1,2}\.\d{1,2}")
_ASKED_AND_SAID = re.compile(  # «paged between 23 and 6? Take the next morning off»: the question names the case
    r"(?!\W*(?:кто|что|где|когда|как\w{0,3}|сколько|почему|зачем|ч[ьеё]\w{1,2}|кому|кого|куда|who|what|where|when|how|why"
    r"|which|whose)\b)"
    r"(?P<key>[^?.!]{3,60})\?+\s+(?P<rest>[^?]{6,}[^?\s])\Z",
    re.IGNORECASE,
)
_OUTER_TAGS = re.compile(r"\A(?:#[\w/-]*[^\W\d][\w/-]*\s+)+|(?:(?<!\s)\s+#[\w/-]*[^\W\d][\w/-]*)+\Z")
_STRUCK = re.compile(r"~~[^~\n]+~~")
_AFTER_STRUCK = re.compile(r"~~[^~\n]+~~\s*(?:→|->|=>|[\w*])")  # «~~99,5 %~~ → 99,9 %» replaces it
_SHORT_ENDS = re.compile(  # the space behind "9 ч 50 мин." and "27 ноября**, ср."
    r"(?:(?<=\dмин\.)|(?<=\d мин\.)|(?<=\d сек\.)|(?<=\d кг\.)|(?<=\d км\.)|(?<=\d см\.)|(?<=\d руб\.)|(?<=\d тыс\.)"
    r"|(?<=\d min\.)|(?<=\d sec\.)|(?<=, (?:пн|вт|ср|чт|пт|сб|вс)\.))\s+(?=[А-ЯЁA-Z\d«+\u2212-])"
)
_CLAUSES = re.compile(r";\s+")
_ROW_ENDS = re.compile(r"[ \t]*(?:\r\n?|\n)(?![ \t]*>)\s*")
_ENDED = re.compile(r"(?:[.!?…:;][*_»”\")]*|  )\Z")
WRAPPED = 66  # characters that a row of wrapped text reaches with the word behind it: what ends sooner is a line


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a chunk, `start` and `end` its place in the chunk's text, `end` exclusive.

    `words` is what a reader sees of it; of a cell only the cell, whose place is its row. `key` is what names the value
    in `words`: before a colon or dash, the header of a cell, the name of a property. `row` names what a table's row
    speaks of, `box` is the sign of a task, `when` dates the piece. `before` is what the same paragraph says
    before it, `earlier` what the passage does. Of a cell `column` is its place in the row.
    """

    start: int
    end: int
    words: str
    context: ClaimContext
    headings: tuple[str, ...]
    lead: str = ""
    key: str = ""
    row: tuple[tuple[str, str], ...] = ()
    column: int = 0
    box: str = ""
    when: str = ""
    is_quoted: bool = False
    before: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    section: int = 0
    targets: frozenset[str] = frozenset()

    @property
    def whole(self) -> str:
        """The words with the key before them."""
        return f"{self.key}: {self.words}" if self.key else self.words


def pieces_of(chunk: Chunk, title: str) -> Iterator[Fragment]:
    """Yield the parts of a passage that may state something, in order. Code and headings give none."""
    reader = _Reader(chunk, title)
    for line in lines_of(0, Passage(chunk, title, 0.0, ())):
        yield from reader.read(line)


class _Reader:
    """Goes through the lines of one passage and remembers the items above, and what was said before."""

    def __init__(self, chunk: Chunk, title: str) -> None:
        self._chunk = chunk
        self._text = chunk.text
        self._title = title
        self._is_property = Feature.PROPERTY in chunk.features  # they share no passage with others
        self._code = _code_lines(chunk.text, chunk.lead)
        self._items: list[tuple[int, str]] = []
        self._before: list[str] = []
        self._earlier: list[str] = []
        self._place = (-1, -1, -1)
        self._row = -1

    def read(self, line: Line) -> Iterator[Fragment]:
        start = line.source.start
        row_start = max(self._text.rfind("\n", 0, start), self._text.rfind("\r", 0, start)) + 1
        if any(first <= start < last for first, last in self._code):
            return
        row = self._text[row_start : line.source.end]
        item = _ITEM.match(row)
        self._forget_before(line, is_item=bool(item), row_start=row_start)
        piece = Fragment(
            start,
            line.source.end,
            line.words,
            self._context(item),
            line.headings,
            self._lead(line, item),
            box=item["box"] or "" if item else "",
            is_quoted=bool(_QUOTE.match(row)) and not self._is_in_callout(row_start),
            section=line.section,
            targets=line.targets,
        )
        if row.lstrip(" \t>").startswith("|"):
            yield from self._cells(piece, row_start)
        else:
            yield from self._sentences(piece, leads=line.is_lead)

    def _context(self, item: re.Match[str] | None) -> ClaimContext:
        if self._is_property:
            return ClaimContext.PROPERTY
        if item is None:
            return ClaimContext.PROSE
        return ClaimContext.TASK if item["box"] else ClaimContext.LIST

    def _forget_before(self, line: Line, *, is_item: bool, row_start: int) -> None:
        """A paragraph ends at an empty line, an item or a heading; its sentences may lie in one row or in several."""
        section, row, end = self._place
        self._place = (line.section, row_start, line.source.end)
        if row == row_start and section == line.section:
            return
        is_parted = "\n\n" in self._text[max(0, row_start - 2) : row_start].replace("\r", "")
        if section != line.section or is_item or is_parted or self._text[max(0, end) : row_start].strip():
            self._before = []

    def _lead(self, line: Line, item: re.Match[str] | None) -> str:
        """Return what the line stands under in its list: the item above it, else the line that introduces the list."""
        if item is None:
            self._items = []
            return line.lead
        indent = len(item["indent"].replace("\t", "    "))
        self._items = [(depth, words) for depth, words in self._items if depth < indent]
        above = self._items[-1][1] if self._items else line.lead
        self._items.append((indent, line.words.rstrip(":")))
        return above

    def _is_in_callout(self, row_start: int) -> bool:
        above = self._text[:row_start].splitlines()
        quoted: list[str] = []
        while above and _QUOTE.match(above[-1]):
            quoted.append(above.pop())
        rows = [self._text[row_start:].split("\n", 1)[0], *quoted]
        return any(_CALLOUT.match(row) for row in rows)

    def _sentences(self, line: Fragment, *, leads: bool) -> Iterator[Fragment]:
        """Yield the sentences of a line; what it ends with says nothing alone where it introduces other lines."""
        source = self._text[line.start : line.end]
        offset = _box_length(source) if line.box else 0
        opened = line.start - max(self._text.rfind("\n", 0, line.start), self._text.rfind("\r", 0, line.start)) - 1
        found = list(_whole_sentences(source[offset:]))
        for first, last in found[:-1] if leads else found:
            for start, end in _clauses(source, offset + first, offset + last, opened):
                words = "" if _is_struck(source[start:end]) else shown(source[start:end])
                if not words:
                    continue
                place = (line.start + start, line.start + end)
                before, earlier = tuple(self._before), tuple(self._earlier[-MOST_EARLIER:])
                piece = replace(line, start=place[0], end=place[1], words=words, before=before, earlier=earlier)
                yield self._without_speaker(with_key(piece))
                self._before.append(words[:LONGEST_BEFORE])
                self._earlier.append(words[:LONGEST_BEFORE])

    def _without_speaker(self, piece: Fragment) -> Fragment:
        """Leave out who speaks where a message begins: «ChatGPT: Даже при жёсткой воде …»."""
        if not piece.key or not self._chunk.speaker or self._text[: piece.start].strip(" *_>#-"):
            return piece
        label = re.match(rf"\W*{re.escape(piece.key)}[\s*_:]*", self._text[piece.start : piece.end])
        return replace(piece, key="", start=piece.start + label.end()) if label and read_speaker(piece.key) else piece

    def _cells(self, piece: Fragment, row_start: int) -> Iterator[Fragment]:
        """Yield the cells of a row under their header; a row of several sentences is one row all the same."""
        if row_start == self._row or _row_above(self._text, row_start) is None:
            return
        self._row = row_start
        start, end = row_start + self._text[row_start:].index("|"), _line_end(self._text, row_start)
        row = replace(piece, start=start, end=start + len(self._text[start:end].rstrip()))
        cells = _shown_cells(self._text[start:end])
        if len(cells) > MOST_COLUMNS:
            return
        header = _shown_cells(_row_above(self._text, row_start) or self._chunk.lead)
        named = tuple(zip(header if len(header) == len(cells) else [""] * len(cells), cells, strict=True))
        lead = CELLS.join(name for name, _ in named)[:LONGEST_BEFORE]
        for place, (name, cell) in enumerate(named):
            if cell and place:
                yield replace(row, words=cell, key=name, row=named, column=place, context=ClaimContext.CELL, lead=lead)


def _row_above(text: str, row_start: int) -> str | None:
    """Return the header of the table that a row stands in; empty where it stands above the text, None for itself."""
    rows = [text[row_start : _line_end(text, row_start)]]
    for row in reversed(NEWLINE.split(text[:row_start])[:-1]):
        if not row.lstrip(" \t>").startswith("|"):
            break
        rows.append(row)
    below = NEWLINE.split(text[row_start:], maxsplit=2)[1:2]
    opens_table = len(rows) == 1 and bool(below) and TABLE_RULE.fullmatch(below[0].strip(" \t>"))
    if opens_table or TABLE_RULE.fullmatch(rows[0].strip(" \t>")):
        return None
    has_header = len(rows) > 2 and TABLE_RULE.fullmatch(rows[-2].strip(" \t>"))
    return rows[-1].strip(" \t>") if has_header else ""


def _line_end(text: str, start: int) -> int:
    newline = NEWLINE.search(text, start)
    return newline.start() if newline else len(text)


def _shown_cells(row: str) -> list[str]:
    return [shown(cell.strip()) for cell in _split_row(row.strip(" \t>"))] if "|" in row else []


def shown(source: str) -> str:
    """Return what a reader sees of a part of a line: no embeds, sums, marks of sources, nor what is struck out."""
    words_shown = plain_line(_UNSAID.sub(" ", source)).strip(" →") if _UNSAID.search(source) else plain_line(source)
    return _OUTER_TAGS.sub("", words_shown.replace("\u00a0", " "))


def _is_struck(source: str) -> bool:
    """Tell whether most of a sentence is struck out, and what is left only remarks on it."""
    struck = _STRUCK.findall(source)
    return bool(struck) and 2 * sum(map(len, struck)) > len(source) and not _AFTER_STRUCK.search(source)


def _whole_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the sentences, those together that brackets hold together, and a short question with what answers it."""
    found = sentences(text)
    first, was_asked = None, False
    for number, (start, end) in enumerate(found):
        first = start if first is None else first
        is_asked, follows = text[end - 1] == "?", text[slice(*found[number + 1])] if number + 1 < len(found) else ""
        is_case = is_asked and not was_asked and end - first <= LONGEST_KEY and follows and not follows.endswith("?")
        was_asked = is_asked
        if text.count("(", first, end) <= text.count(")", first, end) and not is_case:
            yield first, end
            first = None
    if first is not None:
        yield first, found[-1][1]


def _code_lines(text: str, lead: str) -> list[tuple[int, int]]:
    """Return the stretches between fences, one of which may be open above; what nothing closes reaches to the end."""
    found: list[tuple[int, int]] = []
    above = next((fence for row in lead.split("\n") if (fence := _FENCE.match(row))), None)
    at, opened, mark = 0, 0 if above else -1, above["mark"] if above else ""
    for row in text.split("\n"):
        fence = _FENCE.match(row)
        if fence and opened < 0:
            opened, mark = at, fence["mark"]
        elif fence and fence["mark"].startswith(mark):
            found.append((opened, at + len(row)))
            opened = -1
        at += len(row) + 1
    return [*found, (opened, at)] if opened >= 0 else found


def _box_length(source: str) -> int:
    return len(source) - len(re.sub(r"\A\[[^\]]\][ \t]+", "", source))


def _place(match: re.Match[str]) -> int:
    return match.start()


def _clauses(source: str, start: int, end: int, opened: int) -> Iterator[tuple[int, int]]:
    """Cut at semicolons, at ends of rows that nothing wrapped, and where a shortened unit or weekday ends a sentence.

    Outside of brackets and code. `opened` characters stand before the source in its first row.
    """
    rows = (match for match in _ROW_ENDS.finditer(source, start, end) if _is_line_end(source, match, opened))
    others = (*_CLAUSES.finditer(source, start, end), *_SHORT_ENDS.finditer(source, start, end))
    cuts = sorted((*rows, *others), key=_place)
    for match in cuts:
        part = source[start : match.start()]
        if part.count("(") == part.count(")") and part.count("`") % 2 == 0 and part.count("[[") == part.count("]]"):
            yield start, match.start()
            start = match.end()
    yield start, end


def _is_line_end(source: str, match: re.Match[str], opened: int) -> bool:
    """Tell whether a writer ended a row on purpose: behind a sentence, or where the next word would have fitted."""
    row_start = max(source.rfind("\n", 0, match.start()), source.rfind("\r", 0, match.start())) + 1
    row = source[row_start : match.start()]
    follows = source[match.end() : match.end() + WRAPPED].split(maxsplit=1)
    length = len(row) + (0 if row_start else opened)
    return (bool(follows) and length + 1 + len(follows[0]) <= WRAPPED) or bool(_ENDED.search(row))


def with_key(piece: Fragment) -> Fragment:
    """Part the name before a colon, dash or equals sign from what it names."""
    if asked := _ASKED_AND_SAID.match(piece.words):
        return replace(piece, key=f"{asked['key'].strip()}?", words=asked["rest"].strip())
    if field := _FIELD.match(piece.words):
        return replace(piece, key=field["key"].strip(), words=field["rest"].strip(), context=ClaimContext.FIELD)
    match = _KEY.match(piece.words)
    if match is None or not is_name(match["key"], match["sign"].strip()):
        return piece
    if _DAY_AT_END.search(match["key"]) and _DAY_AT_START.match(match["rest"]):  # «20 Nov – 3 Dec» is one stretch
        return piece
    return replace(piece, key=match["key"].strip(" *_"), words=match["rest"].strip())


def is_name(key: str, sign: str) -> bool:
    """Tell whether words before a colon or dash name what stands behind it."""
    found = words(key)
    if (
        not found
        or len(found) > MOST_KEY_WORDS
        or "," in key
        or key.count("(") != key.count(")")
        or key.count("«") != key.count("»")
    ):
        return False
    if sign in (":", "="):
        return True
    if language_of(key) == "en":
        return len(found) <= 4
    readings = (grammar_of(word.text)[:1] for word in found)
    return not any(reading.is_finite or reading.pos == "INFN" for first in readings for reading in first)


def _split_row(row: str) -> Sequence[str]:
    """Return the cells of a row; a border within a link or behind a backslash is none."""
    shielded = re.sub(r"\[\[[^\]]*\]\]|`[^`]*`", lambda match: match.group().replace("|", "\0"), row.strip())
    inner = shielded.removeprefix("|").removesuffix("|")
    return [cell.replace("\0", "|").replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
