"""Properties as a reader looks for them: which say something of the note, and the lines that they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vaultrag.domain import Block, BlockKind
from vaultrag.vault.parsing.chats.models import MODEL_KEYS, service_of
from vaultrag.vault.parsing.chats.speakers import named_model
from vaultrag.vault.parsing.frontmatter import Frontmatter, frontmatter_tags
from vaultrag.vault.parsing.lines import NEWLINE
from vaultrag.vault.parsing.plain import plain_heading

DATE_KEYS = (  # the day that a note is about, then the day it was made; as `plain_key` spells them
    *("date", "дата", "day", "дата заметки"),
    *("created", "создано", "создана", "создан", "creation date", "date created", "дата создания", "created at"),
    *("created on", "created date", "create date", "create time", "creation time", "время создания", "ctime"),
)
# What programs write for programs, and what is found without a passage: names, tags and the note's own date. The app
# reads neither `alias` nor `tag` any more, so they are words.
_MACHINE_KEYS = frozenset(
    """
    aliases tags cssclass cssclasses publish permalink slug id uid uuid guid position icon banner sticker
    layout template draft nexus provider lang modified updated mtime
    """.split()
) | {
    *("plugin version", "conversation id", "artifact id", "version uuid", "version number", "kanban plugin"),
    *("update time", "updated at", "date modified", "date updated", "modification date", "last modified", "изменено"),
    *("дата изменения", "обновлено", "linter yaml title alias", "obsidian ui mode", "obsidian editing mode"),
}
ABOUT_LENGTH = 120  # characters of the properties that are told with each passage: about 40 tokens
_VALUE_LENGTH = 60  # characters of one value that still name something
_MACHINE_PREFIXES = ("excalidraw", "banner ", "cssclass", "obsidian ")
_KEY_MARKS = re.compile(r"[\s_-]+|(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")
_OPAQUE = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[A-Za-z0-9+/=_-]{48,}")


def plain_key(key: str) -> str:
    """Spell a property's name in one way: `date-created`, `Date Created` and `dateCreated` as `date created`."""
    return _KEY_MARKS.sub(" ", key.strip()).lower()


def property_blocks(text: str, front: Frontmatter) -> list[Block]:
    """Return the lines of the properties that say something, a block each; none where all is machinery.

    A block that cannot be read is text all the same.
    """
    places = [place for place in front.places if not place.keys or any(_is_said(front, key) for key in place.keys)]
    if not any(not place.keys or any(_tells(front, key) for key in place.keys) for place in places):
        return []
    said = (place for place in places if _has_words(text[place.start : place.end]))
    return [Block(BlockKind.PROPERTIES, place.start, place.end, ()) for place in said]


def told_properties(front: Frontmatter) -> str:
    """Return what the properties tell of the note, on one line, as far as it is short: `status: rejected; year: 2019`.

    Ticks and the note's date are not among them: it is told as such.
    """
    told: list[str] = []
    for key, value in front.properties.items():
        if plain_key(key) in DATE_KEYS or not _is_said(front, key):
            continue
        leaves = [leaf for leaf in _leaves(value) if not isinstance(leaf, bool)]
        words = ", ".join(" ".join(plain_heading(str(leaf)).split()) for leaf in leaves[:ABOUT_LENGTH])
        if words and len(words) <= _VALUE_LENGTH:
            told.append(f"{key}: {words}")
        if sum(map(len, told)) > ABOUT_LENGTH:
            return "; ".join(told[:-1])
    return "; ".join(told)


def _is_said(front: Frontmatter, key: str) -> bool:
    plain = plain_key(key)
    is_machinery = plain in _MACHINE_KEYS or plain.startswith(_MACHINE_PREFIXES)
    if plain == "tags" and isinstance(front.properties.get(key), str) and not frontmatter_tags(front.properties):
        is_machinery = False  # `tags: дом, сад` names none in the app: its words are found as words
    is_machinery = is_machinery or ("nexus" in front.properties and plain in ("mode", "models"))
    is_machinery = is_machinery or _is_of_chat(front, key)
    return not is_machinery and any(_leaves(front.properties.get(key)))


def _is_of_chat(front: Frontmatter, key: str) -> bool:
    """Tell whether a property only says which model wrote a chat: each of its messages is told with that."""
    names_model = key.lower() in MODEL_KEYS and any(named_model(str(one)) for one in _leaves(front.properties[key]))
    return names_model and bool(service_of(front.properties))


def _tells(front: Frontmatter, key: str) -> bool:
    """Tell whether a property is a reason for a passage: the note's date is read as such, and a tick says little."""
    held = list(_leaves(front.properties.get(key)))
    return _is_said(front, key) and plain_key(key) not in DATE_KEYS and any(not isinstance(one, bool) for one in held)


def _leaves(value: object) -> Iterator[Any]:
    """Yield what a reader could look for in a value."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not (isinstance(value, str) and (not value.strip() or _OPAQUE.fullmatch(value.strip()))):
        yield value


def _has_words(lines: str) -> bool:
    """Tell whether lines are more than comments."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in NEWLINE.split(lines))
