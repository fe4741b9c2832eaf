"""Data of programs, as it lies among what people write."""

from __future__ import annotations

import base64
import random


def noise(size: int, seed: int = 1) -> str:
    """Return the base64 of random bytes, `size` characters long."""
    return base64.b64encode(random.Random(seed).randbytes(size))[:size].decode()


def wrapped(size: int, width: int, seed: int = 1) -> str:
    text = noise(size, seed)
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))
