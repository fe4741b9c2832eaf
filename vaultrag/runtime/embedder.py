"""The embedder as the rest of the program sees it: a child process behind domain.Embedder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vaultrag.child import Child, ChildDied, ChildFailed, Frame
from vaultrag.domain import Vectors
from vaultrag.errors import ModelCrashed, ModelError, ModelNotFound

FRAME_SECONDS = 600.0  # loading from a slow disk beside other work takes minutes, and so may one batch of a large model
FIRST_CALL = 8  # passages; the number follows the time that a call takes
MOST_PER_CALL = 512  # bounds a frame
QUESTIONS_KEPT = 16  # vectors: a question is searched for, then compared with lines, and asked again by longer ways
CALL_SECONDS = (0.15, 0.6)  # a question waits for the call at hand; shorter ones leave a GPU idle between them
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",  # its threads would fight with torch's
}


class ChildEmbedder:
    """Embeds texts in a child process, which starts with the first text or by `start`.

    After a crash the work is tried once more in a new process; a second crash raises ModelCrashed.
    """

    def __init__(self, folder: Path, fingerprint: str, threads: int = 0, spin_count: int = 1000) -> None:
        self.folder = folder
        self._fingerprint = fingerprint
        self._threads = threads
        environment = {**OFFLINE, "GOMP_SPINCOUNT": str(spin_count)}
        self._child = Child("The embedding model's process", "vaultrag.runtime.embed_worker", environment)
        self._closings = 0
        self._per_call = FIRST_CALL
        self._asked = 0
        self._questions: dict[str, Vectors] = {}  # the one embedded last at the end
        self._turn = threading.Condition()

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @cached_property
    def dimension(self) -> int:
        """Length of a vector, read from the folder's configuration without loading the model."""
        return read_dimension(self.folder)

    def start(self) -> None:
        """Begin to load the model in the background. What goes wrong is told by the first text."""
        threading.Thread(target=self._load, name="load-embedder", daemon=True).start()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, in calls between which questions go first. Raises ModelError or ModelCrashed."""
        parts: list[Vectors] = []
        start = 0
        while start < len(texts):
            with self._turn:
                self._turn.wait_for(lambda: not self._asked)
            part, began = texts[start : start + self._per_call], time.monotonic()
            parts.append(self._embed("passage", part))
            start += len(part)
            self._adapt(len(part), time.monotonic() - began)
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    def embed_query(self, text: str) -> Vectors:
        """Return the one vector of a question, shape (dimension,), read-only. Raises ModelError or ModelCrashed."""
        with self._turn:
            if (known := self._questions.get(text)) is not None:
                return known
            self._asked += 1
        try:
            query: Vectors = self._embed("query", [text])[0]
        finally:
            with self._turn:
                self._asked -= 1
                self._turn.notify_all()
        with self._turn:
            self._questions[text] = query
            while len(self._questions) > QUESTIONS_KEPT:
                del self._questions[next(iter(self._questions))]
        return query

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    @property
    def busy(self) -> bool:
        """Whether it embeds right now."""
        return self._child.busy

    def close(self) -> None:
        """End the child process, and with ModelCrashed what it works on; forget questions. A later text starts anew."""
        self._closings += 1
        self._questions.clear()
        self._child.close()

    def _load(self) -> None:
        try:
            self._child.call("load", self._settings(), FRAME_SECONDS)
        except (ChildDied, ChildFailed, OSError):
            return  # the first text meets the same fault and reports it

    def _embed(self, kind: str, texts: Sequence[str]) -> Vectors:
        body = {**self._settings(), "kind": kind, "texts": list(texts)}
        frame = self._call(body)
        vectors = np.frombuffer(frame.payload, "<f4").reshape(frame.body["rows"], frame.body["dimension"])
        if vectors.shape != (len(texts), self.dimension):
            raise ModelError(
                f"The embedding model in {self.folder} gave vectors of another length than its configuration says.",
                "Check the folder with `vaultrag models verify`, or pull the model again.",
            )
        return vectors.astype(np.float32, copy=False)

    def _adapt(self, texts: int, seconds: float) -> None:
        shortest, longest = CALL_SECONDS
        if seconds < shortest and texts == self._per_call:
            self._per_call = min(self._per_call * 2, MOST_PER_CALL)
        elif seconds > longest:
            self._per_call = max(self._per_call // 2, 1)

    def _call(self, body: dict[str, Any]) -> Frame:
        closings = self._closings
        try:
            try:
                return self._child.call("embed", body, FRAME_SECONDS)
            except ChildDied:
                if closings != self._closings:
                    raise
                return self._child.call("embed", body, FRAME_SECONDS)
        except ChildDied as error:
            raise ModelCrashed(
                f"{error.cause}, twice in a row.",
                "Free some memory and run the command again; `vaultrag doctor` checks the model.",
            ) from error
        except ChildFailed as error:
            raise ModelError(
                f"The embedding model in {self.folder} failed ({error.kind}).",
                "Check it with `vaultrag models verify`; if it is whole, `vaultrag doctor` looks at the rest.",
            ) from error

    def _settings(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "threads": self._threads}


def read_dimension(folder: Path) -> int:
    """Return the length of the vectors that a sentence-transformers folder gives.

    The last module that states one decides: a dense layer, else the pooling, else the transformer.
    """
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        for module in reversed(modules):
            config = folder / module["path"] / "config.json"
            settings = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
            for key in ("out_features", "embedding_dimension", "word_embedding_dimension", "hidden_size"):
                if key in settings:
                    return int(settings[key])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(folder) from error
    raise _unreadable(folder)


def _unreadable(folder: Path) -> ModelNotFound:
    return ModelNotFound(
        f"The embedding model in {folder} has no readable configuration.",
        "Delete the folder and pull the model again, or name another in the settings (roles.embed).",
    )
