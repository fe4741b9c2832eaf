"""JSON Canvas 1.0: text cards as blocks of the raw file, so that spans stay true, under their groups' labels.

An edge's label is context of a card at its end. What only names something (a file, an address, a group around cards, an
edge's label beside its card) is a block of the kind `NAME`: it stands at its own place and says nothing by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from vaultrag.domain import Block, BlockKind, InlineField, Link, LinkKind, Note, Task
from vaultrag.vault.parsing.blocks import read_structure
from vaultrag.vault.parsing.dataview import read_fields, read_tasks
from vaultrag.vault.parsing.lines import NEWLINE, Lines
from vaultrag.vault.parsing.syntax import scan_inline

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_LABEL_LENGTH = 60  # characters of a card that name it at the other end of an edge
_SHOWN_KEYS = frozenset(("text", "file", "subpath", "url", "label"))
MAX_DEPTH = 16  # a canvas has three levels
MAX_COORDINATE = 1e9  # beyond it a box is damage, and float arithmetic would overflow

DEEPEST_GROUP = 16  # groups around one card that are named: each costs every passage in it its words
MOST_GROUPS = 500  # that are compared with each card

Place = tuple[str | int, ...]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Literal:
    """The inside of a JSON string: its text, and for each character (and the end) its offset in the file."""

    text: str
    offsets: Sequence[int]


def is_canvas(path: str) -> bool:
    return path.lower().endswith(".canvas")


def read_literal(raw: str, start: int, end: int) -> Literal:
    """Decode the inside of a JSON string that stands at `raw[start:end]`, without its quotes."""
    pieces: list[str] = []
    offsets: list[int] = []
    at = start
    for match in _ESCAPE.finditer(raw, start, end):
        pieces.append(raw[at : match.start()])
        offsets.extend(range(at, match.start()))
        decoded = _unescape(match.group())
        pieces.append(decoded)
        offsets.extend([match.start()] * len(decoded))
        at = match.end()
    pieces.append(raw[at:end])
    offsets.extend(range(at, end + 1))
    return Literal("".join(pieces), offsets)


def shown_strings(passage: str, start: int, end: int) -> list[str]:
    """Return what a canvas shows of `passage[start:end]`; a passage begins and ends inside a string of the file."""
    shown: list[str] = []
    key = before = ""
    for match in _TOKEN.finditer(f'"{passage}'):
        token = match.group()
        if token[0] == '"' and ((before == ":" and key in _SHOWN_KEYS) or not before):
            is_open = match.end() > len(passage)  # the last one: its quote stands behind the passage
            first, last = max(start, match.start()), min(end, len(passage) if is_open else match.end() - 2)
            if first < last:
                shown.append(read_literal(passage, first, last).text)
        elif token[0] == '"':
            key = token[1:-1]
        before = token
    return shown


def parse_canvas(path: str, text: str, content_hash: str) -> Note:
    """Parse a canvas. An empty file is an empty canvas; a broken one has no blocks, and says so."""
    title = path.rpartition("/")[2].rpartition(".")[0]
    note = Note(path=path, title=title, text=text, content_hash=content_hash)
    if not text.strip():
        return note
    try:
        canvas = json.loads(text)
        places = dict(_string_places(text))
    except (ValueError, RecursionError):
        return _broken(note)
    if not isinstance(canvas, dict):
        return _broken(note)
    reader = _Canvas(text, canvas, places)
    reader.read()
    return Note(
        path=path,
        title=title,
        text=text,
        tags=tuple(dict.fromkeys(reader.tags)),
        blocks=tuple(sorted(reader.blocks, key=lambda block: block.start)),
        tasks=tuple(reader.tasks),
        fields=tuple(reader.fields),
        links=tuple(sorted(reader.links, key=lambda link: link.line)),
        content_hash=content_hash,
    )


def _broken(note: Note) -> Note:
    problem = "The canvas is not valid JSON Canvas; nothing in it is indexed."
    return Note(note.path, note.title, note.text, content_hash=note.content_hash, problems=(problem,))


class _Canvas:
    def __init__(self, text: str, canvas: Mapping[str, Any], places: Mapping[Place, tuple[int, int]]) -> None:
        self.text = text
        self.nodes = _objects(canvas, "nodes")
        self.edges = _objects(canvas, "edges")
        self.places = places
        self.lines = Lines(text)
        self.blocks: list[Block] = []
        self.links: list[Link] = []
        self.tags: list[str] = []
        self.tasks: list[Task] = []
        self.fields: list[InlineField] = []

    def read(self) -> None:
        groups = _groups([node for _, node in self.nodes if node.get("type") == "group"])
        paths = {index: _groups_around(node, groups) for index, node in self.nodes}
        labels = {label for index, node in self.nodes if node.get("type") == "text" for label in paths[index]}
        contexts = self._edges()
        for index, node in self.nodes:
            path = paths[index]
            place: Place = ("nodes", index)
            kind = node.get("type")
            if kind == "text":
                self._card((*place, "text"), path, "\n".join(contexts.get(str(node.get("id")), ())))
            elif kind == "file":
                self._file((*place, "file"), node)
                self._name((*place, "file"), path)
                self._name((*place, "subpath"), path)
            elif kind == "link":
                self._name((*place, "url"), path)
            elif kind == "group" and str(node.get("label")).strip() in labels:
                self._name((*place, "label"), path)
            elif kind == "group":
                self._label((*place, "label"), path)

    def _edges(self) -> dict[str, list[str]]:
        """Return what edges say of each text card; a label between other cards becomes a block of its own."""
        nodes = {str(node.get("id")): node for _, node in self.nodes}
        contexts: dict[str, list[str]] = {}
        for index, edge in self.edges:
            label = edge.get("label")
            if not isinstance(label, str) or not label.strip():
                continue
            ends = str(edge.get("fromNode")), str(edge.get("toNode"))
            names = [_name(nodes[end]) if end in nodes else "" for end in ends]
            card = next((end for end in ends if end in nodes and nodes[end].get("type") == "text"), None)
            if card is None:
                self._label(("edges", index, "label"), (" → ".join(names),) if all(names) else ())
            else:
                said = (label.strip(), names[1]) if card == ends[0] else (names[0], label.strip())
                contexts.setdefault(card, []).append(" → ".join(part for part in said if part))
                self._name(("edges", index, "label"), ())
        return contexts

    def _card(self, place: Place, path: tuple[str, ...], context: str) -> None:
        if place not in self.places:
            return
        literal = read_literal(self.text, *self.places[place])
        structure = read_structure(literal.text, Lines(literal.text), 0, ())
        for block in structure.blocks:
            start, end = literal.offsets[block.start], literal.offsets[block.end]
            last = block is structure.blocks[-1]
            self.blocks.append(
                replace(
                    block,
                    start=start,
                    end=end,
                    heading_path=path + block.heading_path,
                    context=context if last else "",
                )
            )

        def line_of(offset: int) -> int:
            return self.lines.line_at(literal.offsets[offset]) + 1

        self.tasks.extend(read_tasks(literal.text, structure.items, line_of))
        self.fields.extend(read_fields(literal.text, structure.inline, structure.items, line_of))
        for start, end in structure.inline:
            links, tags = scan_inline(literal.text, start, end)
            self.tags.extend(tag.tag for tag in tags)
            for link in links:
                self.links.append(Link(link.target, link.kind, link.anchor, link.text, line_of(link.start)))

    def _file(self, place: Place, node: Mapping[str, Any]) -> None:
        if place not in self.places:
            return
        anchor = node.get("subpath")
        anchor = anchor.removeprefix("#") if isinstance(anchor, str) else ""
        literal = read_literal(self.text, *self.places[place])
        line = self.lines.line_at(literal.offsets[0]) + 1
        self.links.append(Link(literal.text, LinkKind.CANVAS, anchor, _name(node), line))

    def _label(self, place: Place, path: tuple[str, ...], kind: BlockKind = BlockKind.PARAGRAPH) -> None:
        start, end = self.places.get(place, (0, 0))
        if self.text[start:end].strip():
            self.blocks.append(Block(kind, start, end, path))

    def _name(self, place: Place, path: tuple[str, ...]) -> None:
        self._label(place, path, BlockKind.NAME)


def _objects(canvas: Mapping[str, Any], key: str) -> list[tuple[int, Mapping[str, Any]]]:
    members = canvas.get(key)
    if not isinstance(members, list):
        return []
    return [(index, member) for index, member in enumerate(members) if isinstance(member, dict)]


def _string_places(text: str) -> Iterator[tuple[Place, tuple[int, int]]]:
    """Yield where each string value of a valid JSON text stands, without its quotes."""
    place: list[str | int] = []
    is_key = False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in {"{", "["}:
            place.append("" if token == "{" else 0)
            is_key = token == "{"
            if len(place) > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif token in "}]":
            place.pop()
        elif token == ",":
            last = place[-1]
            is_key = isinstance(last, str)
            if isinstance(last, int):
                place[-1] = last + 1
        elif token == ":":
            is_key = False
        elif token[0] == '"':
            if is_key:
                place[-1] = json.loads(token, strict=False)
            else:
                yield tuple(place), (match.start() + 1, match.end() - 1)


def _unescape(escape: str) -> str:
    decoded: str = json.loads(f'"{escape}"', strict=False)
    return "\ufffd" if "\ud800" <= decoded <= "\udfff" else decoded  # half a pair is no character


@dataclass(frozen=True, slots=True)
class _LabelledBox:
    """A group with a label."""

    label: str
    box: Box
    node: Mapping[str, Any]


def _groups(nodes: Sequence[Mapping[str, Any]]) -> list[_LabelledBox]:
    """Return the groups that name what lies in them, the narrowest first; of very many the widest ones."""
    found = [
        _LabelledBox(label.strip(), box, node)
        for node in nodes
        if (box := _box(node)) and isinstance(label := node.get("label"), str) and label.strip()
    ]
    return sorted(found, key=lambda group: (group.box[2], group.label))[-MOST_GROUPS:]


def _groups_around(node: Mapping[str, Any], groups: Sequence[_LabelledBox]) -> tuple[str, ...]:
    """Return the labels of the groups that a card's middle lies in, the widest first; of many the nearest ones."""
    box = _box(node)
    if box is None:
        return ()
    around = (group for group in groups if group.node is not node and _holds(group.box, box))
    return tuple(group.label for group in islice(around, DEEPEST_GROUP))[::-1]


def _box(node: Mapping[str, Any]) -> Box | None:
    sides = [node.get(key) for key in ("x", "y", "width", "height")]
    numbers = [float(side) for side in sides if isinstance(side, int | float) and abs(side) < MAX_COORDINATE]
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == len(sides) else None


def _holds(outer: Box, inner: Box) -> bool:
    middle_x, middle_y = inner[0] + inner[2] / 2, inner[1] + inner[3] / 2
    inside_x = outer[0] <= middle_x <= outer[0] + outer[2]
    inside_y = outer[1] <= middle_y <= outer[1] + outer[3]
    return inside_x and inside_y and outer[2] * outer[3] > inner[2] * inner[3]


def _name(node: Mapping[str, Any]) -> str:
    for key in ("text", "file", "label", "url"):
        value = node.get(key)
        if isinstance(value, str) and value.strip():
            name = value.rpartition("/")[2].removesuffix(".md") if key == "file" else value
            return NEWLINE.split(name.strip(), maxsplit=1)[0].lstrip("#").strip()[:_LABEL_LENGTH]
    return ""
