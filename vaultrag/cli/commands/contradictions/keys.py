"""One key of a person at a terminal, whatever layout the keyboard has."""

from __future__ import annotations

import typer

_CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбю"
_LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
_SAME_KEY = str.maketrans(_CYRILLIC, _LATIN)
_NAMED = {"\r": "enter", "\n": "enter", " ": "space", "\x1b": "escape"}


def pressed_key() -> str:
    """Wait for a key; return what a Latin keyboard has there, in lower case. Raises KeyboardInterrupt and EOFError.

    Keys that are no letter, digit or sign have names, or give an empty text. What was typed ahead is dropped: nobody
    has seen yet what it would decide.
    """
    return key_of(typer.getchar())


def key_of(typed: str) -> str:
    """Return the key behind what a terminal sent for it."""
    if len(typed) > 1:
        return ""  # an arrow, or keys typed ahead
    return _NAMED.get(typed) or typed.lower().translate(_SAME_KEY)
