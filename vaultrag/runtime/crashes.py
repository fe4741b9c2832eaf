"""How a model's process is lost, and what the user is told of it."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from vaultrag import errors
from vaultrag.child import ChildDied, Frame
from vaultrag.errors import ModelCrashed, ModelError, VaultragError

GIGABYTE = 1_000_000_000
FAULTS = frozenset(
    int(getattr(signal, name)) for name in ("SIGSEGV", "SIGILL", "SIGBUS", "SIGFPE", "SIGABRT") if hasattr(signal, name)
)
"""The signals by which native code ends itself: nobody outside sends them."""
KILLED = int(getattr(signal, "SIGKILL", 9))
UNREADABLE = int(getattr(signal, "SIGBUS", 7))  # a mapped file that got shorter, or a drive that fails
UNKNOWN_INSTRUCTION = int(getattr(signal, "SIGILL", 4))
ABORTED = int(getattr(signal, "SIGABRT", 6))
NO_MEMORY = ("bad_alloc", "failed to allocate", "out of memory", "cannot allocate memory")
LAST_WORDS = ("ASSERT", "Error:")
REBUILD = "scripts/quickstart --rebuild"
REPEATED = "Ask again: a new process starts by itself."


class Lost(Exception):
    """The process died, hung or lost its model. `for_good`: trying again would only cost the same wait.

    `signal` is what ended it; 0 where none did, or nobody knows.
    """

    def __init__(self, cause: str, for_good: bool = False, signal: int = 0) -> None:
        super().__init__(cause)
        self.cause = cause
        self.for_good = for_good
        self.signal = signal


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a model whose process was lost; sizes in bytes, 0 where nobody knows.

    `first`: it had evaluated nothing before. `plain`: it ran without ggml's extra buffers. `whole`: its file is as it
    was when its SHA-256 was compared.
    """

    first: bool
    plain: bool
    whole: bool
    size: int
    free: int


def crashed(lost: Lost, known: Circumstances | None = None) -> ModelCrashed:
    """Say what happened, why by what is known, and what helps."""
    cause = f"{lost.cause[0].upper()}{lost.cause[1:]}"
    likely, remedy = _likely(lost, known) if known else ("", REPEATED)
    return ModelCrashed(f"{cause}{likely}.", remedy)


def _likely(lost: Lost, known: Circumstances) -> tuple[str, str]:
    """Return the likely cause as the end of a sentence, and its remedy."""
    if lost.signal == KILLED:
        return _killed(known)
    if lacked_memory(lost):
        return (
            ": it was given no more memory",
            "Close other programs, lower `runtime.context`, or name a smaller model: roles.answer.",
        )
    if lost.signal == UNREADABLE and known.first:
        return (
            ": its file could not be read to the end",
            "Look whether the file is whole: `vaultrag models verify`; if it is, the drive may be failing, or the build"
            f" of llama.cpp does not suit this machine: {REBUILD}",
        )
    if lost.signal in FAULTS and not known.first:
        return (
            ", although it had worked before",
            f"{REPEATED} If the same question ends it again, name another model, or build llama.cpp anew: {REBUILD}",
        )
    if lost.signal in FAULTS:
        return _never_worked(lost, known)
    if lost.for_good:
        return (
            "",
            "Ask again when less runs beside it, or raise `runtime.answer_timeout_seconds`; a model that never answers"
            " may have a spoilt file: `vaultrag models verify`.",
        )
    return "", f"{REPEATED} If this repeats, look what else there is to know: vaultrag doctor"


def _killed(known: Circumstances) -> tuple[str, str]:
    if known.free and known.free < known.size:
        return (
            f": the system ended it, most likely for want of memory ({_gb(known.free)} are free, the model takes"
            f" {_gb(known.size)})",
            "Close other programs, lower `runtime.context`, or name a smaller model: roles.answer.",
        )
    return (
        f": something outside ended it, though {_gb(known.free)} of memory are free" if known.free else "",
        f"{REPEATED} If this repeats, look for a limit on memory that a container or a service sets.",
    )


def _never_worked(lost: Lost, known: Circumstances) -> tuple[str, str]:
    """Blame the build where the file is known to be right, else the file first."""
    if not known.whole:
        return (
            " in its first evaluation; its file may be spoilt: it was never compared with a checksum, or has changed"
            " since",
            f"Look whether the file is whole: `vaultrag models verify`. If it is, build llama.cpp anew: {REBUILD}",
        )
    what = "uses instructions that this CPU lacks" if lost.signal == UNKNOWN_INSTRUCTION else "does not work here"
    tried = ", with and without ggml's extra buffers" if known.plain else ""
    return (
        f" in its first evaluation{tried}: the file is right, so this build of llama.cpp {what}",
        f"Build it anew, which proves itself: {REBUILD}",
    )


def lacked_memory(lost: Lost) -> bool:
    """Whether native code gave up because it was given no memory: nothing is known against the build then."""
    return lost.signal == ABORTED and _names_memory(lost.cause)


def _names_memory(line: str) -> bool:
    return any(word in line.lower() for word in NO_MEMORY)


def last_words(died: ChildDied) -> str:
    """Return why native code gave up, when it said so: a failed assertion or an exception's last line."""
    telling = [
        line.strip()
        for line in died.stderr.splitlines()
        if any(sign in line for sign in LAST_WORDS) or _names_memory(line)
    ]
    return f": {telling[-1]}" if telling else ""


def reported(frame: Frame) -> VaultragError:
    """Rebuild the error that the child reported."""
    kind = getattr(errors, frame.body["failed"], ModelError)
    error: VaultragError = kind(frame.body["message"], frame.body["remedy"])
    return error


def _gb(size: int) -> str:
    return f"{size / GIGABYTE:.1f} GB"
