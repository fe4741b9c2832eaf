"""What an index run puts off: embeddings and mentions are rows in the database until they are made."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vaultrag.domain import Progress
from vaultrag.indexing.mentions import refresh_mentions
from vaultrag.store import embeddings
from vaultrag.store.database import Database
from vaultrag.store.notes import mentions
from vaultrag.workspace.vectors import VectorSearch


class OwedWork:
    """Tells what one index owes, and makes it. Every method may be called from any thread."""

    def __init__(self, database: Database, vectors: VectorSearch) -> None:
        self._database = database
        self._vectors = vectors
        self._mentioning = threading.Lock()

    def owes_mentions(self) -> bool:
        return mentions.is_owed(self._database)

    def owes_anything(self) -> bool:
        """Tell whether embeddings or mentions are still owed."""
        return self.owes_mentions() or embeddings.owed_count(self._database) > 0

    def embed(self, progress: Progress, stop: Callable[[], bool]) -> int:
        """Embed what is owed, until `stop`; return how many texts that were. Notes can be written meanwhile."""
        if self._vectors.embedder()[0] is None:
            return 0
        return self._vectors.embed(progress, stop)

    def find_mentions(self) -> None:
        """Look for the names of notes in what was written since the last time."""
        with self._mentioning:
            refresh_mentions(self._database)
