"""Paths of the vault as links name them: normalised, and lower-case as Obsidian compares them."""

from __future__ import annotations

import re
import unicodedata

_SLASHES = re.compile(r"/{2,}")


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
