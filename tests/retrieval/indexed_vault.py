"""A small vault, indexed and open to be searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.domain import unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.workspace import Ownership, Workspace


@contextmanager
def indexed_vault(folder: Path, notes: Mapping[str, str]) -> Iterator[Workspace]:
    """Write these notes below `folder`, index them, and open the index until the block ends."""
    for name, text in notes.items():
        path = folder / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = Config(vault=folder / "vault", home=folder / "home", models=folder / "models", settings=Settings())
    with Workspace.with_models(config, Ownership.OWN, HashEmbedder(), None) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
        yield workspace
