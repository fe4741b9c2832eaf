"""A follower of a real vault in a thread, and a way to wait for what it does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings, WatchSection
from vaultrag.errors import IndexMissing
from vaultrag.jobs.follow import Follower, Step
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.graph import known_files
from vaultrag.workspace import Ownership, Reach, Workspace

DEADLINE = 30.0
QUICK = WatchSection(quiet_seconds=0.05, longest_wait_seconds=1.0)


def config_of(vault: Path, home: Path, section: WatchSection = QUICK) -> Config:
    return Config(vault=vault, home=home, models=home / "models", settings=Settings(watch=section))


class UpdateResult:
    """A vault that is followed."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.vault = workspace.config.vault
        self.steps: list[Step] = []
        self._changed = threading.Condition()
        self.follower = Follower(workspace, self._note, self._keep)

    def _keep(self, step: Step) -> None:
        with self._changed:
            self.steps.append(step)
            self._changed.notify_all()

    def _note(self, *_: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; looked at whenever the follower has done something."""
        with self._changed:
            assert self._changed.wait_for(holds, DEADLINE), [(s.changes, s.followed, s.error) for s in self.steps]

    def until_paths(self, *paths: str) -> None:
        """Wait until these are the notes of the index."""
        self.until(lambda: self.paths() == sorted(paths))

    def paths(self) -> list[str]:
        return sorted(Catalog(self.workspace.database).stored_files())

    def files(self) -> set[str]:
        return known_files(self.workspace.database)

    def ids(self) -> dict[str, int]:
        return dict(self.workspace.database.rows("SELECT path, id FROM notes"))

    def finds(self, words: str) -> list[str]:
        """Return the notes that hold these words."""
        try:
            hits = self.workspace.search(words, 10, Reach.WORDS, {"keyword"}).passages
        except IndexMissing:
            return []
        return sorted({hit.chunk.path for hit in hits})

    def attention(self) -> str:
        """Return what keeps the index from following, as /healthz says it."""
        held = self.workspace.health.readiness().attention
        return held.kind if held else ""

    def put(self, path: str, text: str) -> Path:
        file = self.vault / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file


@contextlib.contextmanager
def following(config: Config, embedder: HashEmbedder | None = None) -> Iterator[UpdateResult]:
    """Follow a vault until the block ends; without an embedder nothing waits for Chroma to start."""
    with Workspace.with_models(config, Ownership.OWN, embedder, None) as workspace:
        followed = UpdateResult(workspace)
        thread = threading.Thread(target=followed.follower.run, daemon=True)
        thread.start()
        try:
            followed.until(lambda: bool(followed.steps))
            yield followed
        finally:
            followed.follower.close()
            thread.join(DEADLINE)
    assert not thread.is_alive()
