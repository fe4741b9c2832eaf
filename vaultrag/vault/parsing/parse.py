"""A file's text to a `Note`: blocks, links, tags, properties, turns, title and date; whatever the text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vaultrag.domain import Link, LinkKind, Note, Turn
from vaultrag.text.dates import find_date
from vaultrag.text.times.moment_format import PeriodicNotes, day_by_name
from vaultrag.vault.parsing.bases import is_base, parse_base
from vaultrag.vault.parsing.blocks import HeadingLine, Structure, read_structure
from vaultrag.vault.parsing.canvas import is_canvas, parse_canvas
from vaultrag.vault.parsing.chats.dialogues import find_dialogue
from vaultrag.vault.parsing.chats.nexus import find_turns
from vaultrag.vault.parsing.chats.search_marks import clean_text
from vaultrag.vault.parsing.dataview import read_fields, read_tasks
from vaultrag.vault.parsing.frontmatter import Frontmatter, aliases, frontmatter_tags, read_frontmatter, string_values
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.pages import is_pdf, parse_pages
from vaultrag.vault.parsing.plain import plain_heading, plain_text
from vaultrag.vault.parsing.properties import DATE_KEYS, plain_key, property_blocks, told_properties
from vaultrag.vault.parsing.syntax import RawLink, parse_property, scan_inline

TITLE_LENGTH = 80  # characters of a first message that still read as a title
_FOLDER_DATE = re.compile(r"(?:^|/)(\d{4}/\d{1,2}/\d{1,2})\.[^./]+$")  # a daily note such as `2025/03/15.md`
_CONFLICT_MARKS = [re.compile(rf"(?:\A|(?<=[\r\n])){mark}") for mark in ("<{7} ", "={7}[\r\n]", ">{7} ")]


def parse_note(path: str, text: str, periodic: Sequence[PeriodicNotes] = ()) -> Note:
    """Parse a note, a canvas, a base, or the text of a PDF. `path` is the vault-relative key and decides which.

    `periodic` tells how the app names notes after their days.
    """
    digest = content_hash(text)
    if is_canvas(path):
        return parse_canvas(path, text, digest)
    if is_pdf(path):
        return parse_pages(path, text, digest)
    if is_base(path):
        return parse_base(path, text, digest)
    lines = Lines(text)
    front = read_frontmatter(text)
    created = find_date(str(front.properties.get("create_time") or ""))
    imported = [turn for turn in find_turns(text, lines, created) if turn.start >= front.body]
    turns = imported or find_dialogue(text, lines, front.body, front.properties, created)
    structure = read_structure(text, lines, front.body, turns)
    links, tags = read_inline(text, structure)

    def line_of(offset: int) -> int:
        return lines.line_at(offset) + 1

    date, date_source = _date(path, front.properties, structure.headings, turns, periodic)
    return Note(
        path=path,
        title=_title(path, text, structure, imported),
        text=text,
        aliases=tuple(dict.fromkeys(aliases(front.properties))),
        tags=unique_tags([*frontmatter_tags(front.properties), *tags]),
        properties=front.properties,
        blocks=(*property_blocks(text, front), *structure.blocks),
        links=(*_property_links(text, front, lines), *(as_link(link, lines) for link in links)),
        turns=tuple(turns),
        tasks=tuple(read_tasks(text, structure.items, line_of)),
        fields=tuple(read_fields(text, structure.inline, structure.items, line_of)),
        date=date,
        date_source=date_source,
        content_hash=digest,
        problems=(*front.problems, *_text_problems(text)),
        about=told_properties(front),
    )


def content_hash(text: str) -> str:
    """Return the hash that tells whether a note says what it said before."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_inline(text: str, structure: Structure) -> tuple[list[RawLink], list[str]]:
    """Read the links and tags of the body in their order, duplicates kept."""
    links: list[RawLink] = []
    tags: list[str] = []
    for start, end in structure.inline:
        found_links, found_tags = scan_inline(text, start, end)
        links.extend(found_links)
        tags.extend(tag.tag for tag in found_tags)
    return links, tags


def as_link(link: RawLink, lines: Lines) -> Link:
    line = lines.line_at(link.start)
    return Link(link.target, link.kind, link.anchor, link.text, line + 1, link.start - lines.starts[line] + 1)


def unique_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Drop repeated tags, comparing without case; the first spelling stays."""
    first: dict[str, str] = {}
    for tag in tags:
        first.setdefault(tag.lower(), tag)
    return tuple(first.values())


def stem(path: str) -> str:
    """Return the note's name: the file name without its last extension."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _property_links(text: str, front: Frontmatter, lines: Lines) -> list[Link]:
    links: list[Link] = []
    at = 0
    for _, value in string_values(front.properties):
        link = parse_property(value)
        if not link:
            continue
        found = text.find(value.strip(), at, front.body)
        at = found if found >= 0 else at
        line = lines.line_at(max(found, 0)) + 1
        links.append(Link(link.target, LinkKind.PROPERTY, link.anchor, link.text, line))
    return links


def _title(path: str, text: str, structure: Structure, turns: Sequence[Turn]) -> str:
    """Return a note's name; of an imported chat its title, which the importer's file names leave letters out of."""
    if not turns:
        return stem(path)
    own = [heading for heading in structure.headings if heading.turn is None and heading.level == 1]
    for heading in own:
        if heading.text.startswith("Title:"):
            return heading.text.removeprefix("Title:").strip() or stem(path)
    for heading in own:
        title = plain_heading(heading.text)
        if title:
            return title
    return _first_message(text, structure, turns) or stem(path)


def _first_message(text: str, structure: Structure, turns: Sequence[Turn]) -> str:
    first = next((index for index, turn in enumerate(turns) if turn.speaker == "user"), None)
    for block in structure.blocks:
        if first is None or block.turn != first or block.start == turns[first].start:
            continue
        words = clean_text(plain_text(text[block.start : block.end], block.kind)).split()
        if words:
            return _shortened(words)
    return ""


def _shortened(words: Sequence[str]) -> str:
    title = " ".join(words)
    if len(title) <= TITLE_LENGTH:
        return title
    cut = title[:TITLE_LENGTH]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _date(
    path: str,
    properties: Mapping[str, Any],
    headings: Sequence[HeadingLine],
    turns: Sequence[Turn],
    periodic: Sequence[PeriodicNotes],
) -> tuple[str, str]:
    """Return the note's date and where it is from; a file's mtime is not asked, it lies after a sync."""
    spelled = {plain_key(key): value for key, value in properties.items()}
    for key in DATE_KEYS:
        date = find_date(str(spelled.get(key) or ""))
        if date:
            return date, "property"
    folders = _FOLDER_DATE.search(path)
    date = day_by_name(path, periodic) or find_date(stem(path)) or (find_date(folders.group(1)) if folders else "")
    if date:
        return date, "name"
    date = find_date(headings[0].text) if headings and headings[0].turn is None else ""
    if date:
        return date, "heading"
    date = find_date(turns[0].time) if turns else ""
    return (date, "turn") if date else ("", "")


def _text_problems(text: str) -> list[str]:
    at = 0
    if "<<<<<<<" not in text:
        return []
    for mark in _CONFLICT_MARKS:
        match = mark.search(text, at)
        if not match:
            break
        at = match.end()
    else:
        return ["The note holds git conflict markers."]
    return []
