"""What is kept, read straight from the index, whether a server runs or not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vaultrag.config import Config

if TYPE_CHECKING:
    from vaultrag.store.database import Database


@contextlib.contextmanager
def index_to_read(config: Config) -> Iterator[Database]:
    """Open the index to read. Raises IndexMissing, IndexTooNew or IndexDamaged."""
    from vaultrag.store.database import Access
    from vaultrag.store.opening import open_database

    with open_database(config.database_path, Access.READ) as database:
        yield database
