"""Lines and columns of a text, as editors count them: a line ends at `\\n`, `\\r\\n` or `\\r`, and nowhere else."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from vaultrag.domain import Span

NEWLINE = re.compile(r"\r\n|\r|\n")


class Lines:
    """Where each line of a text starts and ends. Lines count from 0 here, from 1 in a `Span`."""

    __slots__ = ("ends", "starts")

    def __init__(self, text: str) -> None:
        if "\r" in text:
            breaks = list(NEWLINE.finditer(text))
            self.starts = [0, *(match.end() for match in breaks)]
            self.ends = [*(match.start() for match in breaks), len(text)]
        else:
            self.starts = list(accumulate([len(line) + 1 for line in text.split("\n")], initial=0))
            self.ends = [start - 1 for start in self.starts[1:]]
            self.starts.pop()

    def __len__(self) -> int:
        return len(self.starts)

    def line_at(self, offset: int) -> int:
        """Return the line that holds the character at a code-point offset."""
        return bisect_right(self.starts, offset) - 1

    def span(self, start: int, end: int) -> Span:
        """Return the span of a non-empty stretch; `end` is exclusive, the span's ends are inclusive."""
        first, last = self.line_at(start), self.line_at(end - 1)
        return Span(first + 1, start - self.starts[first] + 1, last + 1, end - self.starts[last])

    def offsets(self, span: Span) -> tuple[int, int]:
        """Return the stretch that a span names, `end` exclusive."""
        start = self.starts[span.first_line - 1] + span.first_column - 1
        return start, self.starts[span.last_line - 1] + span.last_column
