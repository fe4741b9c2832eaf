"""The JSON of notes and their links: what `links`, `graph` and `note` print. Conventions as in `vaultrag.wire`."""

from __future__ import annotations

from typing import Any

from vaultrag.wire import Shape


class Link(Shape):
    """A link in `source`. `path` is what it means, null where that is nothing; `kind` alias and mention are guesses."""

    source: str
    target: str
    path: str | None
    kind: str
    anchor: str
    text: str
    line: int


class Links(Shape):
    links: list[Link]


class Paths(Shape):
    paths: list[str]


class Node(Shape):
    """`kind` is note, file (an attachment), or missing (named by a link, and not there)."""

    id: str
    title: str
    kind: str


class Edge(Shape):
    """`weight` counts the links of one kind between two nodes."""

    source: str
    target: str
    kind: str
    weight: int


class Graph(Shape):
    nodes: list[Node]
    edges: list[Edge]


class Heading(Shape):
    level: int
    text: str
    line: int


class Block(Shape):
    kind: str
    lines: tuple[int, int]
    columns: tuple[int, int]
    heading: list[str]
    id: str
    callout: str


class Turn(Shape):
    speaker: str
    model: str
    time: str
    uid: str
    lines: tuple[int, int]


class Task(Shape):
    status: str
    text: str
    line: int
    dates: dict[str, str]


class Field(Shape):
    key: str
    value: str | int | float | bool | None
    line: int


class OwnLink(Shape):
    """A link of the note. `anchor_lines` is where the anchor leads, in a note that is there; `column` counts from 1."""

    target: str
    path: str | None
    kind: str
    anchor: str
    text: str
    line: int
    column: int
    anchor_lines: tuple[int, int] | None


class Chunk(Shape):
    id: str
    lines: tuple[int, int]
    columns: tuple[int, int]
    heading: list[str]
    block: str
    speaker: str
    language: str
    features: list[str]
    text: str
    embedded: str


class Note(Shape):
    """What is understood of a note, as its file says it now. `indexed` tells whether the index knows this content."""

    path: str
    title: str
    aliases: list[str]
    tags: list[str]
    properties: dict[str, Any]
    date: str
    date_source: str
    problems: list[str]
    indexed: bool
    headings: list[Heading]
    blocks: list[Block]
    links: list[OwnLink]
    turns: list[Turn]
    tasks: list[Task]
    fields: list[Field]
    chunks: list[Chunk]
