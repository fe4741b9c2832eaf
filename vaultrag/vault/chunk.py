"""Passage-sized parts of a note, cut along headings and blocks; each holds exactly the note's text at its span."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from vaultrag.domain import Block, BlockKind, Chunk, CountTokens, Note
from vaultrag.text.language import language_of, sentences
from vaultrag.text.machine_data import LONGEST_GAP
from vaultrag.vault.bare import digest, with_bare_passages
from vaultrag.vault.block_text import BlockText
from vaultrag.vault.context import Elsewhere, Outline, Transclude, footnote_id, no_embeds
from vaultrag.vault.parsing.canvas import Literal
from vaultrag.vault.parsing.chats.models import model_of
from vaultrag.vault.parsing.lines import NEWLINE, Lines
from vaultrag.vault.parsing.plain import plain_heading, plain_line, plain_text
from vaultrag.vault.split import Piece, fences_in, halve, open_fence, split_block

TINY_SECTION = 32  # tokens: a section of a line or two says too little alone, and joins tiny siblings
TINY_CARD = 12  # tokens: a card of about five words is near to every question
LONGEST_TOKEN = 16  # characters a token holds on average at the very most; longer texts need no counting
USUAL_TOKEN = 4  # characters: 2.6 in Russian text, 4.7 in English
ELSEWHERE = 80  # tokens that one footnote or embed may add to a passage: it is found whole at its own place
HEADING_SHARE = 3  # a heading path may take a third of a chunk

_ANNOUNCED = frozenset((BlockKind.LIST, BlockKind.TABLE, BlockKind.CODE))


def chunk_note(
    note: Note, count_tokens: CountTokens, target: int, limit: int, transclude: Transclude = no_embeds
) -> list[Chunk]:
    """Cut a note into chunks of about `target` tokens of `embedded`, none above `limit`.

    They overlap nowhere (names on a canvas apart) and hold all the text, save HTML comments, thematic breaks, machine
    data and properties that say nothing. Properties and each message of a chat share no chunk with others. `embedded`
    also has what `transclude` gives for embeds. A note without text has one chunk, too.
    """
    return with_bare_passages(note, _Chunker(note, count_tokens, target, limit, transclude).chunks())


@dataclass(frozen=True, slots=True)
class _Unit:
    """A block or a piece of one: its place in the note, its words, how many tokens those are, what it belongs under."""

    block: Block
    start: int
    end: int
    words: str
    tokens: int
    lead: str = ""

    @property
    def is_opening(self) -> bool:
        """Whether it only opens what follows: a heading, or the header of a message."""
        return self.block.kind in (BlockKind.HEADING, BlockKind.TURN)


@dataclass(frozen=True, slots=True)
class _Group:
    """Units that become one chunk."""

    units: tuple[_Unit, ...]
    heading_path: tuple[str, ...]
    tokens: int
    sections: tuple[tuple[str, ...], ...] = ()

    @property
    def turn(self) -> int | None:
        return self.units[0].block.turn


class _Chunker:
    def __init__(self, note: Note, count_tokens: CountTokens, target: int, limit: int, transclude: Transclude) -> None:
        self.note = note
        self.count = count_tokens
        self.target = target
        self.limit = limit
        self.lines = Lines(note.text)
        self.texts = BlockText(note)
        self.is_canvas = self.texts.is_canvas
        self.elsewhere = Elsewhere(note, transclude)
        self.prefixes: dict[tuple[str, ...], tuple[str, int]] = {}
        self.occurrences: Counter[str] = Counter()

    def chunks(self) -> list[Chunk]:
        units = [unit for block in self.note.blocks for unit in self._units(block)]
        groups = self._grouped(units)
        groups = self._join_cards(groups) if self.is_canvas else self._join_tiny(groups)
        return [chunk for group in groups for chunk in self._emit(self._with_long_headings(group))]

    def _units(self, block: Block) -> Iterator[_Unit]:
        if block.kind is BlockKind.NAME:
            return
        if block.kind is BlockKind.HEADING:
            if not block.heading_path or block.heading_path[-1] not in self.texts.plugin_headings:
                yield _Unit(block, block.start, block.end, "", 0)
            return
        literal = self.texts.literal(block)
        for start, end in self.texts.parts(block, literal):
            words = self.texts.words(literal.text[start:end], block, literal.text)
            if not words:
                continue
            if block.kind is BlockKind.TURN:
                yield _Unit(block, block.start, block.end, "", 0)
                return
            tokens = self._tokens(words)
            room = self._room(self._lead(block, block.heading_path))
            if tokens <= room and start == 0:
                yield _Unit(block, *self._place(literal, start, end), words, tokens)
            else:
                yield from self._split(block, literal, Piece(start, end, tokens), room)

    def _split(self, block: Block, literal: Literal, whole: Piece, room: int) -> Iterator[_Unit]:
        header, header_line, header_tokens = self._table_header(block, literal, room)
        text = literal.text
        outline = Outline(text) if block.kind is BlockKind.LIST else None
        fences = fences_in(text)

        def measure(start: int, end: int) -> int:
            return self._tokens(self.texts.words(text[whole.start + start : whole.start + end], block, text))

        part, tokens = text[whole.start : whole.end], whole.tokens
        for piece in split_block(part, block.kind, tokens, self.target - header_tokens, room - header_tokens, measure):
            start, end = whole.start + piece.start, whole.start + piece.end
            words = self.texts.words(text[start:end], block, text)
            if not words:
                continue
            lead = ""
            if start > 0 and header:
                words, lead = f"{header}\n{words}", header_line
            elif start > 0 and outline:
                words, lead = self._under_parents(words, outline.above(start), room)
            if start > 0 and (fence := open_fence(text, fences, start)):
                lead = f"{lead}\n{fence}".lstrip("\n")
            yield _Unit(block, *self._place(literal, start, end), words, self._tokens(words), lead)

    def _under_parents(self, words: str, parents: list[str], room: int) -> tuple[str, str]:
        """Put the items above a part of a list before it, as many of the inner ones as there is room for."""
        names = [plain_line(line.lstrip("> \t")) for line in parents]
        for first in range(len(parents)):
            whole = "\n".join((*names[first:], words))
            if self._tokens(whole) <= room:
                return whole, "\n".join(parents[first:])
        return words, ""

    def _table_header(self, block: Block, literal: Literal, room: int) -> tuple[str, str, int]:
        """Return the words of a table's header row, to be repeated, and the row; none where it would fill the chunk."""
        if block.kind is not BlockKind.TABLE:
            return "", "", 0
        row = NEWLINE.split(literal.text, maxsplit=1)[0]
        header = plain_text(row, block.kind)
        tokens = self._tokens(header) + 1
        return (header, row, tokens) if tokens <= room // HEADING_SHARE else ("", "", 0)

    def _grouped(self, units: Sequence[_Unit]) -> list[_Group]:
        """Join neighbours under one heading path up to the target; headings open what follows them."""
        groups: list[_Group] = []
        current: list[_Unit] = []
        tokens = 0
        for unit in units:
            if current and not self._continues(current, tokens, unit):
                current, lead_in = self._without_lead_in(current, unit)
                groups.append(_group(current, tokens - sum(led.tokens for led in lead_in)))
                current, tokens = lead_in, sum(led.tokens for led in lead_in)
            current.append(unit)
            tokens += unit.tokens
        if current:
            groups.append(_group(current, tokens))
        return groups

    def _continues(self, current: Sequence[_Unit], tokens: int, unit: _Unit) -> bool:
        last = current[-1]
        leaves_properties = last.block.kind is BlockKind.PROPERTIES is not unit.block.kind
        if unit.block.turn != last.block.turn or leaves_properties or self._crosses_cards(last, unit):
            return False
        if unit.start - last.end >= LONGEST_GAP:
            return False  # comments or machine data would be most of the passage
        path, next_path = last.block.heading_path, unit.block.heading_path
        if last.is_opening:
            return next_path[: len(path)] == path
        return next_path == path and not unit.is_opening and tokens + unit.tokens <= self.target

    def _without_lead_in(self, current: list[_Unit], unit: _Unit) -> tuple[list[_Unit], list[_Unit]]:
        """Part a line such as "We need:" from its paragraph, so that it goes with the list it announces."""
        last = current[-1]
        announces = len(current) > 1 and last.tokens <= TINY_SECTION and last.words.endswith(":")
        follows = unit.block.kind in _ANNOUNCED and unit.block.heading_path == last.block.heading_path
        fits = last.tokens + unit.tokens <= self._room(unit.block.heading_path)
        if announces and follows and fits and unit.block.turn == last.block.turn and not self.is_canvas:
            return current[:-1], [last]
        return current, []

    def _crosses_cards(self, last: _Unit, unit: _Unit) -> bool:
        return self.is_canvas and '"' in self.note.text[last.end : unit.start].replace('\\"', "")

    def _join_tiny(self, groups: Sequence[_Group]) -> list[_Group]:
        """Join runs of tiny sibling sections; the chunk then stands under their parent and names each heading."""
        joined: list[_Group] = []
        for group in groups:
            if joined and self._are_tiny_siblings(joined[-1], group):
                joined[-1] = self._merged(joined[-1], group)
            else:
                joined.append(group)
        return joined

    def _are_tiny_siblings(self, left: _Group, right: _Group) -> bool:
        first, second = (left.sections or (left.heading_path,))[-1], right.heading_path
        siblings = len(first) > 1 and len(first) == len(second) and first[:-1] == second[:-1]
        whole = left.units[0].is_opening and right.units[0].is_opening and left.turn == right.turn
        tiny = right.tokens <= TINY_SECTION and (bool(left.sections) or left.tokens <= TINY_SECTION)
        return siblings and whole and tiny and left.tokens + right.tokens <= self.target // 2

    def _join_cards(self, groups: Sequence[_Group]) -> list[_Group]:
        """Join cards of a few words with their neighbours; what stands between them in the file comes along."""
        joined: list[_Group] = []
        for group in groups:
            last = joined[-1] if joined else None
            if last and self._is_crumb(last, group) and last.tokens + group.tokens <= self.target:
                joined[-1] = self._with_card(last, group)
            else:
                joined.append(group)
        return joined

    def _is_crumb(self, last: _Group, group: _Group) -> bool:
        sizes = [self._tokens(self._embedded(part)) for part in (last, group)]
        return min(sizes) <= TINY_CARD

    def _with_card(self, left: _Group, right: _Group) -> _Group:
        """Put two groups under the headings that they share; the others are named in their words."""
        pairs = zip(left.heading_path, right.heading_path, strict=False)
        shared = tuple(a for a, b in takewhile(lambda pair: pair[0] == pair[1], pairs))
        units = [
            self._spelled(unit) if len(unit.block.heading_path) > len(shared) else unit
            for unit in (*left.units, *right.units)
        ]
        return _Group(tuple(units), shared, sum(unit.tokens for unit in units))

    def _merged(self, left: _Group, right: _Group) -> _Group:
        sections = left.sections or (left.heading_path,)
        units = left.units if left.sections else self._named(left)
        more = self._named(right)
        tokens = sum(unit.tokens for unit in (*units, *more))
        return _Group((*units, *more), right.heading_path[:-1], tokens, (*sections, right.heading_path))

    def _named(self, group: _Group) -> tuple[_Unit, ...]:
        """Give the section's own heading words, which its place under the parent no longer names."""
        own = group.heading_path
        return tuple(self._spelled(unit) if unit.block.heading_path == own else unit for unit in group.units)

    def _with_long_headings(self, group: _Group) -> _Group:
        """Give headings their words where the path above the text is too long to name them."""
        told = self._prefix(self._lead(group.units[0].block, group.heading_path))[0]
        pairs = [(unit, self._spelled(unit)) for unit in group.units]
        return replace(group, units=tuple(unit if said.words in told else said for unit, said in pairs))

    def _spelled(self, unit: _Unit) -> _Unit:
        path = unit.block.heading_path
        if unit.block.kind is not BlockKind.HEADING or unit.words or not path:
            return unit
        name = plain_heading(path[-1])
        return replace(unit, words=name, tokens=self._tokens(name))

    def _emit(self, group: _Group) -> Iterator[Chunk]:
        embedded = self._embedded(group)
        estimate = self._prefix(self._lead(group.units[0].block, group.heading_path))[1] + sum(
            unit.tokens + 1 for unit in group.units
        )
        if estimate > self.limit and self.count(embedded) > self.limit:
            for half in self._halves(group):
                yield from self._emit(half)
            return
        yield self._chunk(group, self._with_elsewhere(group, embedded))

    def _with_elsewhere(self, group: _Group, embedded: str) -> str:
        """Add the words of what the group mentions and does not hold, as far as the limit allows."""
        if not any(self.elsewhere.concerns(unit.block) for unit in group.units):
            return embedded
        told = {f"[^{footnote_id(self._source(unit))}" for unit in group.units if unit.block.kind is BlockKind.FOOTNOTE}
        for unit in group.units:
            for key, words in self.elsewhere.words_for(unit.block, self._source(unit)):
                if key in told or not words:
                    continue
                told.add(key)
                longer = f"{embedded}\n{self._shortened(words)}"
                embedded = longer if self._tokens(longer) <= self.limit else embedded
        return embedded

    def _source(self, unit: _Unit) -> str:
        return self.texts.literal(replace(unit.block, start=unit.start, end=unit.end)).text

    def _shortened(self, words: str) -> str:
        """Return the first sentences of words from elsewhere: they say what a passage is about, no more."""
        words = words[: ELSEWHERE * LONGEST_TOKEN]
        ends = [end for _, end in sentences(words)]
        while len(ends) > 1 and self._tokens(words) > ELSEWHERE:
            ends = ends[: (len(ends) + 1) // 2]
            words = words[: ends[-1]]
        while self._tokens(words) > ELSEWHERE:
            words = words[: len(words) // 2].rstrip()
        return words

    def _halves(self, group: _Group) -> Iterator[_Group]:
        """Cut a group whose parts together count more than the sum of them."""
        if len(group.units) > 1:
            middle = len(group.units) // 2
            for units in (group.units[:middle], group.units[middle:]):
                yield replace(group, units=units, tokens=sum(unit.tokens for unit in units))
            return
        unit = group.units[0]
        literal = self.texts.literal(replace(unit.block, start=unit.start, end=unit.end))
        middle = halve(literal.text, 0, len(literal.text))
        for start, end in ((0, middle), (middle, len(literal.text))):
            words = self.texts.words(literal.text[start:end], unit.block, literal.text)
            place = self._place(literal, start, end)
            tokens = self._tokens(words)
            yield replace(group, units=(_Unit(unit.block, *place, words, tokens, unit.lead),), tokens=tokens)

    def _chunk(self, group: _Group, embedded: str) -> Chunk:
        start, end = self._trimmed(group.units[0].start, group.units[-1].end)
        text = self.note.text[start:end]
        key = "\0".join((self.note.path, *group.heading_path, "", text))
        self.occurrences[key] += 1
        turn = None if group.turn is None else self.note.turns[group.turn]
        return Chunk(
            id=digest(f"{key}\0{self.occurrences[key]}")[:24],
            path=self.note.path,
            heading_path=group.heading_path,
            span=self.lines.span(start, end),
            block_id=next(
                filter(None, (self.texts.block_id(unit.block, unit.start, unit.end) for unit in group.units)), ""
            ),
            speaker=turn.speaker if turn else "",
            text=text,
            embedded=embedded,
            language=language_of(embedded),
            text_hash=digest(embedded)[:32],
            lead=group.units[0].lead,
            said=(turn.time or self.note.date) if turn else "",
            model=model_of(turn, self.note.properties) if turn else "",
            date=self.note.date,
            about=self.note.about,
        )

    def _embedded(self, group: _Group) -> str:
        prefix = self._prefix(self._lead(group.units[0].block, group.heading_path))[0]
        words = "\n".join(unit.words for unit in group.units if unit.words)
        return "\n".join(part for part in (prefix, words) if part) or self._openings(group)

    def _openings(self, group: _Group) -> str:
        words = [self.note.text[unit.start : unit.end] for unit in group.units]
        return "\n".join(plain_text(part, BlockKind.PARAGRAPH) or part.strip() for part in words)

    def _lead(self, block: Block, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return what words are embedded under: their headings; properties under the note's title, whose they are."""
        return (self.note.title,) if block.kind is BlockKind.PROPERTIES else path

    def _prefix(self, heading_path: tuple[str, ...]) -> tuple[str, int]:
        """Return the heading path as words, its outer headings dropped until it leaves room for text."""
        if heading_path not in self.prefixes:
            self.prefixes[heading_path] = self._shortened_prefix(
                [plain_heading(part) for part in heading_path if part not in self.texts.plugin_headings]
            )
        return self.prefixes[heading_path]

    def _shortened_prefix(self, parts: list[str]) -> tuple[str, int]:
        parts = [part for part in parts if part]
        prefix = " > ".join(parts)
        while prefix and (tokens := self._tokens(prefix)) > self.limit // HEADING_SHARE:
            parts = parts[1:] if len(parts) > 1 else [prefix[: len(prefix) // 2].strip()]
            prefix = " > ".join(parts)
        return (prefix, tokens + 1) if prefix else ("", 0)

    def _room(self, heading_path: tuple[str, ...]) -> int:
        return max(1, self.limit - self._prefix(heading_path)[1] - 1)

    def _tokens(self, words: str) -> int:
        if len(words) > self.limit * LONGEST_TOKEN:
            return len(words) // USUAL_TOKEN
        return self.count(words) if words else 0

    def _place(self, literal: Literal, start: int, end: int) -> tuple[int, int]:
        return literal.offsets[start], literal.offsets[end]

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        text = self.note.text
        while start < end - 1 and text[start].isspace():
            start += 1
        while end > start + 1 and text[end - 1].isspace():
            end -= 1
        return start, end


def _group(units: Sequence[_Unit], tokens: int) -> _Group:
    return _Group(tuple(units), units[-1].block.heading_path, tokens)
