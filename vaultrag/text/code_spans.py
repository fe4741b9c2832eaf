"""Code spans, told from the text around them: between two runs of as many backticks, a fence among them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

_RUN = re.compile(r"`+")


class CodeSpans:
    """Where each code span of a text ends."""

    def __init__(self, text: str) -> None:
        self._runs: dict[int, list[int]] = {}
        for run in _RUN.finditer(text):
            self._runs.setdefault(len(run.group()), []).append(run.start())

    def end(self, start: int, length: int) -> int | None:
        """Return the end of the span that a run of backticks opens; None where nothing closes it."""
        runs = self._runs.get(length, [])
        closing = bisect_right(runs, start)
        return runs[closing] + length if closing < len(runs) else None


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the text in order, in pieces that are code with its backticks, or are none."""
    if "`" not in text:
        yield text, False
        return
    spans = CodeSpans(text)
    at = look = 0
    while run := _RUN.search(text, look):
        end = spans.end(run.start(), len(run.group()))
        look = run.end() if end is None else end
        if end is not None:
            yield text[at : run.start()], False
            yield text[run.start() : end], True
            at = end
    yield text[at:], False


def outside_code(change: Callable[[str], str], text: str) -> str:
    """Return the text with all changed that is no code."""
    return "".join(part if is_code else change(part) for part, is_code in parts(text))
