"""What a request has said so far, so that a process which begins it anew is not heard twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vaultrag.runtime.crashes import Lost, crashed

SPOKEN = ("text", "thought")


@dataclass(slots=True)
class Said:
    """Text, thought and the number of scores that a request has given; after `rewind` they are expected once more."""

    name: str
    text: str = ""
    thought: str = ""
    scores: int = 0
    _again: tuple[str, str, int] = ("", "", 0)

    def rewind(self) -> None:
        self._again = (self.text, self.thought, self.scores)

    def fresh(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Return what of a frame was not said before. Raises ModelCrashed where something else is said."""
        text, thought, scores = self._again
        if "logprobs" in frame and scores:
            self._again = (text, thought, scores - 1)
            return {}
        if "generation" in frame and (text or thought):
            raise self._differs()
        new = {**frame, "text": self._beyond(frame["text"], text)} if "text" in frame else frame
        new = {**new, "thought": self._beyond(frame["thought"], thought)} if "thought" in frame else new
        self._again = (text[len(frame.get("text", "")) :], thought[len(frame.get("thought", "")) :], scores)
        self.text += new.get("text", "")
        self.thought += new.get("thought", "")
        self.scores += "logprobs" in frame
        return {} if any(frame.get(key) and not new[key] for key in SPOKEN) else new

    def _beyond(self, said: str, expected: str) -> str:
        length = min(len(said), len(expected))
        if said[:length] != expected[:length]:
            raise self._differs()
        return said[length:]

    def _differs(self) -> Exception:
        return crashed(Lost(f"the model {self.name} made room for another, and says something else now"))
