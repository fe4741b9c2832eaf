from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.opening import open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "home" / "index.sqlite3") as opened:
        yield opened


@pytest.fixture
def catalog(database: Database) -> Catalog:
    return Catalog(database)
