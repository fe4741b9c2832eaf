"""Every file of Chroma, damaged in every way: a wrong vector is found, and a new generation answers as before."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.doubles import HashEmbedder
from tests.home_damage import ANY_FILE, BINARY, Damage
from vaultrag.store import embeddings
from vaultrag.store.integrity.check_vectors import check_vectors
from vaultrag.store.opening import open_database
from vaultrag.store.vectors.chroma import ChromaIndex
from vaultrag.store.vectors.index import VectorIndex

pytestmark = pytest.mark.long

EMBEDDER = HashEmbedder()
COUNT = 1200  # Chroma keeps up to a thousand outside its graph
TEXTS = {f"{number:064x}": f"слово{number} общее word{number % 97} note{number % 31}" for number in range(COUNT)}
QUERIES = ("слово7 note7", "word13 общее", "note5", "слово999", "word96 note30")
ALIKE = 0.9  # of the nearest that an approximate graph finds
NAMES = ("chroma.sqlite3", "stamp.json", "*/data_level0.bin", "*/header.bin", "*/length.bin", "*/link_lists.bin",
         "*/index_metadata.pickle")  # fmt: skip
CASES = [
    pytest.param(name, damage, id=f"{name.removeprefix('*/')} {kind}")
    for name in NAMES
    for kind, damage in {**ANY_FILE, **BINARY}.items()
]


def opened(home: Path) -> VectorIndex:
    chroma = ChromaIndex(home / "chroma", EMBEDDER.fingerprint, EMBEDDER.dimension)
    return VectorIndex(open_database(home / "index.sqlite3"), EMBEDDER.fingerprint, chroma, exact_up_to=0).open()


def agrees(index: VectorIndex) -> bool:
    """Tell whether Chroma, or what answers in its place, finds the nearest."""
    found = {(query, key) for query in QUERIES for key, _ in index.search(EMBEDDER.embed_query(query), 20)}
    nearest = {(query, key) for query in QUERIES for key, _ in index.exact.search(EMBEDDER.embed_query(query), 20)}
    return len(found & nearest) >= ALIKE * len(nearest)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("built")
    index = opened(home)
    batch = embeddings.Batch(owed=(), texts=TEXTS, ready=(), dropped=())
    vectors = EMBEDDER.embed_passages(list(TEXTS.values()))
    embeddings.store_batch(index.database, EMBEDDER.fingerprint, batch, np.asarray(vectors))
    index.rebuild(lambda *_: None)
    assert index.healthy
    assert agrees(index)
    assert list(check_vectors(index.database, index, lambda *_: None)) == []
    index.close()
    index.database.close()
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "home"))


@pytest.mark.parametrize(("name", "damage"), CASES)
def test_damaged_file_is_found_or_harmless_and_built_anew(home: Path, name: str, damage: Damage) -> None:
    path = next(iter((home / "chroma").glob(f"gen-*/{name}")), None)
    if path is None or (not path.stat().st_size and damage not in ANY_FILE.values()):
        pytest.skip("Chroma has no such file, or it is empty")
    damage(path)
    index = opened(home)
    with index.database:
        alike = agrees(index)
        found = list(check_vectors(index.database, index, lambda *_: None))
        assert alike or found or not index.healthy
        index.owe_rebuild("it was damaged")
        index.rebuild(lambda *_: None)
        assert index.healthy
        assert index.warnings == ()
        assert agrees(index)
        assert list(check_vectors(index.database, index, lambda *_: None)) == []
        index.close()
