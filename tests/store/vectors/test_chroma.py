"""Whatever Chroma raises in its process is one error of ours, with the class named."""

from __future__ import annotations

from pathlib import Path

import chromadb.errors
import numpy as np
import pytest

from vaultrag.store.vectors.chroma import ChromaUnavailable, Collection

KINDS = sorted(
    kind.__name__
    for kind in vars(chromadb.errors).values()
    if isinstance(kind, type) and issubclass(kind, chromadb.errors.ChromaError)
)


@pytest.mark.slow
def test_every_error_class_of_chroma_is_translated(tmp_path: Path) -> None:
    assert {"InternalError", "InvalidArgumentError", "NotFoundError"} <= set(KINDS)
    query = np.zeros(2, np.float32)
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        collection = Collection(tmp_path / kind, 2, "tests.store.vectors.failing_worker")
        with pytest.raises(ChromaUnavailable, match=f"Chroma reported {kind}"):
            collection.search(query, 1)
        collection.close()
