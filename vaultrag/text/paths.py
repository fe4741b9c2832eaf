"""Paths of the vault as links name them, lower-case as Obsidian compares them; and names that every system takes."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 80  # characters, as far as people read a title
MOST_BYTES = 200  # of a name: file systems take 255, and its ending and a number are added
_SLASHES = re.compile(r"/{2,}")
_UNFIT = re.compile(r"[\\/:*?\"<>|]")  # Windows refuses them, and so does the app
_NO_TARGET = re.compile(r"[#^\[\]]")  # what a wikilink cannot name
# Devices of Windows, whatever ending their name has.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE)


def normalize_path(path: str) -> str:
    """Return a path as Obsidian keys it: `/` once, no outer slash, plain spaces, NFC."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path.replace("\u00a0", " ").replace("\u202f", " "))
    return _SLASHES.sub("/", path.replace("\\", "/")).strip("/")


def file_name(path: str) -> str:
    """Return the last segment of a path, lower-case: what a link names a file by."""
    return lower(path).rpartition("/")[2]


def lower(text: str) -> str:
    """Lower-case each character by itself: `str.lower` turns a Greek final sigma by its place in the word."""
    return text.lower() if "Σ" not in text else "".join(char.lower() for char in text)


def portable_name(title: str) -> str:
    """Return a title as a file may be called on every system and in a wikilink; empty where nothing of it may stand."""
    plain = "".join(c if c.isprintable() and not _UNFIT.match(c) and not _NO_TARGET.match(c) else " " for c in title)
    name = " ".join(unicodedata.normalize("NFC", plain).split())[:LONGEST_NAME]
    while len(unicodedata.normalize("NFD", name).encode()) > MOST_BYTES:
        name = name[:-1]
    name = name.strip(" .")
    return f"_{name}" if _DEVICE.fullmatch(name) else name


def is_portable(name: str) -> bool:
    """Tell whether every system takes a folder of this name."""
    return name.isprintable() and not (_UNFIT.search(name) or _DEVICE.fullmatch(name) or name.endswith((" ", ".")))
