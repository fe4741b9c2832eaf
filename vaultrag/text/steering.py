"""Text that steers whoever shows it: made harmless in one place, for the terminal, for JSON and for the log."""

from __future__ import annotations

import re

# C0 and C1 but tab and newline, what reorders text, and halves of characters: a note or a file's name must neither
# steer the terminal nor disguise a line
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NEWLINE = re.compile(r"\r\n?")
_BREAKS_A_LINE = re.compile("[\n\u2028\u2029]")


def without_steering(text: str) -> str:
    """Return text without anything that a terminal would act upon, its lines and tabs as they are."""
    return STEERING.sub("", text)


def harmless(text: str) -> str:
    """Return text from a note or a model without anything that a terminal would act upon."""
    return STEERING.sub("", _NEWLINE.sub("\n", text)).replace("\t", "    ")


def one_line(text: str) -> str:
    """Return harmless text on one line."""
    return " ".join(harmless(text).split())


def escaped(text: str) -> str:
    """Return text with each such character written out, as JSON does: `\\u202e`. Lines stay as they are."""
    return STEERING.sub(_written, text)


def escaped_line(text: str) -> str:
    """Return text on one line, each such character written out."""
    return _BREAKS_A_LINE.sub(_written, escaped(text))


def _written(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
