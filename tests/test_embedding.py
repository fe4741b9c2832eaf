"""The outbox drained into vectors: in batches, stoppable, killable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import HashEmbedder
from tests.test_indexing import drain, index, put
from vaultrag.config import Config, Settings
from vaultrag.embedding import drain_outbox
from vaultrag.store import embeddings
from vaultrag.store.database import open_database
from vaultrag.store.vectors import VectorIndex


@pytest.fixture
def config(vault: Path, home: Path) -> Config:
    return Config(vault=vault, home=home, models=home, settings=Settings())


def test_stopped_between_batches_another_drain_goes_on(config: Config) -> None:
    for number in range(100):
        put(config, f"{number}.md", f"text number {number}")
    embedder = HashEmbedder()
    with open_database(config.database_path) as database:
        index(config, database)
        vectors = VectorIndex(database, embedder.fingerprint).open()
        asked: list[bool] = []

        def stop() -> bool:
            asked.append(True)
            return True

        done = drain_outbox(database, embedder, vectors, lambda *_: None, stop=stop)
        assert asked
        assert 0 < done < 100
        assert embeddings.owed_count(database) == 100 - done
        assert drain(database, embedder) == 100 - done
        assert embeddings.owed_count(database) == 0
