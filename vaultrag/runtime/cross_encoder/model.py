"""A network that reads pairs, as the rest of the program sees it: a child process that gives each pair's classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaultrag.child import Child, ChildDied, ChildFailed, Frame
from vaultrag.errors import ModelCrashed, ModelError
from vaultrag.runtime.embedder import OFFLINE

FRAME_SECONDS = 600.0  # loading from a slow disk beside other work takes minutes
PAIRS_PER_CALL = 512  # bounds a frame, and what a crash takes with it
REMEDY = "Check it with `vaultrag models verify`; if it is whole, `vaultrag doctor` looks at the rest."

Classified: TypeAlias = NDArray[np.float32]


class ChildCrossEncoder:
    """Classifies pairs of texts in a child process, which starts with the first pair.

    `path` is a weights file of ours, which stands on the embedder in `base`, or a sentence-transformers folder. After
    a crash the work is tried once more in a new process; a second crash raises ModelCrashed.
    """

    def __init__(
        self, name: str, path: Path, base: Path | None, fingerprint: str, threads: int = 0, spin_count: int = 1000
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._settings = {"path": str(path), "base": str(base or ""), "threads": threads}
        environment = {**OFFLINE, "GOMP_SPINCOUNT": str(spin_count)}
        self._child = Child(f"The process of {name}", "vaultrag.runtime.cross_encoder.worker", environment)
        self._classes: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of a row. Loads the network. Raises ModelError or ModelCrashed."""
        if not self._classes:
            self._classes = tuple(self._call("load", {}).body["classes"])
        return self._classes

    def classify(self, pairs: Sequence[tuple[str, str]]) -> Classified:
        """Return each pair's probabilities, shape (pairs, classes). Raises ModelError or ModelCrashed."""
        width = len(self.classes)
        parts = [np.empty((0, width), np.float32)]
        for start in range(0, len(pairs), PAIRS_PER_CALL):
            part = pairs[start : start + PAIRS_PER_CALL]
            frame = self._call("classify", {"pairs": [list(pair) for pair in part]})
            parts.append(np.frombuffer(frame.payload, "<f4").reshape(len(part), width))
        return np.concatenate(parts)

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def close(self) -> None:
        """End the child process. A later pair starts it anew."""
        self._child.close()

    def _call(self, method: str, body: dict[str, Any]) -> Frame:
        with _translated(self.name):
            try:
                return self._child.call(method, {**self._settings, **body}, FRAME_SECONDS)
            except ChildDied:
                return self._child.call(method, {**self._settings, **body}, FRAME_SECONDS)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except ChildDied as error:
        raise ModelCrashed(f"{error.cause}, twice in a row.", "Free some memory and run the command again.") from error
    except ChildFailed as error:
        raise ModelError(f"The model {name} could not be used ({error.kind}).", REMEDY) from error
