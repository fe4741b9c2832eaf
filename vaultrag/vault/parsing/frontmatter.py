"""Frontmatter: YAML 1.2 typing over libyaml's events, so that no type, anchor or size can surprise.

PyYAML's own constructors read YAML 1.1 (`no` is false, `2024-07-21` a date object); Obsidian reads 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 64 * 1024  # a person's properties are a few hundred bytes
MAX_DEPTH = 32  # keeps the reader's own recursion far from Python's limit
MAX_NODES = 10_000  # with what YAML aliases repeat: a few lines could else stand for billions of values
MAX_NUMBER = 40  # characters; a longer number is an identifier, and Python refuses to read 4,300 digits

_OPENING = re.compile(r"---[ \t]*(?:\r\n|\r|\n)")
_CLOSING = re.compile(r"(?:(?<=\n)|(?<=\r))---[ \t]*(?=\r|\n|\Z)")
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,2})?")

_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")  # libyaml refuses

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class PropertyLines:
    """Whole lines that properties stand in; `keys` is empty for a block that cannot be read. `end` is exclusive."""

    keys: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Frontmatter:
    """What stands between the fences. `body` is the offset where the note's own text begins."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    body: int = 0
    problems: tuple[str, ...] = ()
    places: tuple[PropertyLines, ...] = ()


def read_frontmatter(text: str) -> Frontmatter:
    """Read the block at the very start of a note. A broken block costs its properties, never the body."""
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if not opening or not closing:
        return Frontmatter()
    source = text[opening.end() : closing.start()]
    properties, starts, faults = _read(source)
    problems = [f"The frontmatter cannot be read: {fault}." for fault in faults]
    places = tuple(_places(text, opening.end(), closing.start(), starts))
    return Frontmatter(properties, closing.end(), (*problems, *_list_problems(properties)), places)


def read_yaml(source: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the keys of a YAML text, and what is wrong with it: then it has none."""
    properties, _, faults = _read(source)
    return properties, faults


def _read(source: str) -> tuple[dict[str, Any], Mapping[str, int], tuple[str, ...]]:
    """Return the keys of a YAML text, where each begins, and what is wrong with it: then it has none."""
    reader = _Reader()
    try:
        return reader.properties(source), reader.starts, ()
    except (yaml.YAMLError, ValueError) as error:
        return {}, {}, (_one_line(error),)


def _places(text: str, start: int, end: int, starts: Mapping[str, int]) -> Iterator[PropertyLines]:
    """Cut the block into the lines of each property; those that share a line stay together."""
    at: dict[int, list[str]] = {}
    for key, offset in starts.items():
        at.setdefault(_line_start(text, start, start + offset), []).append(key)
    borders = sorted(at) if at else [start]
    for first, after in zip(borders, [*borders[1:], end], strict=True):
        words = text[first:after].rstrip()
        if words.strip():
            yield PropertyLines(tuple(at.get(first, ())), first, first + len(words))


def _line_start(text: str, start: int, place: int) -> int:
    return max(text.rfind("\n", start, place), text.rfind("\r", start, place), start - 1) + 1


def frontmatter_tags(properties: Mapping[str, Any]) -> list[str]:
    """Return the tags of the key `tags`, without `#`. As in Obsidian, `tags: a, b` names none."""
    tags: list[str] = []
    for value in _strings(properties, "tags"):
        tag = value.strip().removeprefix("#")
        if tag and not re.search(r"[\s,]", tag):
            tags.append(tag)
    return tags


def aliases(properties: Mapping[str, Any]) -> list[str]:
    """Return the names of the key `aliases`; `aliases: a, b` is one name, as in Obsidian."""
    return [value.strip() for value in _strings(properties, "aliases") if value.strip()]


def string_values(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield each string under a property with its dotted key (`list.0`)."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from string_values(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from string_values(inner, f"{key}.{index}" if key else str(index))


def _strings(properties: Mapping[str, Any], name: str) -> list[str]:
    for key, value in properties.items():
        if key.lower() == name:
            members = value if isinstance(value, list) else [value]
            return [member for member in members if isinstance(member, str)]
    return []


def _list_problems(properties: Mapping[str, Any]) -> Iterator[str]:
    for key, value in properties.items():
        if key.lower() == "tags" and isinstance(value, str) and re.search(r"[\s,]", value.strip()):
            yield "The property `tags` must be a list; Obsidian reads no tag in several on one line."


class _Reader:
    """Builds values from libyaml's events. `starts` are the offsets of the outermost keys."""

    def __init__(self) -> None:
        self.starts: dict[str, int] = {}
        self.anchors: dict[str, tuple[object, int]] = {}
        self.nodes = 0

    def properties(self, source: str) -> dict[str, Any]:
        if len(source.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise ValueError(f"it is longer than {MAX_BYTES // 1024} KB")
        events = yaml.parse(_UNREADABLE.sub("\ufffd", source), Loader=_Loader)
        value: object = None
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                value = self._build(event, events, MAX_DEPTH)
                break
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ValueError("it is no list of `key: value` lines")
        for rest in events:
            if isinstance(rest, yaml.DocumentStartEvent):
                raise ValueError("it holds a second document")
        return value

    def _build(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
        if depth == 0:
            raise ValueError("it is nested too deeply")
        before = self._count(1) - 1
        if isinstance(event, yaml.AliasEvent):
            return self._repeated(str(event.anchor))
        if isinstance(event, yaml.ScalarEvent):
            value: object = typed(event.value) if event.implicit[0] else str(event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(events, depth - 1)
        else:
            value = self._mapping(events, depth - 1)
        if anchor := getattr(event, "anchor", None):
            self.anchors[anchor] = (value, self.nodes - before)
        return value

    def _repeated(self, anchor: str) -> object:
        if anchor not in self.anchors:
            raise ValueError(f"`*{anchor[:40]}` stands for nothing")
        value, nodes = self.anchors[anchor]
        self._count(nodes)
        return value

    def _count(self, nodes: int) -> int:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise ValueError(f"it holds more than {MAX_NODES} values")
        return self.nodes

    def _sequence(self, events: Iterator[yaml.Event], depth: int) -> list[object]:
        members: list[object] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            members.append(self._build(event, events, depth))
        return members

    def _mapping(self, events: Iterator[yaml.Event], depth: int) -> dict[str, object]:
        members: dict[str, object] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if isinstance(event, yaml.ScalarEvent):
                key = str(event.value)
            else:
                key = _as_key(self._build(event, events, depth))
            if key in members:
                raise ValueError(f"the key `{key[:40]}` occurs twice")
            if depth == MAX_DEPTH - 1 and event.start_mark:
                self.starts[key] = event.start_mark.index
            members[key] = self._build(next(events), events, depth)
        return members


def _as_key(value: object) -> str:
    """Spell a key that is no plain text as the app does: `{{date}}` is a map whose key is `{ date }`."""
    if isinstance(value, dict):
        pairs = [key if inner is None else f"{key}: {_as_key(inner)}" for key, inner in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[ {', '.join(map(_as_key, value))} ]" if value else "[]"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def typed(value: str) -> str | int | float | bool | None:
    """Return a plain scalar as YAML 1.2 reads it; a date stays text."""
    if value in _NULL:
        return None
    if value in _BOOL:
        return _BOOL[value]
    if len(value) > MAX_NUMBER:
        return value
    if _INT.fullmatch(value):
        return int(value)
    if _OCTAL_HEX.fullmatch(value):
        return int(value, 0)
    return float(value) if _FLOAT.fullmatch(value) else value


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        place = f" (line {error.problem_mark.line + 2})" if error.problem_mark else ""
        return f"{error.problem or 'it is not YAML'}{place}"
    if isinstance(error, UnicodeError | yaml.reader.ReaderError):
        return "it holds characters that YAML does not allow"
    return str(error)
