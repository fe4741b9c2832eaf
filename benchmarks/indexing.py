"""Indexing throughput as a share of the bare embedder's, alternating in one run.

usage: scripts/bench indexing [ROUNDS]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Sequence

from benchmarks.datasets import Dataset, beir
from benchmarks.products import config_for, show_progress
from benchmarks.report import Figure, write_report
from vaultrag.config import Config
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.database import Access
from vaultrag.store.opening import open_database
from vaultrag.workspace import Ownership, Workspace

ROUNDS = 3
BARE_BATCH = 32  # sentence-transformers' own default


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    dataset = beir("xquad/ru")
    product, bare, plain = [], [], []
    texts = _index(dataset)[1]
    for round_number in range(rounds):
        show_progress("rounds", round_number, rounds)
        product.append(_index(dataset)[0])
        bare.append(_embed_only(dataset, texts))
        plain.append(_sentence_transformers(dataset, texts))
    figures = [
        _rate("index: read, chunk, store, embed, Chroma", len(texts), product),
        _rate("our embedder alone, same texts", len(texts), bare),
        _rate("SentenceTransformer.encode alone, same texts", len(texts), plain),
        _ratio("index as a share of our embedder alone", bare, product),
        _ratio("index as a share of SentenceTransformer.encode", plain, product),
    ]
    notes = [
        f"{len(texts)} passages of XQuAD ru, {rounds} rounds in turns; model loading is outside every figure.",
        "Intervals are the lowest and highest round. Above 1: our embedder multiplies in bfloat16 where the CPU can.",
    ]
    write_report("indexing", "Indexing throughput", figures, notes)
    return 0


def _index(dataset: Dataset) -> tuple[float, list[str]]:
    """Index into an empty home with a warm embedder; return seconds and what was embedded."""
    config = _config(dataset)
    shutil.rmtree(config.home, ignore_errors=True)
    with Workspace.open(config, Ownership.OWN) as workspace:
        workspace.warm_embedder()
        began = time.perf_counter()
        workspace.index(show_progress, DeletionPolicy.ACCEPT)
        seconds = time.perf_counter() - began
    with open_database(config.database_path, Access.READ) as database:
        return seconds, database.column("SELECT min(embedded) FROM chunks GROUP BY text_hash ORDER BY min(id)")


def _embed_only(dataset: Dataset, texts: Sequence[str]) -> float:
    models = ModelPool.of(_config(dataset))
    embedder = models.embedder()
    embedder.embed_passages(texts[:4])
    began = time.perf_counter()
    embedder.embed_passages(texts)
    seconds = time.perf_counter() - began
    models.close()
    return seconds


def _sentence_transformers(dataset: Dataset, texts: Sequence[str]) -> float:
    from sentence_transformers import SentenceTransformer

    config = _config(dataset)
    model = SentenceTransformer(str(config.models / config.settings.roles.embed), local_files_only=True, device="cpu")
    prompted = [f"passage: {text}" for text in texts]
    model.encode(prompted[:4])
    began = time.perf_counter()
    model.encode(prompted, batch_size=BARE_BATCH, normalize_embeddings=True)
    return time.perf_counter() - began


def _config(dataset: Dataset) -> Config:
    return config_for(dataset.vault, "throughput")


def _rate(name: str, count: int, seconds: Sequence[float]) -> Figure:
    return _spread(name, [count / s for s in seconds], " passages/s")


def _ratio(name: str, others: Sequence[float], ours: Sequence[float]) -> Figure:
    return _spread(name, [other / our for other, our in zip(others, ours, strict=True)])


def _spread(name: str, values: Sequence[float], unit: str = "") -> Figure:
    return Figure(name, statistics.median(values), min(values), max(values), len(values), unit)


if __name__ == "__main__":
    sys.exit(main())
