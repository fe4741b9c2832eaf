"""Which tokens would let a Chinese, Japanese or Korean character out, given the bytes that wait for their character.

Forbidding whole tokens is not enough: byte-level vocabularies put characters together from pieces of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaultrag.text.cjk import ANY

Tokens: TypeAlias = NDArray[np.int32]
FIRST_BITS = {2: 0x1F, 3: 0x0F, 4: 0x07}  # of a lead byte, by the length of its character


class ScriptMask:
    """The forbidden tokens of one vocabulary for each state of the text. Pieces by token id; made once for a model."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._forbidden: dict[bytes, Tokens] = {}
        leading = [token for token, piece in enumerate(pieces) if piece and _continues(piece[0])]
        others = [token for token, piece in enumerate(pieces) if piece and not _continues(piece[0])]
        self._continuing = leading
        self._others = np.array([token for token in others if _lets_out(pieces[token])], np.int32)

    def forbidden(self, pending: bytes) -> tuple[Tokens, Tokens]:
        """Return the ids that may not follow a text that ends with these bytes of an unfinished character.

        The first part, nearly all of them, is the same after any bytes.
        """
        if pending not in self._forbidden:
            ended = [token for token in self._continuing if _lets_out(pending + self._pieces[token])]
            self._forbidden[pending] = np.array(ended, np.int32)
        return self._others, self._forbidden[pending]

    def piece(self, token: int) -> bytes:
        return self._pieces[token]


class Mask:
    """Follows one text and says what may not come next."""

    def __init__(self, script_mask: ScriptMask) -> None:
        self._script_mask = script_mask
        self._pending = b""

    def forbidden(self) -> tuple[Tokens, Tokens]:
        """Return the ids that may not come next, in two parts."""
        return self._script_mask.forbidden(self._pending)

    def take(self, token: int) -> None:
        self._pending = _unfinished(self._pending + self._script_mask.piece(token))


def _lets_out(data: bytes) -> bool:
    """Whether a decoder finds a forbidden character in these bytes, or could find nothing else at their end."""
    if ANY.search(data.decode("utf-8", "replace")):
        return True
    pending = _unfinished(data)
    return bool(pending) and _only_cjk(pending)


def _unfinished(data: bytes) -> bytes:
    """Return the bytes at the end that begin a character and do not finish it."""
    for length in range(1, min(3, len(data)) + 1):
        byte = data[-length]
        if not _continues(byte):
            return data[-length:] if _width(byte) > length else b""
    return b""


def _only_cjk(pending: bytes) -> bool:
    """Whether every character that can still come of these bytes is forbidden."""
    width = _width(pending[0])
    missing = 6 * (width - len(pending))
    value = pending[0] & FIRST_BITS[width]
    for byte in pending[1:]:
        value = value << 6 | byte & 0x3F
    possible = range(value << missing, min((value + 1) << missing, sys.maxunicode + 1))
    return bool(possible) and all(ANY.match(chr(code)) for code in possible)


def _continues(byte: int) -> bool:
    return byte & 0xC0 == 0x80


def _width(lead: int) -> int:
    """Return how many bytes a character with this first byte has; 1 for what begins none."""
    return 2 if 0xC2 <= lead <= 0xDF else 3 if 0xE0 <= lead <= 0xEF else 4 if 0xF0 <= lead <= 0xF4 else 1
