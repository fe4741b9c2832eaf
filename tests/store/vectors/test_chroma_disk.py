"""Chroma on a disk that is full, or full a little later: exact search answers, and what was current stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import Disk, mounted
from tests.doubles import HashEmbedder
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.integrity.check_vectors import check_vectors
from vaultrag.store.opening import open_database
from vaultrag.store.vectors.chroma import ChromaIndex
from vaultrag.store.vectors.exact import ExactIndex
from vaultrag.store.vectors.index import VectorIndex

pytestmark = pytest.mark.skipif(os.name != "posix", reason="mounts")

ROOM = "160m"  # what building asks for before it begins, and some more
EMBEDDER = HashEmbedder()
QUERIES = ("слово7 note7", "word13 общее", "note5", "слово999", "word96 note30")
GRAPH = 1500  # vectors: Chroma keeps up to a thousand outside its graph


def store(database: Database, numbers: range) -> embeddings.Batch:
    texts = {f"{number:064x}": f"слово{number} общее word{number % 97} note{number % 31}" for number in numbers}
    batch = embeddings.Batch(owed=(), texts=texts, ready=(), dropped=())
    vectors = EMBEDDER.embed_passages(list(texts.values()))
    embeddings.store_batch(database, EMBEDDER.fingerprint, batch, vectors)
    return batch


def nearest(index: VectorIndex | ExactIndex) -> set[tuple[str, str]]:
    return {(query, key) for query in QUERIES for key, _ in index.search(EMBEDDER.embed_query(query), 10)}


def agrees(index: VectorIndex) -> bool:
    exact = nearest(index.exact)
    return len(nearest(index) & exact) >= 0.9 * len(exact)  # Chroma's graph is approximate


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def index(disk: Disk, tmp_path: Path) -> Iterator[VectorIndex]:
    """Vectors in an index with room, and a Chroma on a small disk of its own."""
    chroma = ChromaIndex(disk.resize(ROOM) / "chroma", EMBEDDER.fingerprint, EMBEDDER.dimension)
    with open_database(tmp_path / "index.sqlite3") as database:
        index = VectorIndex(database, EMBEDDER.fingerprint, chroma, exact_up_to=0).open()
        store(database, range(GRAPH))
        index.rebuild(unwatched)
        assert index.healthy
        yield index
        index.close()


def unwatched(_done: int, _total: int) -> None:
    """Nobody watches."""


def assert_mended(index: VectorIndex, disk: Disk) -> None:
    """With room, Chroma is built anew, and is what the embeddings are."""
    assert agrees(index)
    disk.free()
    index.rebuild(unwatched)
    assert index.healthy
    assert index.warnings == ()
    assert agrees(index)
    assert list(check_vectors(index.database, index, lambda *_: None)) == []
    assert index.chroma is not None
    assert len(list(index.chroma.root.glob("gen-*"))) == 1


LEFT = (0, *(pytest.param(size, marks=pytest.mark.long) for size in (300_000, 700_000)))  # a little less than it takes


@pytest.mark.slow
@pytest.mark.parametrize("leaving", LEFT)
def test_chroma_that_finds_no_room_while_it_is_built_is_given_up(index: VectorIndex, disk: Disk, leaving: int) -> None:
    assert index.chroma is not None
    before = index.chroma.current()
    index.owe_rebuild("tried here")
    assert index.grow(unwatched), "a new generation is begun"
    disk.fill(leaving)
    while index.grow(unwatched):
        continue
    assert not index.healthy
    assert index.rebuild_owed
    assert index.warnings
    assert index.chroma.current() == before
    assert_mended(index, disk)


@pytest.mark.long
@pytest.mark.parametrize("leaving", LEFT)
def test_chroma_that_finds_no_room_for_new_vectors_is_given_up(index: VectorIndex, disk: Disk, leaving: int) -> None:
    disk.fill(leaving)
    index.follow(store(index.database, range(GRAPH, 3 * GRAPH)))
    assert not index.healthy
    assert index.rebuild_owed
    assert index.warnings
    assert_mended(index, disk)


@pytest.mark.long
def test_chroma_is_not_begun_where_its_disk_is_too_small(index: VectorIndex, disk: Disk) -> None:
    disk.fill(1_000_000)
    index.rebuild(unwatched)
    assert "its disk lacks" in index.warnings[0]
    assert_mended(index, disk)
