"""The product as benchmarks use it: a vault indexed in a home outside the repository, searched and asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from benchmarks.datasets import Dataset, work_folder
from vaultrag.config import Config, Settings, models_dir
from vaultrag.domain import SearchResult, Vectors
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.retrieval.search import ALL_LANES, Searcher
from vaultrag.workspace import Ownership, Workspace


def config_for(vault: Path, name: str, settings: Settings | None = None) -> Config:
    """Return the configuration of a benchmark's vault; its home is kept between runs."""
    home = work_folder() / "homes" / name.replace("/", "-")
    return Config(vault=vault, home=home, models=models_dir(), settings=settings or Settings())


class Product:
    """An indexed vault. Entering indexes what changed since the last run."""

    def __init__(self, dataset: Dataset) -> None:
        self.workspace = Workspace.open(config_for(dataset.vault, dataset.name), Ownership.OWN)
        self.name = dataset.name

    def __enter__(self) -> Product:
        report = self.workspace.index(show_progress, DeletionPolicy.ACCEPT)
        print(
            f"\r{self.name}: {report.notes} notes, {report.chunks} chunks, {report.embedded} embedded now",
            file=sys.stderr,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.workspace.close()

    def notes(self, question: str, depth: int, lanes: Set[str] = ALL_LANES) -> list[str]:
        """Return note paths, best first, each by its best chunk; a copied passage stands for all notes that have it."""
        return _notes(self.workspace.search(question, depth, lanes=lanes))

    def embedded(self, question: str) -> Vectors:
        """Return a question's vector, by the embedder that the index was made with."""
        vector = self.workspace.vectors.embed_question(question).vector
        assert vector is not None
        return vector

    def ranked(
        self,
        question: str,
        vector: Vectors,
        depth: int,
        lanes: Set[str] = ALL_LANES,
        weights: Mapping[str, float] | None = None,
    ) -> list[str]:
        """Return note paths, best first, for a question embedded before, by these lanes and weights."""
        found = self.workspace.vectors.without_vector()
        section = self.workspace.config.settings.search
        searcher = Searcher(
            self.workspace.database, self.workspace.vectors.index(), found.fingerprint, found.centres, section
        )
        searcher = searcher if weights is None else replace(searcher, weights=weights)
        return _notes(searcher.search(question, depth, vector, lanes))


def _notes(found: SearchResult) -> list[str]:
    places = ((passage.chunk, *(other.chunk for other in passage.also)) for passage in found.passages)
    return list(dict.fromkeys(chunk.path for chunks in places for chunk in chunks))


def show_progress(phase: str, done: int, total: int) -> None:
    """Write one line that is overwritten, where somebody watches."""
    if sys.stderr.isatty() or os.environ.get("VAULTRAG_BENCH_VERBOSE"):
        print(f"\r{phase} {done}/{total}   ", end="", file=sys.stderr, flush=True)
