"""The child process of a network that reads pairs: our own weights on an embedder, or a sentence-transformers folder.

Pairs of like length go into one batch. Where the processor multiplies bfloat16 in hardware, it does, at twice the pace.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from vaultrag.child import Frame, serve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Probabilities: TypeAlias = NDArray[np.float32]

Pair: TypeAlias = tuple[str, str]
BATCH_TOKENS = 2048  # padded; of short pairs no more fit into the processor's cache
BATCH_PAIRS = 64
PADDING = 1  # its id in the vocabulary of XLM-RoBERTa, which our embedder shares; it is masked


class Classifier:
    """Holds one loaded network. Handlers of `vaultrag.child.serve`."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] = {}
        self.network: _Own | _FromHub | None = None

    def load(self, request: Frame, _cancelled: threading.Event) -> Iterator[Frame]:
        """Load the network and name its classes, in the order of the rows."""
        yield Frame({"classes": list(self._network(request).classes)})

    def classify(self, request: Frame, cancelled: threading.Event) -> Iterator[Frame]:
        """Classify `pairs`: float32 rows of probabilities in the order of the pairs.

        An empty frame after each batch tells the parent that the work goes on.
        """
        network, pairs = self._network(request), [(first, second) for first, second in request.body["pairs"]]
        rows = np.zeros((len(pairs), len(network.classes)), np.float32)
        for batch, classified in network.classified(pairs):
            if cancelled.is_set():
                return
            rows[batch] = classified
            yield Frame({})
        if not np.isfinite(rows).all():
            raise FloatingPointError("the network gave probabilities that are not numbers")
        yield Frame({"rows": len(pairs), "classes": list(network.classes)}, rows.astype("<f4", copy=False).tobytes())

    def _network(self, request: Frame) -> _Own | _FromHub:
        wanted = {key: request.body[key] for key in ("path", "base", "threads")}
        if self.network is None or self.loaded != wanted:
            _settle(wanted["threads"])
            path = Path(wanted["path"])
            self.network = _FromHub(path) if path.is_dir() else _Own(path, Path(wanted["base"]))
            self.loaded = wanted
        return self.network


def _settle(threads: int) -> None:
    import torch

    if threads:
        torch.set_num_threads(threads)


def _multiplies_bfloat16() -> bool:
    import torch

    able = torch.cpu.get_capabilities()
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16"))


class _Own:
    """A network of ours, whose weights stand on an embedder's."""

    def __init__(self, path: Path, base: Path) -> None:
        import torch
        from tokenizers import Tokenizer

        from vaultrag.runtime.cross_encoder.header import read_header
        from vaultrag.runtime.cross_encoder.weights import load_network

        header = read_header(path)
        self.classes = header.classes
        self.templates = header.templates
        self.tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self.tokenizer.enable_truncation(header.tokens, strategy="longest_first")
        self.tokenizer.no_padding()
        self.network = load_network(path, base)
        if _multiplies_bfloat16():
            self.network.compute_in(torch.bfloat16)

    def classified(self, pairs: Sequence[Pair]) -> Iterator[tuple[list[int], Probabilities]]:
        """Yield groups of indices with their rows."""
        first, second = self.templates
        texts = [(first.format(a), second.format(b)) for a, b in pairs]
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        yield from _by_length([len(row) for row in ids], lambda batch: self._rows([ids[at] for at in batch]))

    def _rows(self, ids: list[list[int]]) -> Probabilities:
        import torch

        longest = max(map(len, ids))
        padded = torch.tensor([row + [PADDING] * (longest - len(row)) for row in ids])
        with torch.inference_mode():
            logits = self.network(padded, torch.tensor([len(row) for row in ids]))
            rows: Probabilities = logits.float().softmax(1).numpy()
        return rows


class _FromHub:
    """A cross-encoder as the hub holds them, by its folder."""

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.model = CrossEncoder(str(folder), local_files_only=True, trust_remote_code=False)
        names = self.model.config.id2label
        self.classes = tuple(str(names[at]).lower() for at in sorted(names))

    def classified(self, pairs: Sequence[Pair]) -> Iterator[tuple[list[int], Probabilities]]:
        """Yield groups of indices with their rows."""
        lengths = [(len(first) + len(second)) // 3 + 1 for first, second in pairs]
        yield from _by_length(lengths, lambda batch: self._rows([pairs[at] for at in batch]))

    def _rows(self, pairs: list[Pair]) -> Probabilities:
        rows: Probabilities = self.model.predict(
            pairs, batch_size=len(pairs), apply_softmax=True, convert_to_numpy=True, show_progress_bar=False
        ).astype(np.float32)
        return rows


def _by_length(
    lengths: Sequence[int], classify: Callable[[list[int]], Probabilities]
) -> Iterator[tuple[list[int], Probabilities]]:
    order = sorted(range(len(lengths)), key=lambda at: -lengths[at])
    while order:
        size = max(1, min(BATCH_PAIRS, BATCH_TOKENS // max(1, lengths[order[0]])))
        yield order[:size], classify(order[:size])
        order = order[size:]


if __name__ == "__main__":
    classifier = Classifier()
    serve({"load": classifier.load, "classify": classifier.classify})
    os._exit(0)  # tearing torch down takes seconds, and nothing is left to be saved
