"""How a model's process is lost, and what the user is told of it."""

from __future__ import annotations

from vaultrag import errors
from vaultrag.child import ChildDied, Frame
from vaultrag.errors import ModelCrashed, ModelError, VaultragError


class Lost(Exception):
    """The process died, hung or lost its model. `for_good`: trying again would only cost the same wait."""

    def __init__(self, cause: str, for_good: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.for_good = for_good


def crashed(lost: Lost) -> ModelCrashed:
    return ModelCrashed(
        f"{lost.cause[0].upper()}{lost.cause[1:]}.",
        "Ask again: a new process starts by itself. If this repeats, lower `runtime.context`, name a smaller model, or"
        " look whether the file is whole: `vaultrag models verify`.",
    )


def last_words(died: ChildDied) -> str:
    """Return why native code gave up, when it said so: a failed assertion or an exception's last line."""
    telling = [line.strip() for line in died.stderr.splitlines() if "ASSERT" in line or "Error:" in line]
    return f": {telling[-1]}" if telling else ""


def reported(frame: Frame) -> VaultragError:
    """Rebuild the error that the child reported."""
    kind = getattr(errors, frame.body["failed"], ModelError)
    error: VaultragError = kind(frame.body["message"], frame.body["remedy"])
    return error
