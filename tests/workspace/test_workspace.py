"""One open vault: what it says of itself."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.domain import Vectors
from vaultrag.errors import DiskFull
from vaultrag.workspace import Ownership, Workspace
from vaultrag.workspace.readiness import ModelState


class NoRoom(HashEmbedder):
    def embed_query(self, text: str) -> Vectors:
        raise DiskFull("No space is left.", "Free some.")


def test_whatever_goes_wrong_while_warming_is_told_as_failed(tmp_path: Path) -> None:
    config = Config(vault=tmp_path, home=tmp_path / "home", models=tmp_path / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, NoRoom(), None) as workspace:
        workspace.warm()
        for thread in threading.enumerate():
            if thread.name.startswith("warm "):
                thread.join()
        assert workspace.health.readiness().embedder is ModelState.FAILED
