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
MAX_NUMBER = 40  # characters; a longer number is an identifier, and Python refuses to read 4,300 digits

_OPENING = re.compile(r"---[ \t]*(?:\r\n|\r|\n)")
_CLOSING = re.compile(r"(?:(?<=\n)|(?<=\r))---[ \t]*(?=\r|\n|\Z)")
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,2})?")

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Frontmatter:
    """What stands between the fences. `body` is the offset where the note's own text begins."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    body: int = 0
    problems: tuple[str, ...] = ()


def read_frontmatter(text: str) -> Frontmatter:
    """Read the block at the very start of a note. A broken block costs its properties, never the body."""
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if not opening or not closing:
        return Frontmatter()
    source = text[opening.end() : closing.start()]
    properties, faults = read_yaml(source)
    problems = [f"The frontmatter cannot be read: {fault}." for fault in faults]
    return Frontmatter(properties, closing.end(), (*problems, *_list_problems(properties)))


def read_yaml(source: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the keys of a YAML text, and what is wrong with it: then it has none."""
    try:
        return _properties(source), ()
    except (yaml.YAMLError, ValueError) as error:
        return {}, (_one_line(error),)


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


def _properties(source: str) -> dict[str, Any]:
    if len(source.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ValueError(f"it is longer than {MAX_BYTES // 1024} KB")
    events = yaml.parse(source, Loader=_Loader)
    value: object = None
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            value = _build(event, events, MAX_DEPTH)
            break
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("it is no list of `key: value` lines")
    for rest in events:
        if isinstance(rest, yaml.DocumentStartEvent):
            raise ValueError("it holds a second document")
    return value


def _build(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
    if depth == 0:
        raise ValueError("it is nested too deeply")
    if isinstance(event, yaml.ScalarEvent):
        return typed(event.value) if event.implicit[0] else str(event.value)
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, depth - 1)
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, depth - 1)
    raise ValueError("YAML aliases (`*name`) are not read")


def _sequence(events: Iterator[yaml.Event], depth: int) -> list[object]:
    members: list[object] = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        members.append(_build(event, events, depth))
    return members


def _mapping(events: Iterator[yaml.Event], depth: int) -> dict[str, object]:
    members: dict[str, object] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        if not isinstance(event, yaml.ScalarEvent):
            raise ValueError("a key is not plain text (put `{{…}}` and `[[…]]` in quotes)")
        key = str(event.value)
        if key in members:
            raise ValueError(f"the key `{key[:40]}` occurs twice")
        members[key] = _build(next(events), events, depth)
    return members


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
