"""The embedder's child process: loads a sentence-transformers folder and turns texts into unit vectors.

Texts of like length go into one batch, so that little is padding. Where the processor multiplies bfloat16 in
hardware, passages use it: on two EPYC cores 20 passages a second instead of 8, at cosine 0.99998 to float32. A query,
one short text, gains nothing by it and stays float32.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaultrag.child import Frame, serve

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

PROMPT_NAMES = {"query": ("query",), "passage": ("passage", "document", "corpus")}  # the first that says something
BATCH_TOKENS = 4096  # padded; the fastest of 512 to 16384 on two cores
BATCH_TEXTS = 64
CHARACTERS_PER_TOKEN = 3  # where the model has no tokenizer of its own: only batches are cut by it


@dataclass(slots=True)
class Encoder:
    """Holds one loaded model. Handlers of `vaultrag.child.serve`."""

    folder: str = ""
    model: SentenceTransformer | None = None

    def load(self, request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
        """Load the model and name its device."""
        yield Frame({"device": str(self._loaded(request).device)})

    def embed(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Embed `texts` as `kind` (`query`, `passage`): float32 rows of unit length in the order of the texts.

        An empty frame after each batch tells the parent that the work goes on.
        """
        model = self._loaded(request)
        texts, kind = request.body["texts"], request.body["kind"]
        prompt = next((model.prompts[name] for name in PROMPT_NAMES[kind] if model.prompts.get(name)), None)
        rows: NDArray[np.float32] | None = None
        with _precision(kind, model):
            for batch in _batches([_length(model, text) for text in texts]):
                if cancelled.is_set():
                    return
                vectors = _encode(model, [texts[index] for index in batch], prompt)
                if rows is None:
                    rows = np.empty((len(texts), vectors.shape[1]), np.float32)
                rows[batch] = vectors
                yield Frame({})
        if rows is None or not np.isfinite(rows).all():
            raise FloatingPointError("the model gave vectors that are not numbers")
        yield Frame({"rows": rows.shape[0], "dimension": rows.shape[1]}, rows.astype("<f4", copy=False).tobytes())

    def _loaded(self, request: Frame) -> SentenceTransformer:
        if self.model is None or self.folder != request.body["folder"]:
            self.folder = request.body["folder"]
            self.model = _load(self.folder, request.body["threads"])
        return self.model


def _load(folder: str, threads: int) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.set_verbosity_error()  # else it reports the unused pooler, which E5 lacks, on every start
    logging.disable_progress_bar()
    if threads:
        torch.set_num_threads(threads)
    return SentenceTransformer(folder, local_files_only=True, trust_remote_code=False)


def _precision(kind: str, model: SentenceTransformer) -> AbstractContextManager[object]:
    import torch

    if kind == "passage" and model.device.type == "cpu" and _multiplies_bfloat16(torch.cpu.get_capabilities()):
        bfloat16: AbstractContextManager[object] = torch.autocast("cpu", torch.bfloat16)
        return bfloat16
    return nullcontext()


def _multiplies_bfloat16(capabilities: dict[str, object]) -> bool:
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _length(model: SentenceTransformer, text: str) -> int:
    encode = getattr(model.tokenizer, "encode", None)
    if not callable(encode):
        return len(text) // CHARACTERS_PER_TOKEN + 1
    tokens: Sequence[int] = encode(text)
    return max(1, min(len(tokens), model.max_seq_length or len(tokens)))


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield groups of indices, longest texts first, each within the budget of padded tokens."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        size = max(1, min(BATCH_TEXTS, BATCH_TOKENS // lengths[order[0]]))
        yield order[:size]
        order = order[size:]


def _encode(model: SentenceTransformer, texts: list[str], prompt: str | None) -> NDArray[np.float32]:
    vectors = model.encode(
        texts, prompt=prompt or "", batch_size=len(texts), convert_to_numpy=True, show_progress_bar=False
    ).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit


if __name__ == "__main__":
    encoder = Encoder()
    serve({"load": encoder.load, "embed": encoder.embed})
    os._exit(0)  # tearing torch down takes three seconds, and nothing is left to be saved
