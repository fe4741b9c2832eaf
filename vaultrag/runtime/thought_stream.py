"""Parts a model's text into thought and answer, where both come as one stream."""

from __future__ import annotations

from vaultrag.domain import Thought

OPEN, CLOSE = "<think>", "</think>"


class ThoughtStream:
    """Feed it text; it gives thought and answer apart. A thought stands at the beginning or nowhere.

    `thinking` says that the prompt has opened the thought already. The marks themselves are never given, nor the
    white space after them.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._held = ""
        self._state = "thought" if thinking else "start"

    def feed(self, text: str) -> list[str | Thought]:
        """Add text and return what it settles."""
        self._held += text
        settled: list[str | Thought] = []
        while (piece := self._next()) is not None:
            if piece != "":
                settled.append(piece)
        return settled

    def finish(self) -> list[str | Thought]:
        """Return what was held back because it could still have become a mark."""
        rest, self._held = self._held, ""
        if not rest:
            return []
        return [Thought(rest) if self._state == "thought" else rest]

    def _next(self) -> str | Thought | None:
        """Return the next settled piece, an empty one where only the state changed, None when more text is needed."""
        if self._state == "start":
            return self._begin()
        if self._state == "thought":
            return self._think()
        if self._state == "gap":
            self._held = self._held.lstrip()
            self._state = "answer" if self._held else "gap"
            return "" if self._held else None
        return self._release(len(self._held)) or None

    def _begin(self) -> str | None:
        lead = self._held.lstrip()
        if lead.startswith(OPEN):
            self._held, self._state = lead[len(OPEN) :].lstrip("\n"), "thought"
        elif OPEN.startswith(lead):
            return None
        else:
            self._state = "answer"
        return ""

    def _think(self) -> str | Thought | None:
        at = self._held.find(CLOSE)
        if at < 0:
            text = self._release(len(self._held) - _overlap(self._held, CLOSE))
            return Thought(text) if text else None
        text = self._release(at)
        self._held, self._state = self._held[len(CLOSE) :], "gap"
        return Thought(text) if text else ""

    def _release(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text


def _overlap(text: str, mark: str) -> int:
    """Return the length of the longest end of the text that begins the mark."""
    return next(
        (length for length in range(min(len(mark) - 1, len(text)), 0, -1) if mark.startswith(text[-length:])), 0
    )
