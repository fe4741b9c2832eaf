"""Looks for faults in an open index, and mends them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from vaultrag.config import Config
from vaultrag.domain import Finding, IndexReport, Progress, RepairReport
from vaultrag.errors import IndexDamaged
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.indexing.embed import rebuild_chroma
from vaultrag.indexing.read import Recipe
from vaultrag.indexing.update import IndexUpdater
from vaultrag.maintenance.repair import Repair
from vaultrag.maintenance.verify import check_everything
from vaultrag.store.database import Database
from vaultrag.store.integrity.check import check_index
from vaultrag.store.integrity.check_home import SET_ASIDE
from vaultrag.workspace.vectors import VectorSearch


class Upkeep:
    """Checks and repairs of one index. `index_all` brings it up to the vault and embeds what is owed."""

    def __init__(
        self,
        config: Config,
        database: Database,
        vectors: VectorSearch,
        updater: IndexUpdater,
        recipe: Callable[[], Recipe],
        index_all: Callable[[Progress, DeletionPolicy], IndexReport],
    ) -> None:
        self._config = config
        self._database = database
        self._vectors = vectors
        self._updater = updater
        self._recipe = recipe
        self._index_all = index_all

    def check(self) -> list[Finding]:
        """Look for broken invariants in the index."""
        return check_index(self._database, self._vectors.index())

    def check_deep(self, progress: Progress) -> list[Finding]:
        """Look for broken invariants, with every note read again and every checksum verified."""
        with self._updater.paused():
            try:
                vectors = self._vectors.index()
            except IndexDamaged:
                vectors = None  # the look at the file itself says so
            return check_everything(self._config, self._database, self._recipe(), vectors, progress)

    def repair(self, progress: Progress, mended: Sequence[str] = ()) -> RepairReport:
        """Make anew whatever is wrong. `mended` says what was done before the index was opened.

        Raises VaultError without the vault, IndexDamaged where only another file helps.
        """
        started = time.perf_counter()
        repair = Repair(self._config, self._database, self._recipe(), progress, list(mended))
        with self._updater.paused():
            repair.before_indexing()
        self._index_all(progress, DeletionPolicy.GUARD)
        with self._updater.paused():
            findings = repair.after_indexing(self._vectors.index(), lambda index: rebuild_chroma(index, progress))
        kept = self._config.home / SET_ASIDE
        return RepairReport(
            done=tuple(repair.done),
            left=tuple(findings),
            kept=str(kept) if kept.is_dir() else "",
            seconds=round(time.perf_counter() - started, 2),
        )
