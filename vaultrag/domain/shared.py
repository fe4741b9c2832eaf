"""Types that nouns of every part use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Vectors: TypeAlias = "NDArray[np.float32]"
"""Embeddings, shape (n, dimension), rows of unit length."""


CountTokens: TypeAlias = Callable[[str], int]
"""Number of embedder tokens in a text, special tokens not counted."""


Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a phase's name, how much is done, and how much there is."""


def unwatched(_phase: str, _done: int, _total: int) -> None:
    """A `Progress` that nobody watches."""


def encodable(text: str) -> str:
    """Return text as UTF-8 can hold it: half a surrogate pair, as broken JSON and clipboards give, becomes `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def counted(count: int, noun: str) -> str:
    """Return a number and its regular English noun: `1 note`, `1,200 notes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
