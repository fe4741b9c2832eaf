"""Two embedders' names, and a stop that comes after so many questions."""

from __future__ import annotations

from dataclasses import dataclass

NEW, OLD = "new-32", "old-64"


@dataclass
class Countdown:
    """Says stop once it was asked so often."""

    left: int

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0
