"""What a vault holds: changes, notes, links, chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ChangeKind(StrEnum):
    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the disk and the catalogue. `old_path` is set for moves only."""

    path: str
    kind: ChangeKind
    old_path: str | None = None


@dataclass(frozen=True, slots=True)
class FileStat:
    """A file of the vault as it lies on disk.

    `path` is the key (vault-relative, `/`, NFC); `fs_path` the same place as the file system spells it.
    """

    path: str
    fs_path: str
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a note: lines and columns from 1, columns in code points, both ends inclusive.

    A line ends at `\\n`, `\\r\\n` or `\\r` only.
    """

    first_line: int
    first_column: int
    last_line: int
    last_column: int


class LinkKind(StrEnum):
    WIKILINK = "wikilink"
    EMBED = "embed"
    MARKDOWN = "markdown"
    PROPERTY = "property"
    CANVAS = "canvas"
    ALIAS = "alias"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as written. `target` is the path part before the first `#` (empty: the note itself).

    `line` and `column` count from 1; a link in a canvas or in the properties has column 1.
    """

    target: str
    kind: LinkKind
    anchor: str
    text: str
    line: int
    column: int = 1


class BlockKind(StrEnum):
    PARAGRAPH = "paragraph"
    LIST = "list"
    CODE = "code"
    TABLE = "table"
    QUOTE = "quote"
    CALLOUT = "callout"
    HEADING = "heading"
    COMMENT = "comment"
    HTML = "html"
    MATH = "math"
    FOOTNOTE = "footnote"
    TURN = "turn"
    PROPERTIES = "properties"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of source text under one heading path, cut at block boundaries.

    `start` and `end` are code-point offsets into the note's text, `end` exclusive.
    `level` is that of a heading, `callout` the type of a callout in lower case. `context` are words that stand
    elsewhere and are embedded with the block, as the label of a canvas edge.
    """

    kind: BlockKind
    start: int
    end: int
    heading_path: tuple[str, ...]
    block_id: str = ""
    turn: int | None = None
    level: int = 0
    callout: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a chat with an AI. `start` and `end` are code-point offsets, `end` exclusive.

    `body` is where its own words may begin: behind what names the speaker, on that line or at its end.
    """

    speaker: str
    model: str
    time: str
    uid: str
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Task:
    """A list item with a box. `status` is the sign in it, a space for an open task; `line` counts from 1.

    `dates` are pairs of created, start, scheduled, due, done or cancelled with `YYYY-MM-DD`.
    """

    status: str
    text: str
    line: int
    dates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InlineField:
    """A Dataview field in the text, `key:: value`; the value is typed as a property's is. `line` counts from 1."""

    key: str
    value: str | int | float | bool | None
    line: int


@dataclass(frozen=True, slots=True)
class Note:
    """What a file of the vault says, parsed.

    `properties` are the frontmatter's own, typed by YAML 1.2; fields in the text stand apart in `fields`. `about` is
    what those properties tell a reader of the note, on one line.
    """

    path: str
    title: str
    text: str
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    turns: tuple[Turn, ...] = ()
    tasks: tuple[Task, ...] = ()
    fields: tuple[InlineField, ...] = ()
    date: str = ""
    date_source: str = ""
    content_hash: str = ""
    problems: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage-sized part of a note. `text` is exactly the note's text at `span`.

    `embedded` is what the embedder and the keyword index read: heading path and cleaned text, never the file name;
    properties are read with the note's title, whose they are. Without a `text_hash` it is not embedded: such a passage
    stands for a note that has no text of its own and is found by its name, or for what is only a name on a canvas.
    `lead` are lines of the note that its text belongs under: a table's header row, the items above a list's part.
    Of a message of a chat, `speaker` is who wrote it, `said` when, and `model` which model, or the service where the
    import tells no more. `date` and `about` are the note's.
    """

    id: str
    path: str
    heading_path: tuple[str, ...]
    span: Span
    block_id: str
    speaker: str
    text: str
    embedded: str
    language: str
    text_hash: str
    features: tuple[str, ...] = ()
    lead: str = ""
    said: str = ""
    model: str = ""
    date: str = ""
    about: str = ""
